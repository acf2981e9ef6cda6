"""What an installation's pages know beside its store: devices, parts that do not serve, its own health."""

import pytest

from connectors.registry import COLUMNS
from deploy.embedded.state import PartState, StackState
from operations.pages.views.health import HealthTable
from schemas.errors import SettingsError
from taishi import pages as installation
from taishi.cli.pages import pages_url
from taishi.pages import DevicesOf, check_host, unwell
from taishi.pages_health import health
from taishi.settings import Settings
from taishi.status.snapshot import Check, PartView, ShardView, Snapshot, SourceView
from tests.unit.pages.situations import GRIDS, PLACES


def test_pages_that_know_no_users_are_served_to_this_machine_only(tmp_path):
    check_host(Settings(home=tmp_path))
    with pytest.raises(SettingsError, match=r"pages_host: received 0\.0\.0\.0, allowed: 127\.0\.0\.1"):
        check_host(Settings(home=tmp_path, pages_host="0.0.0.0"))  # noqa: S104 - it is refused


def test_the_address_is_one_that_a_browser_takes(tmp_path):
    assert pages_url(Settings(home=tmp_path, pages_port=1)) == "http://127.0.0.1:1/"
    assert pages_url(Settings(home=tmp_path, pages_host="::1", pages_port=1)) == "http://[::1]:1/"


def test_devices_are_found_by_their_grid_or_by_where_they_stand(tmp_path):
    inside = PLACES.layer.grids[0].polygon.representative_point()
    lines = [
        ",".join(COLUMNS),
        f"bay-1,bosch.tps110,parking.space,{GRIDS[0]},,,,,,true",
        f"bay-2,native,parking.space,,{inside.x},{inside.y},WGS-84,,,false",
        f"bay-3,native,parking.space,{GRIDS[1]},,,,,,false",
        "bay-4,native,parking.space,,0,0,WGS-84,,,false",
    ]
    (tmp_path / "devices.csv").write_text("\n".join(lines) + "\n", "utf-8")
    found = DevicesOf(Settings(home=tmp_path), PLACES)
    assert [(row.device, row.simulated) for row in found(GRIDS[0])] == [("bay-1", True), ("bay-2", False)]
    assert [row.device for row in found(GRIDS[1])] == ["bay-3"]
    assert list(found(GRIDS[2])) == []


def test_without_a_registry_there_are_no_devices(tmp_path):
    assert list(DevicesOf(Settings(home=tmp_path), PLACES)(GRIDS[0])) == []


def part(name, phase):
    return PartState(name, phase, 0)


def test_parts_that_do_not_serve_are_named_but_not_those_the_picture_does_not_need(monkeypatch, tmp_path):
    parts = (
        part("kafka", "healthy"),
        part("topics", "done"),
        part("influxdb", "backing-off"),
        part("sources", "starting"),
    )
    monkeypatch.setattr(installation, "read_state", lambda _home: StackState(1, 0, parts))
    monkeypatch.setattr(installation, "is_running", lambda _home: True)
    assert unwell(Settings(home=tmp_path)) == {"influxdb": "稍后重启"}
    monkeypatch.setattr(installation, "is_running", lambda _home: False)
    assert unwell(Settings(home=tmp_path)) == {}, "what a stack that ended left behind says nothing of now"


def tables(snapshot):
    return {table.english: table for table in health(snapshot).tables}


def test_the_health_page_says_what_taishi_status_says():
    snapshot = Snapshot(
        "370202",
        0,
        True,
        parts=(PartView("kafka", "healthy", True, 7, 1, 2**20 * 300), PartView("mqtt", "unhealthy", False)),
        sources=(
            SourceView("http.fhir", received=9, stored=8, messages_quarantined={"malformed": 1}),
            SourceView("x"),
        ),
        shards=(ShardView("readings.care/0", 3, 5.5), ShardView("readings.care/1")),
        checks=(Check("kept", "a", "holds", ""), Check("kept", "b", "broken", "9 ≠ 8")),
        problems=("mqtt: unhealthy",),
    )
    found = tables(snapshot)
    assert (health(snapshot).well, health(snapshot).problems) == (False, ["mqtt: unhealthy"])
    assert found["Parts"].rows[0] == ["kafka", "正常", "1", "300 MiB", ""]
    assert found["Parts"].bad == [1]
    assert found["Log"].rows == [["readings.care/0", "3", "5.5 s"], ["readings.care/1", "?", "?"]]
    assert found["Sources"].rows == [["http.fhir", "9", "8", "0", "0", "1"]]
    assert found["Accounts that do not hold"].rows == [["不平", "kept", "b", "9 ≠ 8"]]
    assert found["Accounts that do not hold"].columns[0] == ("结果", "verdict")


def test_a_table_without_rows_is_left_out():
    assert tables(Snapshot("370202", 0, True)) == {}
    assert isinstance(
        health(Snapshot("370202", 0, True, parts=(PartView("a", "done", True),))).tables[0], HealthTable
    )
