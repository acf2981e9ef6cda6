"""What boards rest on, on a real InfluxDB: the feed, the policy by range, the masks, the usual."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from dashboards import alert_queries, windows
from dashboards.figures import figure
from dashboards.interpolate import Range, interpolate
from dashboards.queries import combinations
from dashboards.variables import HERE, HORIZON_MS, LEVEL, PLACE, policy_query
from dashboards.words import Words
from pipelines.io.influxdb import InfluxDb
from schemas.calendar import local
from schemas.places.model import Place
from schemas.places.registry import PlaceRegistry
from schemas.places.synthetic import synthetic_layer
from schemas.store import bucket, window_for, window_name
from taishi.boards import boards_of
from taishi.boards_feed import Feeder, write_feed
from taishi.places import load_registry
from taishi.settings import Settings
from taishi.store import influx_settings

pytestmark = pytest.mark.stack

DATABASE = "boards_test"
DAY_MS = 86_400_000
NOW_MS = time.time_ns() // 60_000_000_000 * 60_000
HERE_VALUES = {"here": "district", "place": "370202", "level": "street", "policy": "1m"}


class Store:
    """InfluxDB with the policies of an installation, as a board's data source sees it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._influxdb = InfluxDb(influx_settings(settings))

    def rows(self, text: str, over: Range, **values: str) -> list[dict[str, object]]:
        return self._influxdb.query(interpolate(text, over, HERE_VALUES | values))

    def write(self, policy: str, lines: Iterable[str]) -> None:
        assert self._influxdb.write(list(lines), bucket(DATABASE, policy)) == []

    def drop(self) -> None:
        self._influxdb.delete(f'DROP DATABASE "{DATABASE}"')
        self._influxdb.close()


@pytest.fixture(scope="module")
def fed(stack):
    """A store that nothing is in but what boards are fed with."""
    made = Store(stack.settings.model_copy(update={"influxdb_database": DATABASE}))
    try:
        write_feed(made.settings, load_registry(made.settings), today())
        yield made
    finally:
        made.drop()


def today():
    return local(NOW_MS).date()


def last(hours: float) -> Range:
    return Range(int(NOW_MS - hours * 3_600_000), NOW_MS)


@pytest.mark.parametrize("hours", [1, 3, 4, 36, 37, 24 * 30, 24 * 2000])
def test_the_policy_is_the_one_meant_for_so_long_a_range(fed, hours):
    (row,) = fed.rows(policy_query(), last(hours))
    assert row["first"] == window_name(window_for(hours * 3600))


@pytest.mark.parametrize("days_back", [1, 8, 89, 91, 1000])
def test_the_policy_is_one_that_is_still_kept_at_the_ranges_beginning(fed, days_back):
    begun = NOW_MS - days_back * DAY_MS
    (row,) = fed.rows(policy_query(), Range(begun, begun + 3_600_000))
    assert row["first"] == window_name(window_for(3600, back_s=days_back * 86_400))


def test_places_are_offered_in_order_and_levels_follow_from_the_place(fed):
    offered = [str(row["value"]) for row in fed.rows(PLACE.query, last(1))]
    assert offered[:3] == ["370202 市南区", "370202001 香港中路街道", "370202001001 云霄路社区"]
    assert offered == sorted(offered)
    assert len(offered) == 1 + 11 + 50 + 573
    for place, here, below in (
        ("370202", "district", ["community", "grid", "street"]),
        ("370202001", "street", ["community", "grid"]),
        ("370202001001001", "grid", []),
    ):
        assert [row["value"] for row in fed.rows(HERE.query, last(1), place=place)] == [here]
        assert [str(row["value"]).split()[0] for row in fed.rows(LEVEL.query, last(1), place=place)] == below


def test_a_place_that_is_called_otherwise_now_or_is_no_more_is_not_offered(fed):
    registry = load_registry(fed.settings)
    street = registry.at("street")[0]
    others = [place for level in ("district", "street", "community") for place in registry.at(level)]
    renamed = [replace(place, name="新名街道") if place == street else place for place in others]
    layer = synthetic_layer("370202")
    write_feed(fed.settings, PlaceRegistry(renamed, replace(layer, grids=layer.grids[:-1])), today())
    offered = [str(row["value"]) for row in fed.rows(PLACE.query, last(1))]
    assert f"{street.code} 新名街道" in offered
    assert f"{street.code} {street.name}" not in offered
    assert len(offered) == 1 + 11 + 50 + 572
    write_feed(fed.settings, registry, today())
    assert len(fed.rows(PLACE.query, last(1))) == 1 + 11 + 50 + 573


def test_feeding_again_changes_nothing(fed):
    count = 'SELECT count("order") FROM "places"'
    before = fed.rows(count, last(1))
    assert sum(write_feed(fed.settings, load_registry(fed.settings), today()).values()) > 600
    assert fed.rows(count, last(1)) == before


def test_boards_are_fed_at_the_start_each_day_and_after_an_import(fed, tmp_path):
    days = [today()]
    feeder = Feeder(fed.settings.model_copy(update={"home": tmp_path}), lambda: days[-1])
    assert (feeder.look(), feeder.look()) == (True, False)
    days.append(today() + timedelta(days=1))
    assert (feeder.look(), feeder.look()) == (True, False)
    (tmp_path / "places").mkdir()
    (tmp_path / "places" / "370999-2026-01-01.geojson").write_text("{}")
    assert (feeder.look(), feeder.look()) == (True, False)


def test_while_influxdb_is_away_boards_are_fed_later(fed, tmp_path):
    settings = fed.settings.model_copy(update={"home": tmp_path})
    away = settings.model_copy(update={"influxdb_address": "http://127.0.0.1:9"})
    with capture_logs() as told:
        feeder = Feeder(away, today)
        assert (feeder.look(), feeder.look()) == (False, False)
    assert [each["event"] for each in told] == ["boards are not fed"]
    assert "127.0.0.1:9 does not answer" in told[0]["why"]


def window(place: str, level: str, at_ms: int, size: str = "1m", **values: float) -> str:
    fields = ",".join(f"{name}={value!r}" for name, value in values.items())
    domain = "care" if "residents_seen" in values else "parking"
    return f"{domain},level={level},place={place},window={size} {fields} {at_ms}"


def test_counts_under_five_are_not_given_and_sums_are_masked_after_they_are_summed(fed):
    minutes = [NOW_MS - n * 60_000 for n in range(1, 31)]
    lines = [
        window(place, "street", at, residents_seen=float(seen), sos=float(at == minutes[0]), activity=3.0)
        for place, seen in (("370202001", 9), ("370202002", 4), ("370202004", 0))
        for at in minutes
    ]
    lines += [
        window("370202005", "street", at, residents_seen=9.0, sos=1.0, activity=3.0) for at in minutes[:5]
    ]
    fed.write("1m", lines)
    shown = tuple(figure("care", name) for name in ("residents_seen", "sos", "activity"))
    seen, sos, activity = (
        {str(row["place"]): row[each.name] for row in fed.rows(query.text, last(1))}
        for each, query in zip(shown, windows.below(shown), strict=False)
    )
    assert seen == {"370202001": 9, "370202004": 0, "370202005": 9}
    assert sos == {"370202005": 5}  # one call is masked, wherever it came from
    assert activity == {"370202001": 90, "370202004": 90, "370202005": 15}


def test_the_usual_is_the_mean_of_this_hour_in_four_weeks_and_of_no_other_hour(fed):
    hour_ms = NOW_MS // 3_600_000 * 3_600_000
    lines = [
        window("370202", "district", hour_ms - week * 7 * DAY_MS + off * 3_600_000, "1h", occupied=value)
        for week, value in ((1, 100.0), (2, 200.0), (3, 300.0), (5, 9_000.0))
        for off in (0,)
    ]
    lines.append(window("370202", "district", hour_ms - 7 * DAY_MS - 3_600_000, "1h", occupied=9_000.0))
    fed.write("1h", lines)
    query = windows.usual(figure("parking", "occupied"))
    (row,) = fed.rows(query.text, Range(hour_ms - 3_600_000, hour_ms + 600_000))
    assert row["occupied"] == 200.0


def test_what_is_older_than_a_quarter_of_an_hour_is_no_present(fed):
    fed.write("1m", [window("370202", "district", NOW_MS - 20 * 60_000, unknown=7.0)])
    query = windows.now(figure("parking", "unknown"))
    assert fed.rows(query.text, last(6)) == []
    assert fed.rows(query.text, Range(NOW_MS - 3_600_000, NOW_MS - 10 * 60_000))[0]["unknown"] == 7.0


def test_shares_of_periods_with_too_many_alerts_are_counted_by_periods(fed):
    begun = NOW_MS // 600_000 * 600_000 - 6_000_000
    lines = [
        f'alerts,rule=r{n},severity=low,domain=parking,level=street,place=370202001 active=1i,title="t" {at}'
        for period, many in ((0, 11), (3, 10), (4, 30))
        for n in range(many)
        for at in (begun + period * 600_000 + n * 1000,)
    ]
    fed.write("events", lines)
    over = Range(begun, begun + 6_000_000 - 1)
    words = Words("占比", "share")
    (share,) = fed.rows(alert_queries.thick_share("10m", 10, words).text, over)
    assert share["share"] == pytest.approx(0.2)
    (most,) = fed.rows(alert_queries.thickest("10m", words).text, over)
    assert most["alerts"] == 30
    top = fed.rows(alert_queries.ranked(("rule",), 3).text, over)
    assert top[0]["alerts"] == 3


def test_every_combination_of_the_shipped_boards_names_places_that_are_there(fed, tmp_path: Path):
    registry = load_registry(fed.settings)
    samples = {level: registry.at(level)[0].code for level in ("district", "street", "community", "grid")}
    for board in boards_of(Settings(home=tmp_path)):
        for values in combinations(board, samples):
            place = registry.place(values["place"])
            assert isinstance(place, Place)
            assert place.level == values["here"]
    assert HORIZON_MS > NOW_MS
