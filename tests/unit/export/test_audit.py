"""Who took what is in the desk's audit, before the first byte."""

import pytest

from operations.people.audit import first_broken
from schemas.errors import SettingsError
from taishi.export.audit import Audit
from taishi.people import opened
from taishi.settings import Settings


def test_an_export_says_who_asked_for_what_and_what_became_of_it(tmp_path):
    audit = Audit(Settings(home=tmp_path))
    audit.begin("a", metrics=["occupancy"], reason="study 12")
    audit.begin("b", metrics=["sos"])
    audit.begin("c", metrics=["falls"])
    audit.written("b", rows=3)
    audit.failed("c", "InfluxDB went away")
    first, second, third = audit.exports()
    assert (first["result"], first["reason"], second["result"], second["rows"]) == (
        "killed",
        "study 12",
        "written",
        3,
    )
    assert (third["result"], third["why"]) == ("failed", "InfluxDB went away")
    assert first["by"]
    assert first["at"].endswith("+08:00")


def test_it_is_part_of_the_chain(tmp_path):
    settings = Settings(home=tmp_path)
    Audit(settings).begin("a", metrics=["occupancy"])
    with opened(settings) as store:
        assert [entry.said.what for entry in store.entries()] == ["export.begin"]
        assert first_broken(store.entries()) == ""


def test_a_question_too_long_for_the_record_is_recorded_as_far_as_it_fits(tmp_path):
    audit = Audit(Settings(home=tmp_path))
    audit.begin("a", places=["370202001001"] * 1_000)
    (found,) = audit.exports()
    assert found["detail"].startswith('{"places":["370202001001"')


def test_what_cannot_be_written_down_is_not_exported(tmp_path):
    (tmp_path / "data").touch()
    with pytest.raises(SettingsError, match="nothing is exported"):
        Audit(Settings(home=tmp_path)).begin("a")
