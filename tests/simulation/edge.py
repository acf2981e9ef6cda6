"""From devices to the log: senders that keep what is not confirmed, and the door with its real memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from connectors.base import Decoded, SignalEvent
from connectors.occurrences import Occurrences
from schemas.signals import Signal, signal_id
from schemas.topics import SIGNALS
from tests.simulation.scenario import Said

if TYPE_CHECKING:
    from tests.simulation.world import World

_DECODE = msgspec.json.Decoder(Signal).decode
DELAY_MAX_MS = 40_000


class Senders:
    """Every device's messages that are not confirmed yet. Alarms of a device go in their order."""

    def __init__(self, world: World, said: tuple[Said, ...]) -> None:
        self._world = world
        self.waiting = [[each.at_ms, each] for each in said]

    def due(self) -> Said | None:
        """What is tried now; it stays here until it is confirmed."""
        now_ms, faults = self._world.now_ms, self._world.faults
        found = [entry for entry in self.waiting if entry[0] <= now_ms]
        if not found:
            return None
        entry = found[-1] if found[-1][1].alarm is None and faults.fires("sender.reorder") else found[0]
        if faults.fires("sender.delay"):
            self._delay(entry)
            return None
        return entry[1]

    def _delay(self, entry: list) -> None:
        """The message, and with an alarm those of its device behind it, come later."""
        until_ms = self._world.now_ms + self._world.faults.dice.randrange(DELAY_MAX_MS)
        for other in self.waiting:
            if other is entry or (entry[1].alarm is not None and other[1].device == entry[1].device):
                other[0] = max(other[0], until_ms)
        self.waiting.sort(key=lambda each: (each[0], each[1].at_ms))

    def confirmed(self, said: Said) -> None:
        """It is in the log; one that is sent again all the same is confirmed once more."""
        at = next(at for at, entry in enumerate(self.waiting) if entry[1] is said)
        del self.waiting[at]
        if self._world.faults.fires("sender.repeat"):
            later_ms = self._world.now_ms + self._world.faults.dice.randrange(DELAY_MAX_MS)
            self.waiting.append([later_ms, msgspec.structs.replace(said)])
            self.waiting.sort(key=lambda each: (each[0], each[1].at_ms))


def door(world: World) -> Iterator[str]:
    """One connector process: what it knows of occurrences it recalls from the log."""
    held = Occurrences()
    for record in world.log.of(SIGNALS):
        held.recall(_DECODE(record.body))
    yield "open"
    while True:
        said = world.senders.due()
        if said is None:
            yield "idle"
        elif said.alarm is None:
            if _append(world, said.topic, said.body, said.grid):
                yield "appended"
                world.senders.confirmed(said)
            else:
                yield "not confirmed"
        else:
            yield from _alarm(world, held, said)


def _alarm(world: World, held: Occurrences, said: Said) -> Iterator[str]:
    settled, told = held.settle(Decoded((), (said.alarm,)))
    yield "settled"
    for event in settled.signals:
        body = msgspec.json.encode(_signal(event, said.grid, world.now_ms))
        if not _append(world, SIGNALS, body, said.grid):
            yield "not confirmed"
            return
        yield "appended"
    held.confirm(told)
    yield "known"
    world.senders.confirmed(said)


def _append(world: World, topic: str, body: bytes, grid: str) -> bool:
    """Whether the log confirmed it."""
    if world.faults.fires("door.refused"):
        return False
    world.log.append(topic, body, grid.encode())
    return not world.faults.fires("door.lost_ack")


def _signal(event: SignalEvent, grid: str, now_ms: int) -> Signal:
    """As `connectors.resolve` makes it, whose registry is not needed here."""
    return Signal(
        id=signal_id(event.device, event.type, event.alarm, event.state, event.observed_at_ms),
        type=event.type,
        state=event.state,
        device=event.device,
        grid=grid,
        source="mqtt.simulated",
        observed_at_ms=event.observed_at_ms,
        received_at_ms=now_ms,
        alarm=event.alarm,
        heard_at_ms=event.heard_at_ms,
    )
