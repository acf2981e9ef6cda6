"""The fault points of the simulation: where something may go wrong, the dice that decide when, and `hold`."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Final

POINTS: Final = {
    "crash": "a process dies between two of its steps",
    "crash.half_sent": "a process dies when a part of its batch is on the log",
    "owner.second": "a process is held up, another takes its place, and the first wakes up later",
    "log.lost_ack": "the log has a batch and its confirmation is lost",
    "log.timeout": "the log does not take a batch",
    "log.delay": "a reader is given nothing, though there is something",
    "log.tick_lost": "a tick does not reach the log",
    "log.compaction": "the cleaner leaves of a key what was written last",
    "door.refused": "a door has no room: the message is its sender's to send again",
    "door.lost_ack": "the log has the message and its sender does not hear of it",
    "sender.delay": "a message comes up to 40 s late",
    "sender.repeat": "a message that was confirmed is sent again later",
    "sender.reorder": "a device sends a younger reading before an older one",
    "store.429": "InfluxDB is asked too much",
    "store.500": "InfluxDB fails",
    "store.timeout": "InfluxDB does not answer and has taken nothing",
    "store.lost_ack": "InfluxDB has taken the points and does not answer",
    "store.half": "InfluxDB has taken half of the points and fails",
    "store.forgets": "InfluxDB acknowledged points and comes back without the newest",
    "clock.log": "the log's clock steps forward or back",
    "clock.desk": "the desk's clock steps forward or back",
    "sql.crash": "the desk dies between two statements of a transaction",
    "sql.commit": "the desk dies before a commit",
    "sql.full": "the desk's disk is full",
    "receiver.500": "a channel refuses a message",
    "receiver.lost_ack": "a channel has taken a message and the desk does not hear of it",
    "person.repeat": "a person says the same again, not knowing whether it was heard",
}
"""Point -> what happens there."""
RATE: Final = 0.05
"""How often an active point fires when it is come by; `RATES`: of those come by seldom, or at every step."""
RATES: Final = {
    **dict.fromkeys(("clock.log", "clock.desk", "log.compaction"), 0.03),
    **dict.fromkeys(("log.timeout", "log.tick_lost", "crash.half_sent", "sql.crash", "sql.full"), 0.1),
    "log.lost_ack": 0.15,
    **dict.fromkeys(("store.429", "store.500", "store.timeout", "store.lost_ack", "store.half"), 0.2),
    "sql.commit": 0.2,
    "store.forgets": 0.3,
    "receiver.500": 0.7,
    **dict.fromkeys(("receiver.lost_ack", "person.repeat"), 0.9),
}
SHARE: Final = 0.6
"""How many of the points are active in a seed."""


class Crash(BaseException):
    """The process that is running ends here, at once; no `except Exception` of it may notice."""


class Broken(AssertionError):  # noqa: N818 - what holds no more
    """An invariant does not hold."""


def hold(condition: object, words: str) -> None:
    """Broken, in those words, unless it does."""
    if not condition:
        raise Broken(words)


class Faults:
    """The dice of one run. `fired` counts what happened; with `seed` None nothing ever does."""

    def __init__(self, seed: int | None) -> None:
        self.dice = Random(f"{seed}/faults")
        self.active = set() if seed is None else {each for each in POINTS if self.dice.random() < SHARE}
        self.fired: Counter[str] = Counter()

    def fires(self, point: str) -> bool:
        """Whether it goes wrong this time."""
        if point not in self.active or self.dice.random() >= RATES.get(point, RATE):
            return False
        self.fired[point] += 1
        return True

    def crash(self, point: str) -> None:
        """Crash, if it goes wrong this time."""
        if self.fires(point):
            raise Crash(point)

    def end(self) -> None:
        """From now on nothing goes wrong any more."""
        self.active.clear()
