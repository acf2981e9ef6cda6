"""Job `watch`: alerts from rules, detectors, silence and storms.

Three topics of one partition each, every one a shard with a state of its own: `windows` (rules and detectors
on each closed minute), `presence` (devices, feeds, people), `alerts` (storms, of this job's own alerts and of
those of `signals`). One upsert of `alerts` a change, confirmed before the checkpoint; killed between the two,
the same records are folded again and the same alerts written under the same keys and revisions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from pipelines.io.rule_file import SHIPPED_RULES, RuleFile
from pipelines.io.shards import shard_parts
from pipelines.io.sink import KafkaSink, Record
from pipelines.jobs.line import LineRuntime, LineSettings
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.detect.district import coverage
from pipelines.kernels.rules.model import RuleSet
from pipelines.kernels.watch.codec import SILENCE, STORMS
from pipelines.kernels.watch.silence import SilenceState, fold_silence
from pipelines.kernels.watch.situations import SituationsSettings, SituationsState, fold_situations
from pipelines.kernels.watch.situations_codec import situations_from_bytes, situations_to_bytes
from pipelines.kernels.watch.storms import StormState, fold_storms
from pipelines.telemetry import ALERTS_ACTIVE, ALERTS_WRITTEN, SERIES, LineTelemetry
from schemas.alerts import Alert
from schemas.topics import ALERTS, PRESENCE, WINDOWS

__all__ = ["TOPICS", "WatchFactory", "WatchJob"]

TOPICS = (WINDOWS, PRESENCE, ALERTS)
_ENCODE = msgspec.json.Encoder().encode

WatchState = SituationsState | SilenceState | StormState


class WatchJob:
    """The three folds, as one `ShardJob`: the shard's topic says which. `rules` gives those in force."""

    name = "watch"

    def __init__(
        self, settings: SituationsSettings, district: str, rules: Callable[[], RuleSet], sink: KafkaSink
    ) -> None:
        self._settings, self._district, self._rules, self._sink = settings, district, rules, sink

    def initial(self, shard: str) -> WatchState:
        """An empty state of the shard's topic."""
        topic, _ = shard_parts(shard)
        if topic == WINDOWS:
            return SituationsState()
        return SilenceState(self._district) if topic == PRESENCE else StormState()

    def next_offset(self, state: WatchState) -> int:
        """Where the state goes on."""
        return state.rollup.next_offset if isinstance(state, SituationsState) else state.next_offset

    def start_at(self, state: WatchState, offset: int) -> None:
        """Begin at the log's oldest offset."""
        if isinstance(state, SituationsState):
            state.rollup.next_offset = offset
        else:
            state.next_offset = offset

    def fold(self, state: WatchState, batch: ShardBatch) -> list[Alert]:
        """The alerts that change."""
        if isinstance(state, SituationsState):
            return fold_situations(self._settings, self._rules(), state, batch)
        return fold_silence(state, batch) if isinstance(state, SilenceState) else fold_storms(state, batch)

    def write(self, outputs: list[Alert]) -> None:
        """Send and wait for the broker's confirmation of every record."""
        if outputs:
            self._sink.send([Record(ALERTS, a.id.encode(), _ENCODE(a), partition=0) for a in outputs])
            ALERTS_WRITTEN.inc(len(outputs))

    def to_bytes(self, state: WatchState) -> bytes:
        """The state, its topic first."""
        if isinstance(state, SituationsState):
            return WINDOWS.encode() + b"\0" + situations_to_bytes(state)
        if isinstance(state, SilenceState):
            return PRESENCE.encode() + b"\0" + SILENCE.to_bytes(state)
        return ALERTS.encode() + b"\0" + STORMS.to_bytes(state)

    def from_bytes(self, data: bytes) -> WatchState:
        """The state of a checkpoint."""
        topic, _, body = data.partition(b"\0")
        if topic == WINDOWS.encode():
            return situations_from_bytes(body)
        return SILENCE.from_bytes(body) if topic == PRESENCE.encode() else STORMS.from_bytes(body)

    def report(self, shard: str, state: WatchState, telemetry: LineTelemetry) -> None:  # noqa: ARG002
        """How many alerts are active, and how many series are judged and how many cannot be yet."""
        if isinstance(state, SituationsState):
            ALERTS_ACTIVE.labels(shard).set(len(state.open))
            for (domain, level), (judged, known) in coverage(state.detectors).items():
                SERIES.labels(domain, level, "judged").set(judged)
                SERIES.labels(domain, level, "known").set(known)
        elif isinstance(state, SilenceState):
            feeds = sum(feed.alert is not None for feed in state.feeds.values())
            ALERTS_ACTIVE.labels(shard).set(len(state.open) + feeds)
        else:
            ALERTS_ACTIVE.labels(shard).set(sum(len(held.parents) for held in state.causes.values()))


@dataclass(frozen=True, slots=True)
class WatchFactory:
    """Makes the runtime of `watch`; equal ones are one, so a process has one runtime.

    `rules_file` "" takes the set that comes with Taishi.
    """

    line: LineSettings
    district: str
    rules_file: str = ""
    settings: SituationsSettings = field(default_factory=SituationsSettings)

    def __call__(self) -> LineRuntime[WatchState, list[Alert]]:
        """Read the rules and connect; SettingsError if the rules cannot be."""
        file = RuleFile(Path(self.rules_file) if self.rules_file else SHIPPED_RULES, time.monotonic())
        sink = KafkaSink(self.line.bootstrap)

        def rules() -> RuleSet:
            return file.current(time.monotonic())

        return LineRuntime(self.line, WatchJob(self.settings, self.district, rules, sink), sink)
