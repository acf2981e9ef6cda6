"""Looks at the store, and makes anew every frame that somebody watches.

A look takes a second, and less while a window is due; what has just come is shown before the past is read.

It writes nothing and holds nothing that is not read again at the next start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from operations.influxql import UnavailableError
from operations.oncall.clock import now_ms as wall_ms
from operations.outgoing.geography import Geography
from operations.pages.live.board import Board
from operations.pages.live.keys import Key, checked_key
from operations.pages.reading.reader import Reader
from operations.pages.reading.situation import Situation
from operations.pages.telemetry import LOOK_SECONDS
from operations.pages.views.cells import Cells
from operations.pages.views.freshness import Pace
from operations.pages.views.map import colours
from operations.pages.views.places import DeviceRow, place_page
from operations.pages.views.wall import domain_page, wall
from schemas.alerts import Alert
from schemas.kinds import DOMAINS
from schemas.places.model import Place
from schemas.places.registry import PlaceRegistry

__all__ = ["Known", "Watch"]

_LOG = structlog.get_logger(__name__)
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True)
class Known:
    """What is known beside the store: `alerts` are None until all are read; `devices` of a grid."""

    places: PlaceRegistry
    geography: Geography
    alerts: Callable[[], tuple[Alert, ...] | None]
    devices: Callable[[str], Sequence[DeviceRow]]


class Watch:
    """Run in a thread of its own; `wake` makes it look at once. What it knows may be read from any thread."""

    def __init__(self, board: Board, reader: Reader, known: Known, pace: Pace) -> None:
        self._board, self._reader, self._known, self._pace = board, reader, known, pace
        self._district = known.places.at("district")[0]
        self._woken = threading.Event()
        self._made_of: tuple[int, tuple[Key, ...], int] | None = None
        self._held: Situation | None = None  # while it lives, no other has its id
        self._read = reader.situation
        self.situation = self._read
        self.answered_ms = 0
        """When the store last answered."""
        self.unavailable = "not asked yet"
        """Why it does not; empty while it does."""

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    def run(self, stopping: threading.Event) -> None:
        """Look and publish until told to stop."""
        while not stopping.is_set():
            self._woken.clear()
            with LOOK_SECONDS.time():
                self.look(wall_ms())
            self._woken.wait(self.look_in_s(wall_ms()))

    def look_in_s(self, now_ms: int) -> float:
        """How long to wait with the next look, unless somebody wakes this."""
        ends = (self.situation.end_ms(domain) for domain in DOMAINS)
        return self._pace.look_in_s((end for end in ends if end is not None), now_ms)

    def look(self, now_ms: int) -> None:
        """One look: what is new is read, then every watched frame made anew."""
        keys = [checked_key(text, self._known.places) for text in sorted(self._board.watched)]
        places = {self._district.code, *(key.code for key in keys if key.code)}
        try:
            # The first frames wait for all that belongs to them.
            if self._reader.read_newest(now_ms) and self._made_of is not None:
                self._show(keys, now_ms)
            self._reader.read_past(places, now_ms)
            self._trends(keys, now_ms)
            self.answered_ms, self.unavailable = wall_ms(), ""
        except UnavailableError as error:
            if not self.unavailable:
                _LOG.warning("the store does not answer", why=str(error))
            self.unavailable = str(error)
        self._show(keys, now_ms)
        if self._board.forget():
            self._made_of = None  # who looks again before the next look shall find it

    def _show(self, keys: Sequence[Key], now_ms: int) -> None:
        self._take(self._reader.situation, self._known.alerts())
        self._publish(keys, now_ms)

    def _take(self, read: Situation, alerts: tuple[Alert, ...] | None) -> None:
        """Another situation only where one of both is another."""
        if read is not self._read or alerts is not self.situation.alerts:
            self.situation, self._read = replace(read, alerts=alerts), read

    def cells(self) -> Cells:
        """The figures of the situation as it is."""
        return Cells(self.situation, self._known.geography, self._known.places)

    def _trends(self, keys: Iterable[Key], now_ms: int) -> None:
        watched = [key for key in keys if key.kind == "trend"]
        self._reader.keep(key.code for key in watched)
        for key in watched:
            self._board.put(key.text, self._reader.trend(self._place(key.code), now_ms))

    def _publish(self, keys: Sequence[Key], now_ms: int) -> None:
        """Make all frames anew if what they are made of is another: the situation, who looks, the minute."""
        made_of = id(self.situation), tuple(keys), now_ms // _MINUTE_MS
        if made_of == self._made_of:
            return
        self._made_of, self._held = made_of, self.situation
        cells = self.cells()
        for key in keys:
            if key.kind == "district":
                self._board.put(key.text, wall(cells, self._district, now_ms))
            elif key.kind == "domain":
                self._board.put(key.text, domain_page(cells, self._district, key.domain, now_ms))
            elif key.kind == "map":
                self._board.put(key.text, colours(cells, key.level, key.metric))
            elif key.kind == "place":
                place = self._place(key.code)
                devices = self._known.devices(key.code) if place.level == "grid" else None
                self._board.put(key.text, place_page(cells, place, devices, now_ms))

    def _place(self, code: str) -> Place:
        place = self._known.places.place(code)
        assert place is not None, code  # noqa: S101 - the key was checked
        return place
