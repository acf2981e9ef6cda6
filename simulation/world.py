"""The city at work: from a seed and the time to the messages it sends. Pure but for its own state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from simulation.care import Care
from simulation.city import City
from simulation.events import Event
from simulation.faults import Faults, is_dead
from simulation.governance import Governance
from simulation.parking import Parking
from simulation.security import Security
from simulation.vendors import encode
from simulation.vendors.outgoing import Outgoing

__all__ = ["World"]

_POWER_ON_S: Final = 60


class World:
    """The same city, seed and times give the same messages, byte for byte."""

    def __init__(self, city: City, seed: int, start_ms: int) -> None:
        rng = np.random.default_rng(seed)
        self._seed = seed
        self._parking = Parking(city, rng)
        self._care = Care(city, rng, start_ms)
        self._security = Security(city, rng)
        self._governance = Governance(city, seed)
        self._faults = Faults(rng)
        self._now_ms = start_ms
        self._number = start_ms // 1000 % 65_536
        self._powering_on = self._power_on(start_ms)
        self._power_on_left_s = float(_POWER_ON_S)

    def _power_on(self, start_ms: int) -> list[Event]:
        return [*self._parking.start(start_ms), *self._care.start(start_ms)]

    def advance(self, now_ms: int, speed: float = 1.0) -> list[Outgoing]:
        """The messages sent since the last call; in the first minute every device says the state it holds.

        With a speed above 1 more happens between two calls; hours and stamps stay those of `now_ms`.
        """
        dt_s = (now_ms - self._now_ms) / 1000 * speed
        self._now_ms = now_ms
        if dt_s <= 0:
            return []
        events = [*self._first_states(now_ms, dt_s), *self._happenings(now_ms, dt_s)]
        return list(self._faults.apply(self._encoded(events), now_ms))

    def _first_states(self, now_ms: int, dt_s: float) -> Iterator[Event]:
        share = min(1.0, dt_s / self._power_on_left_s) if self._power_on_left_s > 0 else 1.0
        self._power_on_left_s -= dt_s
        count = round(len(self._powering_on) * share)
        for event in self._powering_on[:count]:
            yield Event(event.device, event.what, now_ms, event.values)
        del self._powering_on[:count]

    def _happenings(self, now_ms: int, dt_s: float) -> Iterator[Event]:
        yield from self._parking.step(now_ms, dt_s)
        yield from self._care.step(now_ms, dt_s)
        yield from self._security.step(now_ms, dt_s)
        yield from self._governance.step(now_ms, dt_s)

    def _encoded(self, events: Iterable[Event]) -> Iterator[Outgoing]:
        for event in events:
            if not is_dead(event.device.name, self._seed):
                self._number += 1
                yield encode(event, self._number)
