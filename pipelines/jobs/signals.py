"""Job `signals`: what must reach a person now, from the topic `signals` to an alert, without windows.

One upsert of `alerts` (compacted, key = the alert's id) a change, confirmed before the checkpoint. Killed
between the two, the shard folds the same records again and writes the same alerts under the same keys.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import msgspec

from pipelines.io.sink import KafkaSink, Record
from pipelines.jobs.line import LineRuntime, LineSettings
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.signals.codec import signals_from_bytes, signals_to_bytes
from pipelines.kernels.signals.fold import SignalsState, fold_signals
from pipelines.telemetry import ALERTS_ACTIVE, ALERTS_WRITTEN, SIGNAL_TO_ALERT_SECONDS, LineTelemetry
from schemas.topics import ALERTS, QUARANTINE

__all__ = ["SignalsFactory", "SignalsJob"]

_ENCODE = msgspec.json.Encoder().encode
_RECENT_S = 120.0
"""Older signals are a log caught up: they say nothing about latency."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Records to send, and when the log took the signal behind each alert (ms)."""

    records: list[Record] = field(default_factory=list)
    appended_ms: list[int] = field(default_factory=list)


class SignalsJob:
    """The fold of signals, as a `ShardJob`."""

    name = "signals"

    def __init__(self, sink: KafkaSink) -> None:
        self._sink = sink

    def initial(self, shard: str) -> SignalsState:  # noqa: ARG002 - every shard begins alike
        """An empty state."""
        return SignalsState()

    def next_offset(self, state: SignalsState) -> int:
        """Where the state goes on."""
        return state.next_offset

    def start_at(self, state: SignalsState, offset: int) -> None:
        """Begin at the log's oldest offset."""
        state.next_offset = offset

    def fold(self, state: SignalsState, batch: ShardBatch) -> Outputs:
        """The alerts that change, and what is no signal."""
        folded = fold_signals(state, batch)
        alerts = [Record(ALERTS, a.id.encode(), _ENCODE(a), partition=0) for _, a in folded.alerts]
        refused = [
            Record(QUARANTINE, q.address.encode(), q.payload, tuple(q.headers())) for q in folded.quarantined
        ]
        return Outputs(alerts + refused, [append_ms for append_ms, _ in folded.alerts])

    def write(self, outputs: Outputs) -> None:
        """Send and wait for the broker's confirmation of every record."""
        if not outputs.records:
            return
        self._sink.send(outputs.records)
        ALERTS_WRITTEN.inc(len(outputs.appended_ms))
        now_s = time.time()
        for append_ms in outputs.appended_ms:
            if now_s - append_ms / 1000 < _RECENT_S:
                SIGNAL_TO_ALERT_SECONDS.observe(now_s - append_ms / 1000)

    def to_bytes(self, state: SignalsState) -> bytes:
        """The state, zstd-compressed."""
        return signals_to_bytes(state)

    def from_bytes(self, data: bytes) -> SignalsState:
        """The state of a checkpoint."""
        return signals_from_bytes(data)

    def report(self, shard: str, state: SignalsState, telemetry: LineTelemetry) -> None:  # noqa: ARG002
        """How many alerts of the shard are active."""
        ALERTS_ACTIVE.labels(shard).set(sum(held.alert.active for held in state.watched.values()))


@dataclass(frozen=True, slots=True)
class SignalsFactory:
    """Makes the runtime of `signals`; equal ones are one, so a process has one runtime."""

    line: LineSettings

    def __call__(self) -> LineRuntime[SignalsState, Outputs]:
        """Connect; nothing is read before `start`."""
        sink = KafkaSink(self.line.bootstrap)
        return LineRuntime(self.line, SignalsJob(sink), sink)
