"""What an engine has written so far, read as it comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer, TopicPartition

from benchmarks.peers.reference import Figures, Key
from benchmarks.peers.topics import OUT
from schemas.errors import TaishiError

__all__ = ["EngineRows", "LimitRows", "ProductRows", "Rows"]

_PRODUCT: Final = ("readings", "devices", "occupied")
_ENGINE: Final = ("readings", "occupied", "mean", "least")


class Rows:
    """Rows of the windows `wanted`: `figures` holds the last of each, `doubled` counts repetitions."""

    def __init__(self, bootstrap: str, wanted: Mapping[Key, Figures]) -> None:
        self._consumer = Consumer({
            "bootstrap.servers": bootstrap,
            "group.id": "peers-rows",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 20,
        })  # fmt: skip
        self._consumer.assign([TopicPartition(OUT, 0, 0)])
        self._wanted = wanted
        starts = [start_ms for _, start_ms in wanted]
        self._span = min(starts, default=0), max(starts, default=0)
        self._missing = set(wanted)
        self.figures: dict[Key, Figures] = {}
        self.doubled = 0
        self.last_s = 0.0
        self.count = 0

    def read(self, timeout_s: float) -> int:
        """Take what comes within the time; how many rows that were."""
        messages = self._consumer.consume(10_000, timeout_s)
        for message in messages:
            value = message.value()
            if message.error() is None and value:
                self._take(msgspec.json.decode(value), message.timestamp()[1] / 1000)
        self.count += len(messages)
        return len(messages)

    @property
    def done(self) -> bool:
        """Whether every window that is wanted is there."""
        return not self._missing

    def close(self) -> None:
        """Read no more."""
        self._consumer.close()

    def _take(self, row: dict[str, Any], at_s: float) -> None:
        raise NotImplementedError

    def _keep(self, key: Key, figures: Figures, at_s: float) -> None:
        if self._span[0] <= key[1] <= self._span[1]:
            self.figures[key] = figures
            self._missing.discard(key)
            self.last_s = at_s


class EngineRows(Rows):
    """One row a window."""

    def _take(self, row: dict[str, Any], at_s: float) -> None:
        key = row["grid"], row["start_ms"]
        self.doubled += key in self.figures
        self._keep(key, tuple(float(row[name]) for name in _ENGINE), at_s)


class ProductRows(Rows):
    """Windows of the product: upserts, of which a higher revision replaces a lower one."""

    def __init__(self, bootstrap: str, wanted: Mapping[Key, Figures]) -> None:
        super().__init__(bootstrap, wanted)
        self._revisions: dict[Key, int] = {}

    def _take(self, row: dict[str, Any], at_s: float) -> None:
        if row["type"] != "window" or row["window_s"] != 10:
            return
        key = row["grid"], row["start_ms"]
        figures = tuple(float(row["metrics"][name]) for name in _PRODUCT)
        if not figures[0] and key not in self._wanted:
            return  # nothing happened there, which only the product says
        if row["revision"] <= self._revisions.get(key, -1):
            self.doubled += 1
            return
        self._revisions[key] = row["revision"]
        self._keep(key, figures, at_s)


class LimitRows(Rows):
    """A limit writes how many records it has seen."""

    def __init__(self, bootstrap: str, records: int) -> None:
        super().__init__(bootstrap, {})
        self._records, self._seen = records, 0

    def _take(self, row: dict[str, Any], at_s: float) -> None:
        self._seen, self.last_s = row["records"], at_s

    @property
    def done(self) -> bool:
        """Whether it has seen all."""
        if self._seen > self._records:
            raise TaishiError(f"records: received {self._seen}, allowed: at most {self._records}")
        return self._seen == self._records
