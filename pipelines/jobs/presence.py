"""Job `presence`: who is heard of, and who no longer; from `readings.<domain>` to the topic `presence`.

One shard a partition, as in `aggregate`. Records are sent and confirmed before the checkpoint; killed between
the two, a shard says the same again, and who reads it knows it by device and time.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from pipelines.io.sink import KafkaSink, Record
from pipelines.jobs.line import LineRuntime, LineSettings
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.presence.codec import presence_from_bytes, presence_to_bytes
from pipelines.kernels.presence.fold import PresenceSettings, PresenceState, fold_presence
from pipelines.telemetry import DEVICES_KNOWN, DEVICES_SILENT, LineTelemetry
from schemas.presence import PresenceRecord
from schemas.topics import PRESENCE

__all__ = ["PresenceFactory", "PresenceJob"]

_ENCODE = msgspec.json.Encoder().encode


class PresenceJob:
    """The fold of presence, as a `ShardJob`."""

    name = "presence"

    def __init__(self, settings: PresenceSettings, district: str, sink: KafkaSink) -> None:
        self._settings, self._key, self._sink = settings, district.encode(), sink

    def initial(self, shard: str) -> PresenceState:  # noqa: ARG002 - every shard begins alike
        """An empty state."""
        return PresenceState()

    def next_offset(self, state: PresenceState) -> int:
        """Where the state goes on."""
        return state.next_offset

    def start_at(self, state: PresenceState, offset: int) -> None:
        """Begin at the log's oldest offset."""
        state.next_offset = offset

    def fold(self, state: PresenceState, batch: ShardBatch) -> list[PresenceRecord]:
        """Who fell silent, who is back, who is still, and the pulses."""
        return fold_presence(self._settings, state, batch)

    def write(self, outputs: list[PresenceRecord]) -> None:
        """Send and wait for the broker's confirmation of every record."""
        if outputs:
            self._sink.send([Record(PRESENCE, self._key, _ENCODE(each), partition=0) for each in outputs])

    def to_bytes(self, state: PresenceState) -> bytes:
        """The state, zstd-compressed."""
        return presence_to_bytes(state)

    def from_bytes(self, data: bytes) -> PresenceState:
        """The state of a checkpoint."""
        return presence_from_bytes(data)

    def report(self, shard: str, state: PresenceState, telemetry: LineTelemetry) -> None:  # noqa: ARG002
        """How many devices the shard knows, and how many of them are silent."""
        DEVICES_KNOWN.labels(shard).set(len(state.devices.facts))
        DEVICES_SILENT.labels(shard).set(int(state.devices.silent.sum()))


@dataclass(frozen=True, slots=True)
class PresenceFactory:
    """Makes the runtime of `presence`; equal ones are one, so a process has one runtime.

    `intervals_s`: (device, how often it reports), where the registry says so.
    """

    line: LineSettings
    district: str
    delay_ms: int = 5_000
    intervals_s: tuple[tuple[str, int], ...] = ()

    def __call__(self) -> LineRuntime[PresenceState, list[PresenceRecord]]:
        """Connect; nothing is read before `start`."""
        sink = KafkaSink(self.line.bootstrap)
        settings = PresenceSettings(dict(self.intervals_s), self.delay_ms)
        return LineRuntime(self.line, PresenceJob(settings, self.district, sink), sink)
