"""The newest windows of all places, from InfluxDB by InfluxQL; one look serves everybody for a while.

Measurement = domain, tags level, place and window, time = the window's start; as `pipelines` writes them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx

from operations.influxql import InfluxQl, Series
from operations.oncall.clock import now_ms
from operations.outgoing.rows import PlaceRow, place_row
from schemas.kinds import DOMAINS, Domain, held_s
from schemas.store import choose_database, measurement

__all__ = ["Kept", "WindowStore", "WindowStoreSettings"]

Answer = TypeVar("Answer")
_LOOK_BACK_S: Final = 900
"""How old the newest window of a place may be to be told."""

_DEPTH: Final[dict[Domain, int]] = {"parking": 1, "security": 1, "care": 2, "governance": 2}
"""How many windows of a place: of people's those before too, until the places above have the newest."""


class Kept:
    """The last answer to a question, for `for_s`; one asks, the others wait for it."""

    def __init__(self, for_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._for_s, self._clock = for_s, clock
        self._lock = threading.Lock()
        self._answer: Any = None
        self._at_s: float | None = None

    def get(self, ask: Callable[[], Answer]) -> Answer:
        """The answer kept, or asked for now; a failure is not kept."""
        with self._lock:
            if self._at_s is None or self._clock() - self._at_s >= self._for_s:
                self._answer, self._at_s = ask(), self._clock()
            answer: Answer = self._answer
            return answer


@dataclass(frozen=True, slots=True)
class WindowStoreSettings:
    """Where, and by which size of windows; `token` is a 2.x token or `user:password` of 1.8.

    `care_database` is that of the domain care, if it has one of its own.
    """

    url: str
    database: str
    token: str
    window_s: int
    care_database: str = ""
    keep_s: float = 2.0
    keep_simulated_s: float = 300.0


class WindowStore:
    """Reads; never writes. May be asked from any thread."""

    def __init__(self, settings: WindowStoreSettings, transport: httpx.BaseTransport | None = None) -> None:
        self._settings = settings
        self._influx = InfluxQl(settings.url, settings.token, transport=transport)
        self._rows, self._simulated = Kept(settings.keep_s), Kept(settings.keep_simulated_s)

    def rows(self) -> list[PlaceRow]:
        """The newest windows (`_DEPTH`) of every place in every domain; UnavailableError: not told now."""
        return self._rows.get(self._newest)

    def close(self) -> None:
        """Give the connections back."""
        self._influx.close()

    def simulated(self, domain: Domain) -> frozenset[str]:
        """Places where a simulated reading may still be held; as found at most `keep_simulated_s` ago."""
        return self._simulated.get(self._where_simulated)[domain]

    def _newest(self) -> list[PlaceRow]:
        since_ms = now_ms() - (_LOOK_BACK_S + self._settings.window_s) * 1000
        return [
            place_row(domain, series, cells, self._settings.window_s, self.simulated(domain))
            for domain in DOMAINS
            for series in self._series(
                "*", domain, since_ms, f"level, place ORDER BY time DESC LIMIT {_DEPTH[domain]}"
            )
            for cells in series["values"]
        ]

    def _where_simulated(self) -> dict[Domain, frozenset[str]]:
        found: dict[Domain, frozenset[str]] = {}
        for domain in DOMAINS:
            since_ms = now_ms() - (held_s(domain) + _LOOK_BACK_S) * 1000
            series = self._series("max(readings_simulated)", domain, since_ms, "place")
            found[domain] = frozenset(e["tags"]["place"] for e in series if (e["values"][0][1] or 0) > 0)
        return found

    def _series(self, fields: str, domain: Domain, since_ms: int, grouped: str) -> list[Series]:
        # Not of a user's making: the settings have checked what goes in.
        query = (
            f"SELECT {fields} FROM {measurement(domain, self._settings.window_s)} "  # noqa: S608
            f"WHERE time >= {since_ms}ms GROUP BY {grouped}"
        )
        settings = self._settings
        database = choose_database(domain, settings.database, settings.care_database)
        (series,) = self._influx.ask(database, query)
        return series
