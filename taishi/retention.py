"""Retention of the desk's database: each day while the desk is served, and by `taishi retention`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from operations.people.audit import Said
from operations.people.keep import older_than_ms
from operations.store.expiry import ExpiryRows

__all__ = ["Retention"]

_LOG = structlog.get_logger(__name__)
_EVERY_S: Final = 24 * 3600
_AGAIN_S: Final = 600


class Retention:
    """Takes out what is over-age at the start and each day from then on."""

    def __init__(self, url: str, kept: Mapping[str, float], clock: Callable[[], int]) -> None:
        self._url, self._kept, self._clock = url, kept, clock

    def run(self, stopping: threading.Event) -> None:
        """Until told to stop."""
        while not stopping.is_set():
            wait_s = _EVERY_S
            try:
                self.look()
            except SQLAlchemyError as error:  # the desk goes on: who calls for help is told all the same
                _LOG.warning("nothing leaves while the database takes nothing", why=type(error).__name__)
                wait_s = _AGAIN_S
            stopping.wait(wait_s)

    def look(self) -> dict[str, int]:
        """Once; how many rows of each table left."""
        now_ms, store = self._clock(), ExpiryRows(self._url)
        try:
            said = Said(at_ms=now_ms, who="retention", terminal="", what="retention.expire")
            gone = store.expire(older_than_ms(self._kept, now_ms), said)
        finally:
            store.close()
        _LOG.info("retention", **gone)
        return gone
