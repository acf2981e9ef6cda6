"""The scorecard over time: what the parts count, into InfluxDB's measurement `sources`, once a minute.

A count is written as what came since the last look, so a process that dies loses at most a minute of it and
doubles none. While InfluxDB is away the last points wait, and the next hold all that came meanwhile.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

import httpx
import structlog

from pipelines.io.influxdb import InfluxDb
from schemas.errors import Refused
from schemas.store import DEFAULT_POLICY, bucket
from taishi.settings import Settings
from taishi.status.assemble import assemble
from taishi.status.collect import Collector
from taishi.status.exposition import Scrape, parse
from taishi.status.snapshot import SourceView
from taishi.status.vendors import Counts, Remembered, VendorScore, counted, points, vendor_scores
from taishi.store import influx_settings

__all__ = ["EVERY_S", "Look", "Recorder", "look", "memory", "remembered"]

EVERY_S: Final = 60.0
_LOG = structlog.get_logger(__name__)
_REMEMBERED: Final = (
    'SELECT last("heard_s") AS heard_s, last("usual_s") AS usual_s FROM "1m"."sources" '
    "WHERE time > now() - 7d GROUP BY source, vendor"
)


@dataclass(frozen=True, slots=True)
class Look:
    """What the parts count at a moment."""

    at_ms: int
    scrape: Scrape
    sources: tuple[SourceView, ...]

    def scores(self, known: Remembered) -> list[VendorScore]:
        """The vendors' scores."""
        return vendor_scores(self.scrape, self.at_ms, known)


def look(settings: Settings, collector: Collector) -> Look:
    """Ask every part once; what does not answer, or not in Prometheus' form, is left out."""
    gathered = collector.gather()
    snapshot = assemble(settings.district, settings.window_s[0], gathered)
    return Look(gathered.at_ms, parse(filter(_readable, gathered.metrics.values())), snapshot.sources)


def memory(settings: Settings, stopping: threading.Event | None = None) -> InfluxDb:
    """The installation's InfluxDB; with `stopping`, a wait for it ends as SystemExit."""

    def pause(wait_s: float) -> None:
        if stopping is not None and stopping.wait(wait_s):
            raise SystemExit(0)

    return InfluxDb(influx_settings(settings), wait=pause if stopping is not None else None)


def remembered(store: InfluxDb) -> Remembered:
    """Who was heard when, of the last seven days; nothing where InfluxDB does not tell."""
    try:
        rows = store.query(_REMEMBERED)
    except (httpx.HTTPError, Refused) as error:
        _LOG.warning("what InfluxDB remembers of vendors is not known now", why=str(error))
        return {}
    return {
        (str(row["source"]), str(row["vendor"])): (
            float(str(row["heard_s"])),
            float(str(row["usual_s"] or 0)),
        )
        for row in rows
        if row["heard_s"] is not None
    }


class Recorder:
    """Writes a point a source and vendor at every look but the first, which only begins the counting."""

    def __init__(self, settings: Settings, stopping: threading.Event) -> None:
        self._settings, self._stopping = settings, stopping
        self._store = memory(settings, stopping)
        self._before: Counts | None = None
        self._known: Remembered = {}

    def run(self, every_s: float = EVERY_S) -> None:
        """Look and write until told to stop."""
        with Collector(self._settings) as collector:
            self._known = remembered(self._store)
            while not self._stopping.is_set():
                self.note(look(self._settings, collector))
                self._stopping.wait(every_s)
        self._store.close()

    def note(self, seen: Look) -> None:
        """Write what came since the last look; waits for InfluxDB."""
        now, scores = counted(seen.scrape, seen.sources), seen.scores(self._known)
        if self._before is not None:
            home = bucket(self._settings.influxdb_database, DEFAULT_POLICY)
            self._store.write(points(self._before, now, scores, seen.at_ms), home)
        # A door that does not answer now is not forgotten: what it counts next is since its last answer.
        self._before = {**(self._before or {}), **now}
        self._known = {**self._known, **_heard(scores, seen.at_ms)}


def _heard(scores: list[VendorScore], at_ms: int) -> Remembered:
    return {
        (score.source, score.vendor): (at_ms / 1000 - score.silent_s, score.usual_s or 0.0)
        for score in scores
        if score.silent_s is not None
    }


def _readable(text: str) -> bool:
    try:
        parse([text])
    except ValueError:
        return False
    return True
