"""Every query of every board, asked of the installation's InfluxDB (`dashboards.trial`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Final

from dashboards.model import Board
from dashboards.sources import CARE
from dashboards.trial import Outcome, Trial, policy_text, ranges, trials
from pipelines.io.influxdb import InfluxDb
from schemas.errors import Refused, SettingsError
from schemas.places.model import LEVELS, Level
from schemas.places.registry import PlaceRegistry
from schemas.store import database_of
from taishi.settings import Settings
from taishi.store import influx_settings

__all__ = ["Tried", "place_of_each_level", "try_boards"]

_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it; `not_asked`: queries of other stores than InfluxDB (metrics)."""

    outcomes: list[Outcome] = field(default_factory=list)
    not_asked: list[str] = field(default_factory=list)


def place_of_each_level(registry: PlaceRegistry, grid: str = "") -> dict[Level, str]:
    """A grid (the first, if none is named) and the places it lies in; SettingsError for what is no grid."""
    chosen = grid or registry.grid_codes[0]
    if not registry.has_grid(chosen):
        raise SettingsError(
            f"grid: received {grid!r}, allowed: a grid of the district, such as {registry.grid_codes[0]}"
        )
    return {level: registry.scheme.ancestor(chosen, level) for level in LEVELS}


def try_boards(
    settings: Settings,
    boards: Iterable[Board],
    places: dict[Level, str],
    when: tuple[Iterable[str], int],
    report: Callable[[Outcome], object] = lambda _outcome: None,
) -> Tried:
    """Ask everything once; `when`: the spans (of `dashboards.trial.SPANS_S`) and where they end, ms.

    SettingsError where the store lacks what boards need (`taishi boards feed`), httpx.HTTPError where it
    cannot be asked.
    """
    over = ranges(*when)
    tried = Tried()
    wanted = replace(influx_settings(settings), timeout_s=_TIMEOUT_S)
    with closing(InfluxDb(wanted)) as store:
        policies = {span: _policy(store, policy_text(each)) for span, each in over.items()}
        for trial in trials(boards, places, over, policies):
            if trial.asked.source.language != "influxql":
                tried.not_asked.append(str(trial))
                continue
            outcome = _outcome(store, trial, database_of("care", settings))
            tried.outcomes.append(outcome)
            report(outcome)
    return tried


def _policy(store: InfluxDb, text: str) -> str:
    rows = store.query(text)
    if not rows:
        raise SettingsError("InfluxDB does not hold what boards need: run `taishi boards feed` first")
    return str(rows[0]["first"])


def _outcome(store: InfluxDb, trial: Trial, care: str) -> Outcome:
    database = care if trial.asked.source is CARE else store.settings.database
    began_s = time.perf_counter()
    try:
        rows = store.query(trial.text, database)
    except Refused as error:
        return Outcome(trial, 0, time.perf_counter() - began_s, str(error))
    taken_s = time.perf_counter() - began_s
    return Outcome(trial, sum(1 for _ in _told(rows)), taken_s)


def _told(rows: Iterable[dict[str, object]]) -> Iterator[dict[str, object]]:
    """Rows that hold more than a time."""
    return (row for row in rows if any(v is not None for name, v in row.items() if name != "time"))
