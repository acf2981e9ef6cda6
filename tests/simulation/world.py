"""One seed's world: every process, every store and every clock behind one scheduler.

A process is a generator that ends a step where it yields. The scheduler chooses by the seed alone who takes
the next step and how much time passes, so the same seed is the same run, to the last record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from random import Random
from typing import Final

from confluent_kafka import KafkaException

from pipelines.io.canary import StoreLostData
from pipelines.io.claims import Fenced
from schemas.topics import TOPICS, readings_topic
from tests.simulation import desk, edge, jobs
from tests.simulation.desk import Database
from tests.simulation.faults import Faults, hold
from tests.simulation.invariants import Watcher
from tests.simulation.log import MemoryLog
from tests.simulation.obligations import owed
from tests.simulation.points import Points
from tests.simulation.scenario import SENT_FOR_MS, T0, scenario_of

SETTLED_MAX_S: Final = 300
_ROUND_MS: Final = 40_000
_LEAP_MS: Final = 420_000
_DEATHS: Final = (*desk.DIED, KafkaException, StoreLostData, Fenced)
"""What ends a process; the supervisor starts it anew. Anything else is a fault of the product's."""
_COMPACTED: Final = ("alerts", "checkpoints", "claims")
_STEPS_MAX: Final = 200
_ENDS: Final = {"idle", "died"}
_GOES_ON: Final = 0.7
"""How often who took a step takes the next one too."""


class Process:
    """One process: its life now, if it lives, and how to begin another."""

    def __init__(self, name: str, make: Callable[[], Iterator[str]]) -> None:
        self.name, self._make = name, make
        self.life: Iterator[str] | None = None
        self.busy = False

    def step(self) -> str:
        """The next step; what it said, or "died"."""
        if self.life is None:
            self.life = self._make()
        self.busy = True
        try:
            return next(self.life)
        except _DEATHS:
            self.die()
            return "died"
        finally:
            self.busy = False

    def die(self) -> None:
        """Nothing is left of it but what it has written."""
        self.life = None


class World:
    """The world of a seed; with `faults` False nothing in it ever goes wrong."""

    def __init__(self, seed: int, database: Database, *, faults: bool = True) -> None:
        self.scenario = scenario_of(seed)
        self.seed, self.desk, self.faulty = seed, database, faults
        self.order = Random(f"{seed}/order")
        self.faults = Faults(seed if faults else None)
        self.now_ms, self._log_step_ms, self._desk_step_ms = T0, 0, 0
        shards = {readings_topic(self.scenario.domain): self.scenario.shards, "signals": 1}
        topics = {name: 1 for name in TOPICS if not name.startswith("readings.")} | shards
        self.log = MemoryLog(topics, self.faults, self.order)
        self.points = Points(self.faults)
        self.watcher = Watcher(self)
        self.log.clock_ms, self.log.noted = self.log_ms, self.watcher.appended
        self.senders = edge.Senders(self, self.scenario.said)
        self.told: list[tuple[str, str, str]] = []
        self.refused = 0
        self.pids = count(1)
        self.processes = {name: Process(name, make) for name, make in self._made().items()}
        self.sleepers: list[Process] = []
        database.begin(self.faults)

    def _made(self) -> dict[str, Callable[[], Iterator[str]]]:
        """Those of the scenario; in a calm world those whose figures and alerts are compared."""
        made: dict[str, Callable[[], Iterator[str]]] = {"door": lambda: edge.door(self)}
        for name, factory in jobs.factories(self).items():
            if name == "watch" and not self.faulty:
                continue
            made[name] = lambda name=name, factory=factory: jobs.line(self, name, factory)
        if self.scenario.alarms and self.faulty:
            for name, begin in desk.desk_of(self.scenario).items():
                made[name] = lambda begin=begin: begin(self)
        return made

    def log_ms(self) -> int:
        """The broker's clock."""
        return self.now_ms + self._log_step_ms

    def desk_ms(self) -> int:
        """The desk's clock."""
        return self.now_ms + self._desk_step_ms

    def monotonic_s(self) -> float:
        """What a process measures waits by: later than any moment of the test's own."""
        return 1e9 + (self.now_ms - T0) / 1000

    def wait(self, seconds: float) -> None:
        """A process waits: time passes, the others go on, and it may be killed meanwhile."""
        self.now_ms += int(seconds * 1000)
        idle = [each for each in self.processes.values() if not each.busy]
        if idle and self.faults.active:
            self._take(self.order.choice(idle))
        self.faults.crash("crash")

    def run(self) -> None:
        """A minute and a half in which things go wrong, then until all is done and whole again."""
        while self.now_ms < T0 + SENT_FOR_MS:
            process = self._next()
            while self._take(process) not in _ENDS and self.order.random() < _GOES_ON:
                pass
        self.settle()

    def calm(self) -> None:
        """The same time as they ought to be: each message at its time, everybody in turn."""
        for said in self.scenario.said:
            self.now_ms = said.at_ms
            while self._more("door"):
                self.processes["door"].step()
        self.now_ms = T0 + SENT_FOR_MS
        self.settle()

    def _next(self) -> Process:
        """The door most often, for it has most to do; with every other's step time passes."""
        dice = self.order.random()
        if dice < 0.6:
            return self.processes["door"]
        self.now_ms += self.order.randrange(5_000)
        self._clocks()
        if self.sleepers and dice > 0.88:
            return self.order.choice(self.sleepers)
        often = [self.processes[name] for name in ("reader", "teller") if name in self.processes]
        return self.order.choice([*self.processes.values(), *often])

    def _clocks(self) -> None:
        if self.faults.fires("clock.log"):
            self._log_step_ms = self.faults.dice.randrange(-20_000, 40_000)
        if self.faults.fires("clock.desk"):
            self._desk_step_ms = self.faults.dice.randrange(-20_000, 40_000)
        if self.faults.fires("log.compaction"):
            self.log.compact(self.order.choice(_COMPACTED))

    def _take(self, process: Process) -> str:
        said = process.step()
        if self.faults.fires("crash"):
            process.die()
        elif process.name != "door" and process.life is not None and self.faults.fires("owner.second"):
            self._replace(process)
        if process.name in desk.DESK:
            self.watcher.acted()
        if process in self.sleepers and process.life is None:
            self.sleepers.remove(process)
        return said

    def _replace(self, process: Process) -> None:
        """Somebody takes its place while it sleeps; it does not know when it wakes up."""
        if process in self.sleepers:
            return
        sleeper = Process(process.name, process._make)
        sleeper.life, process.life = process.life, None
        self.sleepers.append(sleeper)

    def _wake(self) -> None:
        """Who still sleeps takes some last steps beside its successor, and ends."""
        for sleeper in self.sleepers:
            for _ in range(self.order.randrange(4)):
                sleeper.step()
        self.sleepers.clear()

    def settle(self) -> None:
        """Nothing goes wrong any more: within the time that is promised everything is done."""
        self.faults.end()
        self._wake()
        self.processes.pop("people", None)  # they have gone home: what they did is to be done
        self._log_step_ms = self._desk_step_ms = 0
        began_ms = self.now_ms
        while left := owed(self):
            hold(self.now_ms - began_ms < SETTLED_MAX_S * 1000, f"stuck: {left}")
            self.now_ms += _ROUND_MS
            self._round()
        if self.scenario.leaps:
            self.now_ms += _LEAP_MS  # the longest windows close, and what is remembered of them goes
            for _ in range(2):
                self._round()
            hold(not (left := owed(self)), f"left: {left}")

    def _round(self) -> None:
        for process in self.processes.values():
            for _ in range(_STEPS_MAX):
                if self._take(process) == "idle" and not self._more(process.name):
                    break
            else:
                hold(False, f"{process.name} does not come to rest")

    def _more(self, name: str) -> bool:
        return name == "door" and any(at <= self.now_ms for at, _ in self.senders.waiting)
