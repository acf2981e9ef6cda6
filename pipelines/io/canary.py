"""The canary: proof that what InfluxDB acknowledged can be read back.

After a full disk or a restart InfluxDB may answer 204 and keep nothing, or come up empty. So every
few seconds a small point is written behind a batch and read back; and a job that has a checkpoint
but finds no canary at its start knows that the store was emptied, and rebuilds it from the log.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import structlog

from pipelines.io.influxdb import InfluxDb
from pipelines.telemetry import CANARY_FAILURES
from schemas.errors import TaishiError

__all__ = ["MEASUREMENT", "Canary", "StoreLostData"]

MEASUREMENT = "taishi_canary"

_LOG = structlog.get_logger(__name__)


class StoreLostData(TaishiError):  # noqa: N818 - names what happened to the store
    """InfluxDB acknowledged points and does not have them: the store must be rebuilt from the log."""


class Canary:
    """Writes and reads back at most every `interval_s`. `clock_s` is monotonic."""

    def __init__(
        self,
        store: InfluxDb,
        job: str,
        interval_s: float = 10.0,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._job, self._interval_s, self._clock_s = store, job, interval_s, clock_s
        self._due_s = 0.0

    def check_if_due(self, mark: int, now_ms: int) -> None:
        """Write `mark` and read it back; StoreLostData if it is not there.

        A read that cannot be made (InfluxDB just went down) proves nothing and is tried again next time.
        """
        if self._clock_s() < self._due_s:
            return
        self._store.write([f"{MEASUREMENT},job={self._job} mark={mark}i {now_ms}"])
        try:
            found = self.newest_mark(now_ms)
        except httpx.HTTPError as error:
            _LOG.warning("canary not read", why=str(error))
            return
        self._due_s = self._clock_s() + self._interval_s
        if found != mark:
            CANARY_FAILURES.inc()
            raise StoreLostData(f"canary of {self._job}: wrote mark {mark}, read back {found}")

    def newest_mark(self, at_ms: int | None = None) -> int | None:
        """The mark at a time, or the newest; None if there is none."""
        where = f"AND time = {at_ms}ms" if at_ms is not None else ""
        rows = self._store.query(
            f"SELECT mark FROM {MEASUREMENT} WHERE job = '{self._job}' {where} ORDER BY time DESC LIMIT 1"  # noqa: S608 - our own names
        )
        return int(str(rows[0]["mark"])) if rows else None
