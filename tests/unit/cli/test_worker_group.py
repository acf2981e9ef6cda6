"""`taishi worker … --group NAME`: what is taken, what is refused."""

import pytest
from click.testing import CliRunner

from schemas.errors import SettingsError
from taishi.cli.worker import parse_group, worker


def test_a_group_shares_all_shards_and_needs_a_plain_name():
    assert parse_group(None, "") is None
    assert parse_group("district-370202.a", "") == "district-370202.a"
    for name in ("", "two words", "x" * 65, "a/b"):
        with pytest.raises(SettingsError, match="--group: received"):
            parse_group(name, "")
    for given in ({"shards": "0,2"}, {"from_oldest": True}):
        with pytest.raises(SettingsError, match="stop the group and run one worker"):
            parse_group("g", "", **given)


def test_the_group_of_the_settings_counts_where_nothing_else_is_said():
    assert parse_group(None, "district") == "district"
    assert parse_group("another", "district") == "another"
    assert parse_group(None, "district", "0,2") is None
    assert parse_group(None, "district", from_oldest=True) is None
    with pytest.raises(SettingsError, match="received 'two words'"):
        parse_group(None, "two words")


@pytest.mark.parametrize("job", ["aggregate", "situation", "signals", "presence", "watch"])
def test_every_job_can_be_shared(job):
    shown = CliRunner().invoke(worker, [job, "--help"])
    assert "--group NAME" in shown.output
