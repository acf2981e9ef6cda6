"""Every console's load: what is told by itself, and what is collapsed because its console is in flood."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

import structlog

from operations.oncall.flood import Flood, FloodLimits, Load
from operations.oncall.model import Notification
from operations.oncall.telemetry import COLLAPSED, FLOODS, IN_FLOOD
from operations.store.outbox import OutboxRows, Planned
from schemas.alerts import Severity

__all__ = ["Consoles"]

_LOG = structlog.get_logger(__name__)


class Consoles:
    """Loads by console, begun anew from what the store knows of the last ten minutes."""

    def __init__(self, limits: FloodLimits, store: OutboxRows, now_ms: int) -> None:
        self._limits = limits
        self._loads: dict[str, Load] = {}
        floods = store.floods()
        # When a flood ended while nobody looked is told by what came in it.
        since_ms = min([now_ms, *(flood.start_ms for flood in floods)]) - limits.window_ms
        for console, at_ms in store.load(since_ms):
            self._load(console).recent.append(at_ms)
        for flood in floods:
            self._load(flood.console).flood = flood
        self._gauge()

    def flood(self, console: str) -> Flood | None:
        """The flood a console is in."""
        load = self._loads.get(console)
        return load.flood if load else None

    def place(
        self, notes: Iterable[Notification], severities: Mapping[str, Severity], now_ms: int
    ) -> tuple[list[Planned], list[Flood]]:
        """How each new notification is told, and the floods that changed. `severities`: by alert id.

        Life safety is always told by itself; so is everything while its console is not in flood.
        """
        changed: dict[tuple[str, int], Flood] = {}
        planned = []
        for load in self._loads.values():
            self._note(changed, load.passed(now_ms))
        for note in notes:
            load = self._load(note.person)
            if not note.again:
                self._count(changed, load, now_ms)
            urgent = severities[note.alert_id] == "life_safety"
            planned.append(Planned(note, urgent, collapsed=load.flood is not None and not urgent))
        COLLAPSED.inc(sum(each.collapsed for each in planned))
        self._gauge()
        return planned, list(changed.values())

    def _count(self, changed: dict[tuple[str, int], Flood], load: Load, now_ms: int) -> None:
        before = load.flood
        ended = load.annunciated(now_ms)
        self._note(changed, ended)
        self._note(changed, load.flood)
        if load.flood is not None and (before is None or ended is not None):
            FLOODS.inc()
            _LOG.warning("flood began", console=load.console, count=load.flood.count)

    def _note(self, changed: dict[tuple[str, int], Flood], flood: Flood | None) -> None:
        if flood is None:
            return
        changed[flood.console, flood.start_ms] = flood
        if flood.end_ms:
            duration_s = (flood.end_ms - flood.start_ms) // 1000
            facts = {"count": flood.count, "peak": flood.peak, "duration_s": duration_s}
            _LOG.info("flood ended", console=flood.console, **facts)

    def _load(self, console: str) -> Load:
        if console not in self._loads:
            self._loads[console] = Load(console, self._limits, deque())
        return self._loads[console]

    def _gauge(self) -> None:
        IN_FLOOD.set(sum(load.flood is not None for load in self._loads.values()))
