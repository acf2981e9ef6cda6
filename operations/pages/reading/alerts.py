"""The alerts that are open, from the topic `alerts`: the pipeline's own word, with or without a desk."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import msgspec

from schemas.alerts import Alert

__all__ = ["OpenAlerts"]

_DECODE: Final = msgspec.json.Decoder(Alert).decode


class OpenAlerts:
    """Holds what is active or latched whole, of the others only which version was the last.

    `take` is called by the thread that reads the topic, `all` by others; `changed` is called after a change.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._open: dict[str, Alert] = {}
        self._revisions: dict[str, int] = {}
        self._lock = threading.Lock()
        self._all: tuple[Alert, ...] | None = ()
        self._changed = changed

    def take(self, value: bytes) -> None:
        """A record of the topic; of two versions the higher revision counts, whatever their order."""
        alert = _DECODE(value)
        with self._lock:
            if self._revisions.get(alert.id, -1) > alert.revision:
                return
            self._revisions[alert.id] = alert.revision
            if alert.active or alert.latched:
                self._open[alert.id] = alert
            else:
                self._open.pop(alert.id, None)
            self._all = None
        self._changed()

    def all(self) -> tuple[Alert, ...]:
        """Every open alert; the same object until one changes."""
        with self._lock:
            if self._all is None:
                self._all = tuple(self._open.values())
            return self._all
