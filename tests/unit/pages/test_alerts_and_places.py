"""Which alerts are listed, and what a place's page shows."""

import msgspec
import pytest

from operations.pages.views.alerts import alert_list, listed
from operations.pages.views.places import DeviceRow, place_page, trail
from operations.pages.views.trends import HOURS, LINES, lines_of, trend
from operations.pages.views.wall import domain_page, wall
from tests.unit.pages.situations import (
    DISTRICT,
    GEOGRAPHY,
    GRIDS,
    NOW_MS,
    PLACES,
    alert,
    cells,
    parking,
    rows,
)

GRID = GRIDS[0]
STREET, COMMUNITY = GRID[:9], GRID[:12]


def ids(alerts):
    return [each.id for each in alerts]


def test_the_most_urgent_come_first_and_of_these_the_newest():
    found = listed(
        [
            alert(1, GRID, severity="low"),
            alert(2, GRID, severity="life_safety"),
            alert(3, GRID, severity="high"),
            alert(4, GRID, severity="high", onset_ms=NOW_MS),
        ]
    )
    assert ids(found) == ["a2", "a4", "a3", "a1"]


def test_what_is_over_is_listed_only_while_it_waits_for_a_person():
    over = alert(1, GRID, active=False, cleared_ms=NOW_MS)
    assert listed([over, alert(2, GRID, active=False, latched=True)]) == [
        alert(2, GRID, active=False, latched=True)
    ]


def storm():
    parent = alert(9, STREET, rule="storm.silence.device", cause="silence.device", level="street", children=2)
    below = [alert(n, grid, rule="silence.device", severity="low") for n, grid in enumerate(GRIDS[:2])]
    return parent, below


def test_one_alert_stands_for_many_of_its_cause():
    parent, below = storm()
    assert ids(listed([*below, parent])) == ["a9"]
    ended = msgspec.structs.replace(parent, active=False, cleared_ms=NOW_MS)
    assert ids(listed([*below, ended])) == ["a0", "a1"]


def test_a_place_below_the_parents_shows_its_own():
    parent, below = storm()
    assert ids(listed([*below, parent], within=GRID)) == ["a0"]


def test_life_safety_is_never_collapsed():
    parent = alert(9, STREET, rule="storm.signal.sos", cause="signal.sos", level="street")
    call = alert(1, GRID, rule="signal.sos", severity="life_safety")
    assert ids(listed([call, parent])) == ["a1", "a9"]


def test_all_are_counted_and_some_told_in_both_languages_with_place_and_age():
    found = alert_list(listed([alert(n, GRID) for n in range(5)]), GEOGRAPHY, 2)
    assert (found.total, found.counts, len(found.rows)) == (
        5,
        {"life_safety": 0, "high": 5, "medium": 0, "low": 0},
        2,
    )
    first = found.rows[0]
    assert (first.title, first.english) == ("烟雾报警", "smoke")
    assert first.where == f"{PLACES.place(STREET).name} · {PLACES.place(GRID).name}"


def test_an_alert_tells_of_no_device_and_no_person():
    known = alert(
        1, GRID, domain="care", device="button-9", subject="pseudonym-of-somebody", explanation="who"
    )
    text = msgspec.json.encode(alert_list([known], GEOGRAPHY, 9)).decode()
    assert not [word for word in ("button-9", "pseudonym", "who") if word in text]


def test_from_the_district_to_the_devices_of_a_grid_in_three_steps():
    step, path = DISTRICT, []
    while step.level != "grid":
        child = place_page(cells(), step, None, NOW_MS).places.rows[0]
        path.append(child.code)
        step = PLACES.place(child.code)
    assert len(path) == 3
    devices = [DeviceRow("bay-1", "parking.space", "bosch.tps110", path[-1], True)]
    page = place_page(cells(), step, devices, NOW_MS)
    assert page.devices.rows == [("bay-1", "车位传感器", "bosch.tps110")]
    assert [crumb.code for crumb in page.trail] == [DISTRICT.code, *path]
    assert page.trail == trail(step, GEOGRAPHY)


def test_devices_of_people_are_counted_not_named_and_few_are_not_counted():
    def homes(kind, count):
        return [DeviceRow(f"{kind}-{n}", kind, "zigbee2mqtt", GRID, False) for n in range(count)]

    known = homes("care.activity", 6) + homes("care.bed", 1) + homes("security.fire", 1)
    found = place_page(cells(), PLACES.place(GRID), known, NOW_MS).devices
    assert [(each.kind, each.count) for each in found.kinds] == [
        ("care.activity", 6),
        ("care.bed", None),
        ("security.fire", 1),
    ]
    assert [device for device, _, _ in found.rows] == ["security.fire-0"]


def test_the_places_within_have_texts_bands_and_alerts():
    now = rows("parking", {COMMUNITY: parking(100.0, 90.0)})
    page = place_page(
        cells(now={"parking": now}, alerts=(alert(1, GRID),)), PLACES.place(STREET), None, NOW_MS
    )
    first = next(row for row in page.places.rows if row.code == COMMUNITY)
    assert (first.texts[0], first.band, first.alerts) == ("90.0%", 4, 1)
    assert all(row.band is None for row in page.places.rows if row.code != COMMUNITY)


def test_the_wall_has_every_street_and_every_domain():
    found = wall(cells(alerts=()), DISTRICT, NOW_MS)
    assert (len(found.places.rows), [each.domain for each in found.domains]) == (
        11,
        ["parking", "security", "care", "governance"],
    )
    assert (found.synthetic, found.alerts.total) == (True, 0)
    assert wall(cells(), DISTRICT, NOW_MS).alerts is None, "not read yet is not none"


def test_a_domains_page_has_its_own_figures_and_alerts():
    found = domain_page(
        cells(alerts=(alert(1, GRID), alert(2, GRID, domain="parking"))), DISTRICT, "security", NOW_MS
    )
    assert ids(found.alerts.rows) == ["a1"]
    assert found.places.columns[0] == ("进入人数", "people in")


END_MS = NOW_MS - NOW_MS % 300_000
START_MS = END_MS - HOURS * 3_600_000


def test_a_trend_sums_events_over_five_minutes_and_leaves_gauges_as_they_stand():
    parking_line, people_line = LINES[0], LINES[1]
    minutes = range(START_MS, END_MS, 60_000)
    past = {
        "parking": {at: {"occupancy": n / 1000} for n, at in enumerate(minutes)},
        "security": {at: {"people_entered": 2.0} for at in minutes},
    }
    found = trend((parking_line, people_line), past, {}, NOW_MS)
    assert (found.start_ms, found.step_ms, len(found.lines[0].values)) == (START_MS, 300_000, 72)
    assert found.lines[0].values[:2] == [0.004, 0.009]
    assert set(found.lines[1].values) == {10.0}
    assert set(found.lines[0].usual) == {None}


def test_a_gap_in_a_trend_stays_a_gap():
    past = {"security": {START_MS + 3_600_000: {"people_entered": 3.0}}}
    values = trend((LINES[1],), past, {}, NOW_MS).lines[0].values
    assert [value for value in values if value is not None] == [3.0]


@pytest.mark.parametrize("level", ["street", "community", "grid"])
def test_people_are_drawn_for_the_whole_district_only(level):
    assert {line.domain for line in lines_of("district")} == {"parking", "security", "care", "governance"}
    assert {line.domain for line in lines_of(level)} == {"parking", "security"}


def test_few_people_leave_a_gap_in_the_districts_line():
    care = next(line for line in LINES if line.domain == "care")
    past = {
        "care": {START_MS: {"vitals_out_of_range": 3.0}, START_MS + 300_000: {"vitals_out_of_range": 30.0}}
    }
    assert trend((care,), past, {}, NOW_MS).lines[0].values[:2] == [None, 30.0]
