"""The simulated past: sums hold to the last millionth, gaps are gaps, rhythms are there, all is marked."""

from datetime import datetime

import numpy as np
import pytest

from pipelines.kernels.point_columns import point_lines
from pipelines.kernels.points import line
from pipelines.kernels.rollup import PlaceWindow
from schemas.calendar import ZONE
from schemas.errors import SettingsError
from schemas.kinds import DOMAINS
from schemas.measures import MEASURES, lasts
from schemas.places.synthetic import synthetic_layer
from simulation.history.windows import SIZES_S, Past
from taishi.history_alerts import past_alerts

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def moment(*day):
    return int(datetime(*day, tzinfo=ZONE).timestamp() * 1000)


MONDAY = moment(2026, 11, 16)


@pytest.fixture(scope="module")
def past():
    return Past(synthetic_layer().codes, 20_000, 370202)


def levels(past, domain, window_s, hour_ms):
    return {columns.level: columns for columns in past.windows(domain, window_s, hour_ms)}


def measure(columns, name):
    number = [m.name for m in MEASURES[columns.domain]].index(name)
    return columns.values[number] / 1_000_000


def hour_with(past, what, from_ms=MONDAY, days=14):
    found = next(one for one in past.happenings(from_ms, from_ms + days * DAY_MS) if one.what == what)
    return found, found.from_ms // HOUR_MS * HOUR_MS


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("window_s", SIZES_S)
def test_every_place_is_the_sum_of_the_places_below_it(past, domain, window_s):
    by_level = levels(past, domain, window_s, MONDAY + 9 * HOUR_MS)
    assert [len(by_level[level].places) for level in by_level] == [573, 50, 11, 1]
    for above, below in (("community", "grid"), ("street", "community"), ("district", "street")):
        for row, place in enumerate(by_level[above].places):
            inside = [n for n, code in enumerate(by_level[below].places) if code.startswith(place)]
            assert (by_level[above].values[:, row] == by_level[below].values[:, inside].sum(axis=1)).all()
            assert (by_level[above].grids[row] == by_level[below].grids[inside].sum(axis=0)).all()


@pytest.mark.parametrize("domain", DOMAINS)
def test_an_hour_is_the_sum_of_its_minutes_and_a_minute_of_its_ten_seconds(past, domain):
    hour_ms = MONDAY + 18 * HOUR_MS
    by_size = [levels(past, domain, size, hour_ms)["grid"].values for size in SIZES_S]
    adding = np.array([not lasts(each) for each in MEASURES[domain]])
    assert adding.any()
    tens = by_size[0].reshape(*by_size[0].shape[:2], 60, 6)
    assert (tens.sum(axis=3)[adding] == by_size[1][adding]).all()
    assert (by_size[1].sum(axis=2)[adding] == by_size[2][adding, :, 0]).all()


@pytest.mark.parametrize("domain", [d for d in DOMAINS if d in ("parking", "care")])
def test_a_gauge_of_a_larger_window_is_what_it_is_at_its_end(past, domain):
    hour_ms, name = MONDAY + 18 * HOUR_MS, {"parking": "occupied", "care": "beds_occupied"}[domain]
    tens, minutes, hour = (measure(levels(past, domain, s, hour_ms)["grid"], name) for s in SIZES_S)
    assert (tens[:, 5::6] == minutes).all()
    assert (minutes[:, -1:] == hour).all()
    assert minutes.sum() > 0


def test_the_same_hour_is_the_same_whenever_and_by_whomever_it_is_made(past):
    again = Past(list(reversed(synthetic_layer().codes)), 20_000, 370202)
    other = Past(synthetic_layer().codes, 20_000, 7)
    hour_ms = MONDAY + 30 * HOUR_MS
    first, second, third = (levels(p, "security", 60, hour_ms)["grid"] for p in (past, again, other))
    assert (first.values == second.values).all()
    assert (first.values != third.values).any()


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("window_s", SIZES_S)
def test_columns_become_the_very_points_that_the_live_job_writes(past, domain, window_s):
    _, hour_ms = hour_with(past, "shard-behind")
    for columns in past.windows(domain, window_s, hour_ms):
        told = iter(point_lines(columns).to_pylist())
        for row, column in np.argwhere(columns.present)[:3_000].tolist():
            window = PlaceWindow(
                *(domain, columns.level, columns.places[row], window_s, int(columns.starts_ms[column])),
                *(int(columns.revision[row, column]), int(columns.grids[row, column])),
                bool(columns.complete[column]),
                columns.values[:, row, column],
            )
            assert read(next(told)) == read(line(window))


def read(text):
    series, fields, at = text.split(" ")
    values = dict(part.split("=") for part in fields.split(","))
    return series, {n: v if v.endswith("i") else float(v) for n, v in values.items()}, at


def test_while_a_shard_is_behind_the_places_above_are_marked_incomplete_and_hold_fewer_grids(past):
    found, hour_ms = hour_with(past, "shard-behind")
    domain, minute = found.device.split("/")[0], (found.from_ms - hour_ms) // 60_000
    by_level = levels(past, domain, 60, hour_ms)
    assert not by_level["district"].complete[minute]
    assert by_level["grid"].complete.all()
    assert 400 < by_level["district"].grids[0, minute] < 573
    assert by_level["district"].grids[0, minute - 1] == 573
    assert levels(past, next(d for d in DOMAINS if d != domain), 60, hour_ms)["district"].complete.all()


def test_while_the_system_is_down_there_are_no_windows_at_all(past):
    found, hour_ms = hour_with(past, "system-down")
    minutes = slice((found.from_ms - hour_ms) // 60_000, (found.until_ms - hour_ms) // 60_000)
    for columns in past.windows("care", 60, hour_ms):
        assert not columns.present[:, minutes].any()
        assert columns.present.sum() == columns.present.size * 45 // 60
        assert len(point_lines(columns)) == columns.present.sum()


def test_a_dead_feed_is_windows_without_its_readings_while_gauges_hold(past):
    found = next(
        one
        for one in past.happenings(MONDAY, MONDAY + 60 * DAY_MS)
        if one.what == "feed-dead" and one.device == "mqtt.chirpstack"
    )
    hour_ms = found.from_ms // HOUR_MS * HOUR_MS
    district = levels(past, "parking", 60, hour_ms)["district"]
    minute = (found.from_ms - hour_ms) // 60_000
    assert district.present.all()
    assert measure(district, "turnover")[0, minute + 1 : minute + 5].sum() == 0
    assert len(set(measure(district, "occupied")[0, minute + 1 : minute + 5])) == 1
    assert measure(district, "turnover")[0, : minute - 1].sum() > 0


def test_everything_is_marked_simulated(past):
    for domain in DOMAINS:
        district = levels(past, domain, 60, MONDAY + 10 * HOUR_MS)["district"]
        assert (measure(district, "readings_simulated") == measure(district, "readings")).all()
    happened = past.happenings(MONDAY, MONDAY + DAY_MS)
    assert all(alert.simulated for alert in past_alerts(happened, MONDAY + DAY_MS))


def a_day(past, name, domain, day_ms):
    hours = (levels(past, domain, 3600, day_ms + h * HOUR_MS)["district"] for h in range(24))
    return np.array([measure(district, name)[0, 0] for district in hours])


def test_days_have_rush_hours_weekends_are_quieter_and_holidays_most(past):
    working = a_day(past, "access_granted", "security", MONDAY)
    weekend = a_day(past, "access_granted", "security", MONDAY + 5 * DAY_MS)
    holiday = a_day(past, "access_granted", "security", moment(2026, 10, 1))
    assert working[8] > 5 * working[3]
    assert working[18] > working[13]
    assert holiday.sum() < weekend.sum() < 0.9 * working.sum()
    beds = a_day(past, "beds_occupied", "care", MONDAY)
    assert beds[2] > 0.9 * 979 > 5 * beds[13]


def test_grid_workers_do_not_walk_at_night(past):
    patrols = a_day(past, "patrols", "governance", MONDAY)
    assert patrols[1:6].sum() == 0
    assert patrols[9:12].sum() > 30


@pytest.mark.parametrize(
    ("what", "domain", "name"),
    [
        ("fire", "security", "fire_smoke"),
        ("intrusion", "security", "intrusion_intrusion"),
        ("forced-door", "security", "access_forced"),
        ("sos", "care", "sos"),
        ("fall", "care", "falls"),
    ],
)
def test_what_happened_is_in_the_windows_of_its_minute_and_place_and_is_an_alert(past, what, domain, name):
    found, hour_ms = hour_with(past, what)
    grids = levels(past, domain, 60, hour_ms)["grid"]
    minute = (found.from_ms - hour_ms) // 60_000
    assert measure(grids, name)[grids.places.index(found.place), minute] >= 1
    alerts = past_alerts([found], found.until_ms + 1)
    assert [(a.place, a.onset_ms, a.active, a.cleared_ms) for a in alerts] == [
        (found.place, found.from_ms, False, found.until_ms)
    ]
    assert past_alerts([found], found.until_ms)[0].active


def test_a_full_community_is_full_and_the_rule_says_so(past):
    found, _ = hour_with(past, "parking-full")
    hour_ms = (found.from_ms + 50 * 60_000) // HOUR_MS * HOUR_MS
    community = levels(past, "parking", 60, hour_ms)["community"]
    row, minute = community.places.index(found.place), (found.from_ms + 50 * 60_000 - hour_ms) // 60_000
    share = measure(community, "occupied")[row, minute] / measure(community, "spaces")[row, minute]
    assert share > 0.98
    (alert,) = past_alerts([found], found.until_ms + DAY_MS)
    assert (alert.rule, alert.level, alert.active) == ("rule.parking-full", "community", False)
    assert "停车位基本饱和" in alert.title


def test_a_dead_feed_is_one_alert_of_the_district(past):
    found, _ = hour_with(past, "feed-dead")
    (alert,) = past_alerts([found], found.until_ms + 1)
    assert (alert.rule, alert.device, alert.place) == ("silence.feed", found.device, "370202")


def test_other_sizes_and_times_are_refused_by_name(past):
    with pytest.raises(SettingsError, match="window_s: received 300, allowed: 10, 60, 3600"):
        next(past.windows("care", 300, MONDAY))
    with pytest.raises(SettingsError, match=r"hour_ms: received \d+, allowed: the begin of an hour"):
        next(past.windows("care", 60, MONDAY + 1))
