"""Every query of every board on a real InfluxDB that holds a week of the simulated city."""

import json
import time

import httpx
import pytest

from dashboards.queries import asked
from dashboards.trial import fault_of, paces
from schemas.calendar import local
from schemas.places.registry import PlaceRegistry, known_places
from schemas.places.synthetic import synthetic_layer
from simulation.history.windows import Past
from taishi.boards import boards_of
from taishi.boards_feed import write_feed
from taishi.boards_trial import place_of_each_level, try_boards
from taishi.history import Span, load_past
from taishi.history_alerts import past_alerts

pytestmark = pytest.mark.stack
DATABASE = "boards_week"
HOUR_MS = 3_600_000
REGISTRY = PlaceRegistry(known_places("370202"), synthetic_layer())
GRIDS = REGISTRY.grid_codes[::8]
"""Every eighth: enough for every place above; how many there are is the benchmark's matter."""


@pytest.fixture(scope="module")
def settings(stack):
    return stack.settings.model_copy(update={"influxdb_database": DATABASE})


@pytest.fixture(scope="module")
def week(settings):
    """A week of hours, a day of minutes, three hours of single grids' minutes, ten minutes of 10 s."""
    now_ms = int(time.time() * 1000) // 60_000 * 60_000
    span = Span(
        now_ms - 7 * 24 * HOUR_MS,
        now_ms,
        now_ms - HOUR_MS // 6,
        now_ms,
        grid_minutes_from_ms=now_ms - 3 * HOUR_MS,
        minutes_from_ms=now_ms - 25 * HOUR_MS,
    )
    past = Past(GRIDS, 4_000, 370202)
    loaded = load_past(settings, past, span)
    assert min(loaded.points[size] for size in ("10s", "1m", "1h", "sources")) > 100
    happened = [one for one in past.happenings(span.from_ms, now_ms) if one.from_ms >= span.from_ms]
    assert loaded.points["alerts"] == len(past_alerts(happened, now_ms)) > 0, "how many is the week's matter"
    write_feed(settings, REGISTRY, local(now_ms).date())
    yield now_ms
    httpx.post(f"{settings.influxdb_url}/query", params={"q": f"DROP DATABASE {DATABASE}"}, timeout=60)


@pytest.fixture(scope="module")
def tried(settings, week):
    places = place_of_each_level(REGISTRY, GRIDS[0])
    return try_boards(settings, boards_of(settings), places, (("1h", "6h", "24h", "7d"), week))


def test_every_query_gives_rows_or_its_panel_says_why_it_may_give_none(tried):
    faults = [fault for outcome in tried.outcomes if (fault := fault_of(outcome))]
    assert faults == [], "\n".join(faults[:20])
    assert len(tried.outcomes) > 1_000


def test_every_query_of_influxdb_was_asked_and_only_those_of_metrics_were_not(tried, settings):
    every = [each for board in boards_of(settings) for each in asked(board)]
    wanted = {(e.board, e.panel, e.ref) for e in every if e.source.language == "influxql"}
    assert {(o.trial.asked.board, o.trial.asked.panel, o.trial.asked.ref) for o in tried.outcomes} == wanted
    assert tried.not_asked


def test_the_pace_of_every_board_is_known(tried, settings):
    assert [pace.board for pace in paces(tried.outcomes)] == [b.uid for b in boards_of(settings)] + ["all"]


def test_the_command_says_the_same(stack, week, monkeypatch):
    monkeypatch.setitem(stack.environment, "TAISHI_INFLUXDB_DATABASE", DATABASE)
    until = local(week).isoformat()
    words = ("--store", "--span", "1h", "--until", until, "--grid", GRIDS[0], "--slow", "60", "--json")
    told = stack.run("boards", "check", *words)
    assert told.returncode == 0, told.stdout + told.stderr
    assert json.loads(told.stdout)["faults"] == []


def test_a_store_that_lacks_what_boards_need_is_told_what_to_run(stack, monkeypatch):
    monkeypatch.setitem(stack.environment, "TAISHI_INFLUXDB_DATABASE", "nothing_here")
    told = stack.run("boards", "check", "--store")
    assert told.returncode == 1
    assert "run `taishi boards feed` first" in told.stderr
