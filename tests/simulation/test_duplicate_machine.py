"""The fold's memory of duplicates against a set in a dict, over repeats, ticks, stops and restarts."""

from __future__ import annotations

import msgspec
import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.fold import fold
from pipelines.kernels.state import ACCOUNTS, FoldSettings, ShardState
from pipelines.kernels.state_codec import state_from_bytes, state_to_bytes

T0 = 1_795_392_000_000
FOLD = FoldSettings(window_s=(10, 60), delay_ms=5_000, lateness_ms=120_000, skew_max_ms=10_000)


class DuplicateMachine(RuleBasedStateMachine):
    """The model: every identity ever stored. Beyond lateness a reading is late, known or not."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.now_ms, self.mark_ms = ShardState("security"), T0, T0 - FOLD.delay_ms
        self.sent: list[tuple[int, int, int]] = []
        self.model: dict[str, set[tuple[int, int, int]]] = {"stored": set()}
        self.counts = dict.fromkeys(("stored", "duplicate", "late", "quarantined"), 0)

    def take(self, *readings: tuple[int, int, int] | None) -> None:
        """Append and fold them as one batch; None is a tick."""
        first = self.state.next_offset
        offsets = np.arange(first, first + len(readings))
        times = np.full(len(readings), self.now_ms, np.int64)
        values = [None if each is None else encoded(*each) for each in readings]
        self.mark_ms = max(self.mark_ms, self.now_ms - FOLD.delay_ms)
        fold(
            FOLD,
            self.state,
            ShardBatch("readings.security/0", first, int(offsets[-1]) + 1, offsets, times, values),
        )
        for each in readings:
            if each is not None:
                self.counts[self.becomes(each)] += 1

    def becomes(self, reading: tuple[int, int, int]) -> str:
        """What the model says of it; it is known from then on."""
        if reading[1] > self.now_ms + FOLD.skew_max_ms:
            return "quarantined"
        if reading[1] < self.mark_ms - FOLD.lateness_ms:
            return "late"
        if reading in self.model["stored"]:
            return "duplicate"
        self.model["stored"].add(reading)
        return "stored"

    @rule(
        device=st.integers(0, 2),
        age_ms=st.sampled_from([-11_000, -9_000, 0, 1, 900, 30_000, 119_000, 124_999, 125_001, 400_000]),
        seq=st.integers(0, 1),
        times=st.integers(1, 3),
    )
    def a_device_says_something(self, device: int, age_ms: int, seq: int, times: int) -> None:
        reading = (device, self.now_ms - age_ms, seq)
        self.sent.append(reading)
        self.take(*[reading] * times)

    @rule(data=st.data())
    def some_are_sent_again(self, data: st.DataObject) -> None:
        if self.sent:
            self.take(*data.draw(st.lists(st.sampled_from(self.sent), min_size=1, max_size=5)))

    @rule(ms=st.sampled_from([1, 900, 10_000, 61_000, 200_000]))
    def time_passes(self, ms: int) -> None:
        self.now_ms += ms
        self.take(None)

    @rule()
    def the_process_dies(self) -> None:
        self.state = state_from_bytes(FOLD, state_to_bytes(FOLD, self.state))

    @invariant()
    def the_accounts_are_the_models(self) -> None:
        counted = dict(zip(ACCOUNTS, self.state.accounts.sum(axis=1).tolist(), strict=True))
        assert {name: counted[name] for name in self.counts} == self.counts


def encoded(device: int, observed_ms: int, seq: int) -> bytes:
    reading = {
        "kind": "security.access", "metric": "granted", "value": 1, "device": f"d{device}", "grid": "g1",
        "source": "mqtt.x", "observed_at_ms": observed_ms, "seq": seq,
    }  # fmt: skip
    return msgspec.json.encode(reading)


DuplicateMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestDuplicates = DuplicateMachine.TestCase
