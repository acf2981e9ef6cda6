"""The device registry: what a row says, what is refused and where, and a file that changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connectors.base import Location
from connectors.registry import COLUMNS, DeviceRegistry, parse_rows, zone_of
from schemas.errors import SettingsError

HEADER = ",".join(COLUMNS)
GOOD = "a,bosch.tps110,parking.space,370202001001001,,,,,,true"


def rows(*lines: str) -> tuple[dict, tuple[str, ...]]:
    return parse_rows("\n".join([HEADER, *lines]).splitlines())


def test_a_row_says_where_a_device_stands_and_what_it_is() -> None:
    devices, problems = rows(GOOD, "b,,parking.lot,,120.38,36.06,GCJ-02,p-1,120,false")
    assert problems == ()
    assert (devices["a"].model, devices["a"].grid, devices["a"].simulated) == (
        "bosch.tps110",
        "370202001001001",
        True,
    )
    assert devices["b"].location == Location(120.38, 36.06, "GCJ-02")
    assert (devices["b"].subject, devices["b"].capacity) == ("p-1", 120)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",m,parking.space,1,,,,,,true", "device"),
        ("x,m,parking.plane,1,,,,,,true", "parking.plane"),
        ("x,m,parking.space,,,,,,,true", "neither a grid nor a location"),
        ("x,m,parking.space,,120,36,,,,true", "crs together"),
        ("x,m,parking.space,,120,36,WGS84,,,true", "WGS-84"),
        ("x,m,parking.space,,nan,36,WGS-84,,,true", "degrees"),
        ("x,m,parking.space,,east,36,WGS-84,,,true", "east"),
        ("x,m,parking.space,1,,,,,-3,true", "-3"),
        ("x,m,parking.space,1,,,,,,yes", "yes"),
        ("x,m,parking.space,1", "number of cells"),
        (GOOD + ",more", "number of cells"),
        (GOOD.replace("bosch", "other"), "already"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_the_others_stay(row: str, said: str) -> None:
    devices, (problem,) = rows(GOOD, row)
    assert set(devices) == {"a"}
    assert problem.startswith("line 3: ")
    assert said in problem


def test_another_header_is_refused_whole() -> None:
    with pytest.raises(SettingsError, match="header"):
        parse_rows(["device,grid", "a,1"])


def test_a_changed_file_is_read_again_and_a_broken_one_leaves_what_was(tmp_path: Path) -> None:
    path = tmp_path / "devices.csv"
    path.write_text(f"{HEADER}\n{GOOD}\n")
    registry = DeviceRegistry(path)
    assert registry.get("a") is not None
    assert not registry.refresh()
    path.write_text(f"{HEADER}\n{GOOD.replace('a,', 'b,', 1)}\nbad\n")
    os.utime(path, ns=(1, 1))
    assert registry.refresh()
    assert (registry.get("a"), len(registry), len(registry.problems)) == (None, 1, 1)
    path.write_text("nonsense\n")
    with pytest.raises(SettingsError):
        registry.refresh()
    assert registry.get("b") is not None


def test_a_missing_file_names_itself(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.csv"):
        DeviceRegistry(tmp_path / "absent.csv")


def test_optional_columns_are_read_and_columns_may_stand_in_any_order() -> None:
    lines = [f"zone,{HEADER},vendor,interval_s", f"Asia/Shanghai,{GOOD},Hikvision,600"]
    devices, problems = parse_rows(lines)
    assert problems == ()
    assert (devices["a"].interval_s, devices["a"].zone, devices["a"].vendor) == (
        600,
        "Asia/Shanghai",
        "Hikvision",
    )


@pytest.mark.parametrize(
    ("column", "cell"), [("interval_s", "0"), ("interval_s", "1.5"), ("zone", "Qingdao")]
)
def test_a_bad_optional_cell_is_refused(column: str, cell: str) -> None:
    devices, (problem,) = parse_rows([f"{HEADER},{column}", f"{GOOD},{cell}"])
    assert devices == {}
    assert cell in problem


@pytest.mark.parametrize("header", [f"{HEADER},colour", f"{HEADER},zone,zone"])
def test_an_unknown_or_doubled_column_is_refused_naming_what_is_allowed(header: str) -> None:
    with pytest.raises(SettingsError, match="interval_s"):
        parse_rows([header])


def test_a_devices_own_zone_wins_over_the_option() -> None:
    devices, _ = parse_rows([f"{HEADER},zone", f"{GOOD},Asia/Urumqi", f"{GOOD.replace('a,', 'b,', 1)},"])
    assert str(zone_of(devices["a"], "Asia/Shanghai")) == "Asia/Urumqi"
    assert str(zone_of(devices["b"], "Asia/Shanghai")) == "Asia/Shanghai"
    assert zone_of(None, "") is None
