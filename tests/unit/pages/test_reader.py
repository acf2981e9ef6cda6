"""What is asked of the store: little, once, whoever looks; and what stands when it does not answer."""

import json
import re

import httpx
import msgspec
import pytest

from operations.influxql import InfluxQl, UnavailableError
from operations.pages.live.board import Board
from operations.pages.live.watch import Known, Watch
from operations.pages.reading.alerts import OpenAlerts
from operations.pages.reading.reader import Reader
from operations.pages.reading.store import PagesStore, StorePlan
from operations.pages.views.freshness import LOOK_S, LOOK_WHEN_DUE_S, Pace
from tests.unit.pages.situations import DISTRICT, GEOGRAPHY, GRIDS, HOUR_MS, NOW_MS, PLACES, alert

START_MS = NOW_MS - 20_000
PACE = Pace(window_s=10, delay_s=5.0)


class Influx:
    """Answers as InfluxDB 1.8 does; keeps what it was asked."""

    def __init__(self):
        self.asked, self.down, self.slow, self.revision, self.occupied = [], False, "", 7, 40

    def __call__(self, request):
        query = request.url.params["q"]
        self.asked.append((request.url.params["db"], query))
        if self.down or (self.slow and self.slow in query):
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json={"results": [{"statement_id": 0, "series": self.series(query)}]})

    def series(self, query):
        if '"parking"' not in query:
            return []
        tags = {"level": "district", "place": DISTRICT.code}
        if query.startswith("SELECT revision"):
            return [{"columns": ["time", "revision"], "values": [[START_MS, self.revision]]}]
        if "time =" in query:
            grid = {"level": "grid", "place": GRIDS[0]}
            columns = ["time", "spaces", "occupied", "unknown", "readings_simulated"]
            return [
                {"tags": tags, "columns": columns, "values": [[START_MS, 100, self.occupied, 0, 0]]},
                {"tags": grid, "columns": columns, "values": [[START_MS, 10, 4, None, 0]]},
            ]
        if "sum(" in query:
            return [{"tags": tags, "columns": ["time", "turnover"], "values": [[NOW_MS - HOUR_MS, 12.5]]}]
        return [{"columns": ["time", "occupancy"], "values": [[NOW_MS - 86_400_000, 0.5]]}]

    def kinds(self):
        heads = re.compile(r"SELECT (\S+?)[ ,(].*?\"(\w+)\"\.\"(\w+)\"")
        return [heads.match(query).groups() for _, query in self.asked]


@pytest.fixture
def influx():
    return Influx()


@pytest.fixture
def reader(influx):
    asked = InfluxQl("http://store", "", transport=httpx.MockTransport(influx))
    databases = {"parking": "taishi", "security": "taishi", "care": "apart", "governance": "taishi"}
    store = PagesStore(asked, StorePlan(databases, DISTRICT.code, 10))
    return Reader(store, lambda _domain: frozenset({GRIDS[0]}), 5.0)


def read(reader, places, now_ms):
    reader.read_newest(now_ms)
    reader.read_past(places, now_ms)


def test_a_look_reads_the_newest_window_the_past_hour_and_the_usual(influx, reader):
    read(reader, [DISTRICT.code], NOW_MS)
    found = reader.situation
    assert found.now["parking"][DISTRICT.code].values["occupied"] == 40
    assert (found.now["parking"][GRIDS[0]].simulated, found.now["parking"][DISTRICT.code].simulated) == (
        True,
        False,
    )
    assert found.hour["parking"][DISTRICT.code].values == {"turnover": 12.5}
    assert found.usual[("parking", DISTRICT.code)] == {NOW_MS - 86_400_000: {"occupancy": 0.5}}
    assert {policy for _, policy, _ in influx.kinds()} == {"10s", "1m", "1h"}
    assert {database for database, query in influx.asked if '"care"' in query} == {"apart"}


def test_a_look_without_news_asks_for_the_heads_alone(influx, reader):
    read(reader, [DISTRICT.code], NOW_MS)
    influx.asked.clear()
    before = reader.situation
    read(reader, [DISTRICT.code], NOW_MS + 1_000)
    assert reader.situation is before
    assert {first for first, _, _ in influx.kinds()} == {"revision"}


def test_a_revised_window_is_read_again_and_another_minute_another_hour(influx, reader):
    read(reader, [DISTRICT.code], NOW_MS)
    influx.asked.clear()
    influx.revision += 1
    read(reader, [DISTRICT.code], NOW_MS + 1_000)
    assert ("*", "10s", "parking") in influx.kinds()
    influx.asked.clear()
    read(reader, [DISTRICT.code], NOW_MS + 60_000)
    assert ("sum", "1m", "parking") in influx.kinds()


def test_a_question_that_is_not_answered_takes_nothing_from_the_others(influx, reader):
    influx.slow = '"1h"'
    with pytest.raises(UnavailableError):
        read(reader, [DISTRICT.code], NOW_MS)
    assert reader.situation.now["parking"][DISTRICT.code].values["occupied"] == 40
    influx.slow = ""
    read(reader, [DISTRICT.code], NOW_MS + 1_000)
    assert reader.situation.usual[("parking", DISTRICT.code)]


def test_the_usual_is_read_for_the_places_that_are_looked_at_and_forgotten_with_them(influx, reader):
    read(reader, [DISTRICT.code], NOW_MS)
    read(reader, [DISTRICT.code, GRIDS[0]], NOW_MS)
    assert ("parking", GRIDS[0]) in reader.situation.usual
    read(reader, [DISTRICT.code], NOW_MS)
    assert {place for _, place in reader.situation.usual} == {DISTRICT.code}


def test_a_trend_is_read_once_a_minute(influx, reader):
    read(reader, [DISTRICT.code], NOW_MS)
    first = reader.trend(DISTRICT, NOW_MS)
    influx.asked.clear()
    assert reader.trend(DISTRICT, NOW_MS + 1_000) is first
    assert influx.asked == []
    assert reader.trend(DISTRICT, NOW_MS + 60_000) is not first


def watch_of(reader, alerts=lambda: ()):
    board = Board()
    return board, Watch(board, reader, Known(PLACES, GEOGRAPHY, alerts, lambda _grid: ()), PACE)


def test_however_many_watch_a_key_it_is_made_once(reader):
    board, watch = watch_of(reader)
    with board.subscribed(["district"]), board.subscribed(["district", "map/grid/parking.occupancy"]):
        watch.look(NOW_MS)
        frame = json.loads(board.frame("district"))
        assert frame["domains"][0]["figures"][1]["text"] == "60"
        assert json.loads(board.frame("map/grid/parking.occupancy"))["level"] == "grid"
    assert board.frame("place/370202") is None


def test_frames_are_made_anew_only_when_something_they_are_made_of_is_another(reader, monkeypatch):
    board, watch = watch_of(reader)
    made = []
    monkeypatch.setattr(board, "put", lambda key, _frame: made.append(key))
    with board.subscribed(["district"]):
        watch.look(NOW_MS)
        watch.look(NOW_MS + 1_000)
        assert made == ["district"]
        with board.subscribed(["map/street/alerts"]):
            watch.look(NOW_MS + 2_000)
            assert made == ["district", "district", "map/street/alerts"]
        watch.look(NOW_MS + 61_000)
        assert made.count("district") == 3


def test_a_new_window_is_shown_before_the_past_is_read(influx, reader):
    board, watch = watch_of(reader)
    with board.subscribed(["district"]):
        watch.look(NOW_MS)
        before = board.frame("district")
        influx.revision, influx.occupied, influx.slow = 8, 50, '"1m"'
        watch.look(NOW_MS + 60_000)
        assert board.frame("district") != before
        assert json.loads(board.frame("district"))["domains"][0]["figures"][1]["text"] == "50"


def test_the_store_is_asked_more_often_while_a_window_is_due(reader):
    _, watch = watch_of(reader)
    assert watch.look_in_s(NOW_MS) == LOOK_S
    watch.look(NOW_MS)
    due_ms = PACE.due_ms(START_MS + 10_000)
    assert watch.look_in_s(due_ms - 5_000) == LOOK_S
    assert watch.look_in_s(due_ms - 500) == 0.5
    assert watch.look_in_s(due_ms + 500) == LOOK_WHEN_DUE_S
    assert watch.look_in_s(PACE.overdue_ms(START_MS + 10_000)) == LOOK_S


def test_what_is_known_stands_while_the_store_is_away_and_that_is_told(influx, reader):
    board, watch = watch_of(reader)
    with board.subscribed(["district"]):
        watch.look(NOW_MS)
        before = board.frame("district")
        influx.down = True
        watch.look(NOW_MS + 1_000)
        assert board.frame("district") == before
        assert "refused" in watch.unavailable
        influx.down = False
        watch.look(NOW_MS + 2_000)
        assert watch.unavailable == ""


def test_alerts_are_shown_while_the_store_is_away(influx, reader):
    influx.down = True
    board, watch = watch_of(reader, lambda: (alert(1, GRIDS[0]),))
    with board.subscribed(["district"]):
        watch.look(NOW_MS)
        assert json.loads(board.frame("district"))["alerts"]["total"] == 1


def test_a_refused_question_is_told_as_such():
    def refuse(_request):
        return httpx.Response(200, json={"results": [{"statement_id": 0, "error": "max-select-point"}]})

    influx = InfluxQl("http://store", "", transport=httpx.MockTransport(refuse))
    with pytest.raises(UnavailableError, match="max-select-point"):
        influx.ask("taishi", "SELECT 1")


def test_open_alerts_are_held_by_their_highest_revision():
    changes = []
    book = OpenAlerts(lambda: changes.append(1))
    book.take(msgspec.json.encode(alert(1, GRIDS[0], revision=2)))
    book.take(msgspec.json.encode(alert(1, GRIDS[0], revision=1, active=False)))
    assert [each.revision for each in book.all()] == [2]
    book.take(msgspec.json.encode(alert(1, GRIDS[0], revision=3, active=False)))
    assert book.all() == ()
    book.take(msgspec.json.encode(alert(1, GRIDS[0], revision=2)))
    assert book.all() == (), "said again after a crash: it is over all the same"
    assert len(changes) == 2
