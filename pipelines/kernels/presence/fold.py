"""The fold of presence: one shard's batch of readings into who is silent, who is still, and a pulse.

The shard's clock is the running maximum of its append times. Every ten seconds of it, record by record, the
devices are looked at; every minute of event time that has passed (clock less `delay_ms`), the people.
A log that stood still (no record, not even a tick) has made nobody silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from pipelines.kernels.batch import Int64s, ShardBatch
from pipelines.kernels.decode import HotReading, decode_readings
from pipelines.kernels.presence.devices import DeviceTable
from pipelines.kernels.presence.habits import Habits, Person
from schemas.presence import PresenceRecord, Pulse, Silence, Stillness

__all__ = ["PULSE_MS", "PresenceSettings", "PresenceState", "fold_presence"]

PULSE_MS: Final = 10_000
_MINUTE_MS: Final = 60_000
_STANDSTILL_MS: Final = 30_000
_MOVES: Final = "care.activity"


@dataclass(frozen=True, slots=True)
class PresenceSettings:
    """`intervals_s`: device -> how often it reports, where the registry says so."""

    intervals_s: Mapping[str, int] = field(default_factory=dict)
    delay_ms: int = 5_000


@dataclass(slots=True)
class PresenceState:
    """Everything a shard remembers.

    `clock_ms` 0: nothing was read yet; `heard`, `simulated`: readings by source since the last pulse;
    `minute`: the oldest minute of event time that is open; `moved`: per open minute, person -> sensor.
    """

    next_offset: int = 0
    clock_ms: int = 0
    minute: int = 0
    devices: DeviceTable = field(default_factory=DeviceTable)
    habits: Habits = field(default_factory=Habits)
    moved: dict[int, dict[int, int]] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)
    simulated: dict[str, int] = field(default_factory=dict)


def fold_presence(
    settings: PresenceSettings, state: PresenceState, batch: ShardBatch
) -> list[PresenceRecord]:
    """Take a batch into the state (in place). ValueError if it does not begin where the state stands."""
    if batch.first_offset != state.next_offset:
        raise ValueError(f"{batch.shard}: received offset {batch.first_offset}, expected {state.next_offset}")
    fold = _BatchFold(settings, state, batch)
    fold.run()
    state.next_offset = batch.next_offset
    return fold.output


class _BatchFold:
    def __init__(self, settings: PresenceSettings, state: PresenceState, batch: ShardBatch) -> None:
        self.settings, self.state, self.batch = settings, state, batch
        self.output: list[PresenceRecord] = []

    def run(self) -> None:
        decoded = decode_readings(self.batch.values)
        clock = np.maximum(np.maximum.accumulate(self.batch.append_times_ms), self.state.clock_ms)
        index = np.array(decoded.indices, np.int64)
        for start, stop, crossing in self._segments(clock, index):
            if crossing is not None:
                before_ms = clock[crossing - 1] if crossing else self.state.clock_ms
                self._advance(int(before_ms), int(clock[crossing]))
            if stop > start:
                self._hear(decoded.readings[start:stop], clock[index[start:stop]])
        if clock.size:
            self.state.clock_ms = int(clock[-1])

    def _segments(self, clock: Int64s, index: Int64s) -> Iterator[tuple[int, int, int | None]]:
        """Cut the readings where the clock crosses a pulse: (start, stop, crossing record or None)."""
        first = self.state.clock_ms // PULSE_MS
        crossings = np.flatnonzero(np.diff(clock // PULSE_MS, prepend=first) > 0).tolist()
        cuts = [0, *np.searchsorted(index, crossings).tolist(), index.size]
        yield from zip(cuts[:-1], cuts[1:], [None, *crossings], strict=True)

    def _advance(self, before_ms: int, now_ms: int) -> None:
        """The clock passes into another ten seconds: who fell silent, who is still, and the pulse."""
        state, at_ms = self.state, now_ms // PULSE_MS * PULSE_MS
        state.clock_ms = now_ms
        if before_ms == 0:
            state.minute = (now_ms - self.settings.delay_ms) // _MINUTE_MS
            return
        if now_ms - before_ms > _STANDSTILL_MS:
            self._stood_still(now_ms - before_ms)
        for row in state.devices.fall_silent(at_ms).tolist():
            self.output.append(self._silence(row, at_ms, since_ms=int(state.devices.last_ms[row])))
        self._close_minutes(at_ms)
        self.output.append(
            Pulse(shard=self.batch.shard, at_ms=at_ms, sources=state.heard, simulated=state.simulated)
        )
        state.heard, state.simulated = {}, {}

    def _stood_still(self, span_ms: int) -> None:
        state = self.state
        state.devices.pause(span_ms)
        state.habits.pause(span_ms)
        state.minute = max(state.minute, (state.clock_ms - self.settings.delay_ms) // _MINUTE_MS)

    def _hear(self, readings: list[HotReading], at_ms: Int64s) -> None:
        devices = self.state.devices
        rows = devices.locate(readings, self.settings.intervals_s)
        were_ms = {row: int(devices.last_ms[row]) for row in rows[devices.silent[rows]].tolist()}
        for row in devices.hear(rows, at_ms).tolist():
            back_ms = int(at_ms[np.flatnonzero(rows == row)[0]])
            self.output.append(self._silence(row, back_ms, since_ms=were_ms[row], active=False))
        heard, simulated = self.state.heard, self.state.simulated
        for reading in readings:
            heard[reading.source] = heard.get(reading.source, 0) + 1
            if reading.simulated:
                simulated[reading.source] = simulated.get(reading.source, 0) + 1
        moves = [r for r in readings if r.kind == _MOVES and r.value > 0 and r.subject]
        self._meet(moves)
        for reading in moves:
            self._move(reading)

    def _silence(self, row: int, at_ms: int, *, since_ms: int, active: bool = True) -> Silence:
        facts = self.state.devices.facts[row]
        return Silence(
            shard=self.batch.shard,
            device=facts.device,
            kind=facts.kind,
            source=facts.source,
            grid=facts.grid,
            active=active,
            since_ms=since_ms,
            at_ms=at_ms,
            allowed_s=int(self.state.devices.allowed_of_ms(row)) // 1000,
            simulated=facts.simulated,
        )

    def _meet(self, moves: list[HotReading]) -> None:
        known = self.state.habits.rows
        new = {r.subject: r for r in reversed(moves) if r.subject not in known}
        if new:
            self.state.habits.meet(
                [
                    (Person(r.subject, r.grid, r.source, r.simulated, {}), r.observed_at_ms)
                    for r in reversed(new.values())
                ]
            )

    def _move(self, reading: HotReading) -> None:
        state, habits, at_ms = self.state, self.state.habits, reading.observed_at_ms
        person = habits.rows[reading.subject]
        if at_ms // _MINUTE_MS >= state.minute:
            moved = state.moved.setdefault(at_ms // _MINUTE_MS, {})
            moved[person] = habits.sensor_of(person, reading.device)
        elif habits.move_late(person, at_ms):
            self.output.append(self._stillness(person, state.clock_ms, active=False))

    def _close_minutes(self, at_ms: int) -> None:
        state = self.state
        through = (at_ms - self.settings.delay_ms) // _MINUTE_MS
        while state.minute < through:
            moved = state.moved.pop(state.minute, {})
            start_ms = state.minute * _MINUTE_MS
            people = np.array(list(moved), np.int64)
            still, again = state.habits.close_minute(
                start_ms, people, np.array(list(moved.values()), np.int64)
            )
            self.output += [self._stillness(row, start_ms + _MINUTE_MS) for row in still.tolist()]
            self.output += [self._stillness(row, start_ms, active=False) for row in again.tolist()]
            state.minute += 1
        for minute in [m for m in state.moved if m < state.minute]:
            del state.moved[minute]  # skipped with a standstill

    def _stillness(self, person: int, at_ms: int, *, active: bool = True) -> Stillness:
        habits, who = self.state.habits, self.state.habits.people[person]
        return Stillness(
            shard=self.batch.shard,
            subject=who.subject,
            grid=who.grid,
            source=who.source,
            active=active,
            since_ms=int(habits.last_ms[person]),
            at_ms=at_ms,
            expected=round(float(habits.since[person]), 3),
            simulated=who.simulated,
        )
