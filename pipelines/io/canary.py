"""The canary: proof that what InfluxDB acknowledged is there, before anything more is written.

After a full disk or a restart InfluxDB may answer 204 and keep nothing, come up empty, or hold an old
backup. So the last point of every batch in every bucket is a mark, the offset up to which the log has been
written; and before the next batch it is read back in each, for each can be lost by itself. Points and their
mark are one request: what loses the points loses the mark. A store whose mark is behind where the job stands
has lost something: the job stops there, and its next start rebuilds the store from the log's oldest record;
so it does after it was down for longer than a policy keeps.

One point an hour, overwritten: a day of marks is 24 points of one series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import httpx
import structlog

from pipelines.io.influxdb import InfluxDb, RefusedPoint
from pipelines.telemetry import CANARY_FAILURES
from schemas.errors import TaishiError

__all__ = ["MEASUREMENT", "Canary", "StoreLostData"]

MEASUREMENT = "taishi_canary"
_HOUR_MS = 3_600_000

_LOG = structlog.get_logger(__name__)


class StoreLostData(TaishiError):  # noqa: N818 - names what happened to the store
    """InfluxDB acknowledged points and does not have them: the store must be rebuilt from the log."""


class Canary:
    """The marks of one job's one shard in every bucket of a store."""

    def __init__(self, store: InfluxDb, job: str, shard: str) -> None:
        self._store, self._job, self._shard = store, job, shard

    def write(
        self, next_offset: int, now_ms: int, lines: Mapping[str, Sequence[str]] | None = None
    ) -> list[RefusedPoint]:
        """Write `lines` (by bucket), the last before `next_offset`, and behind them in every bucket the mark.

        Returns the points that InfluxDB refuses; blocks until it has the others. Killed between two buckets,
        the older mark counts, and so does the checkpoint before it.
        """
        hour_ms, lines = now_ms // _HOUR_MS * _HOUR_MS, lines or {}
        mark = f"{MEASUREMENT},job={self._job},shard={self._shard} mark={next_offset}i {hour_ms}"
        refused: list[RefusedPoint] = []
        for bucket in self._store.settings.buckets:
            refused += self._store.write([*lines.get(bucket, ()), mark], bucket)
        return refused

    def newest(self) -> int | None:
        """The mark that every bucket holds, None if one holds none; httpx.HTTPError if it cannot be asked."""
        marks = [self._newest_in(bucket) for bucket in self._store.settings.buckets]
        known = [mark for mark in marks if mark is not None]
        return min(known) if len(known) == len(marks) else None

    def _newest_in(self, bucket: str) -> int | None:
        database, _, policy = bucket.partition("/")
        rows = self._store.query(
            f'SELECT "mark" FROM "{policy}"."{MEASUREMENT}" '  # noqa: S608 - our own names
            f"WHERE \"job\" = '{self._job}' AND \"shard\" = '{self._shard}' ORDER BY time DESC LIMIT 1",
            database,
        )
        return int(str(rows[0]["mark"])) if rows else None

    def check(self, offset: int) -> None:
        """StoreLostData if the store does not hold everything before `offset`.

        Blocks while InfluxDB cannot be asked: it could not be written to either.
        """
        mark = self._store.patiently(self.newest)
        if mark is None or mark < offset:
            CANARY_FAILURES.inc()
            raise StoreLostData(
                f"canary of {self._job}/{self._shard}: InfluxDB acknowledged everything before offset "
                f"{offset} but holds mark {mark}: points are lost; the next start rebuilds them from the log"
            )

    def lost_before(self, offset: int) -> bool:
        """Whether the store, if it can be asked now, lacks something before `offset`."""
        try:
            mark = self.newest()
        except httpx.HTTPError as error:
            _LOG.warning("influxdb not reachable at start; writes will wait for it", why=str(error))
            return False
        lost = mark is None or mark < offset
        CANARY_FAILURES.inc(lost)
        return lost
