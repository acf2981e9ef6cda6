"""The desk's processes over one database in memory: reader, teller, clockwork, publisher, people.

The product's own classes and statements run on SQLite; a process that dies in a transaction leaves nothing
of it, as the engine's own events decide (`breakable`).
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sql
from msgspec.structs import replace

from operations.alerts.actions import Action, Target
from operations.cases.config import CaseConfig, shipped_config
from operations.cases.decide import allowed_moves
from operations.cases.model import Actor, Command, Evidence
from operations.cases.opening import Report
from operations.cases.refusals import MoveRefused
from operations.desk.acts import ActRecord, Publisher
from operations.desk.clockwork import Clockwork
from operations.desk.store import DeskStore
from operations.oncall.deliver import Delivery
from operations.oncall.load import parse_oncall
from operations.oncall.reader import Reader
from operations.oncall.service import Teller
from operations.store.casebook import CaseBook
from pipelines.io.sink import KafkaSink, Record
from schemas.errors import Refused
from schemas.topics import ACTS
from tests.simulation.faults import Crash, Faults
from tests.simulation.scenario import GRIDS

if TYPE_CHECKING:
    from operations.oncall.model import Person
    from tests.simulation.scenario import Scenario
    from tests.simulation.world import World

_SHIPPED: Final = shipped_config()
CONFIG: Final[CaseConfig] = dataclasses.replace(
    _SHIPPED,
    categories={code: replace(each, auto=True) for code, each in _SHIPPED.categories.items()},
)
ONCALL: Final = parse_oncall(
    {
        "people": {"王芳": ["json://simulated/1"], "李强": ["json://simulated/2"]},
        "routes": [
            {"name": "all", "steps": [{"people": ["王芳"]}, {"people": ["李强"], "after_s": 60}]},
        ],
    }
)
ACTORS: Final = (
    Actor(name="派遣员", roles=("dispatcher", "shift_leader")),
    Actor(name="科长", roles=("department",), department="市政公司"),
    Actor(name="受理员", roles=("receiver",)),
    Actor(name="街道", roles=("street",), places=("370202001", "370202002")),
    Actor(name="党员", roles=("party_member",), places=("370202001001", "370202002001")),
    Actor(name="网格员", roles=("collector",), places=("370202001001", "370202002001")),
)
SENDERS_MAX: Final = 16


class _Kept(sqlite3.Connection):
    """Outlives the processes that use it: what they close is closed for them, not for the next one."""

    def close(self) -> None:
        self.rollback()


class Database:
    """One in-memory database for the whole session; a seed begins with it as it was when it was new."""

    def __init__(self) -> None:
        self.cases, self.store = CaseBook("sqlite://", CONFIG), DeskStore("sqlite://")
        self._empty = self.cases._engine.raw_connection().driver_connection.serialize()
        self._kept = sqlite3.connect(":memory:", factory=_Kept, check_same_thread=False)
        self._engine = sql.create_engine("sqlite://", creator=lambda: self._kept, poolclass=sql.StaticPool)
        for each in (self.cases, self.store):
            each.close()
            each._engine = self._engine
        self._breakable()
        self.begin(Faults(None))

    def close(self) -> None:
        self._engine.dispose()
        sqlite3.Connection.close(self._kept)

    def begin(self, faults: Faults) -> None:
        """Empty, and it breaks as these faults say."""
        self._kept.rollback()
        self._kept.deserialize(self._empty)
        self.faults = faults

    def rows(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        """What is committed, read beside the product and its faults."""
        found: list[tuple[Any, ...]] = self._kept.execute(query, given).fetchall()
        return found

    def _breakable(self) -> None:
        def statement(_connection: object, _cursor: object, words: str, *_given: object) -> None:
            if words.startswith("SELECT"):
                return  # what only reads leaves the same wherever it ends
            self.faults.crash("sql.crash")
            if self.faults.fires("sql.full"):
                raise sql.exc.OperationalError("simulated", None, Exception("database or disk is full"))

        sql.event.listen(self._engine, "before_cursor_execute", statement)
        sql.event.listen(self._engine, "commit", lambda _connection: self.faults.crash("sql.commit"))


class Inline:
    """An executor whose threads have all come to their end when `submit` returns."""

    def submit(self, work: Callable[..., None], *given: object) -> Future[None]:
        done: Future[None] = Future()
        done.set_result(work(*given))
        return done


class Once:
    """A `stopping` that lets one turn pass."""

    def __init__(self) -> None:
        self._asked = 0

    def is_set(self) -> bool:
        self._asked += 1
        return self._asked > 1


def reader(world: World) -> Iterator[str]:
    """`Reader.run`, a consumer of its own each turn: where to go on is the database's word."""
    while True:
        Reader("simulated", world.desk.store, lambda: None).run(Once())
        yield "idle"


def teller(world: World) -> Iterator[str]:
    """Plans and tells; a death may come at any statement, or between channel and mark."""
    serving = Teller(ONCALL, world.desk.store, jitter=world.order.random)
    yield "started"
    while True:
        serving.look(Inline())
        assert len(serving._busy) <= SENDERS_MAX * 4, "a queue grows"
        yield "idle"


def deliver(world: World, person: Person, head: str, text: str, key: str) -> Delivery:
    """What a channel does with a message."""
    faults = world.faults
    if faults.fires("receiver.500"):
        return Delivery(problem="json: HTTP 500")
    world.told.append((person.name, head, key))
    faults.crash("crash")
    if faults.fires("receiver.lost_ack"):
        return Delivery(problem="json: no answer within 8 s")
    return Delivery("json")


def clockwork(world: World) -> Iterator[str]:
    """Cases by rule, and their clocks."""
    serving = Clockwork(world.desk.cases, world.desk_ms, lambda: None)
    yield "started"
    while True:
        serving.look()
        yield "idle"


def publisher(world: World) -> Iterator[str]:
    """What people did, to the topic `acts`."""
    sink = KafkaSink("simulated")

    def send(acts: list[ActRecord]) -> None:
        sink.send([Record(ACTS, act.key, act.value, partition=0) for act in acts])

    serving = Publisher(world.desk.store, world.desk.cases, send)
    yield "started"
    while True:
        serving.publish()
        yield "idle"


def people(world: World) -> Iterator[str]:
    """Somebody acknowledges, somebody moves a case; who does not know whether it was heard says it again."""
    while True:
        for act in (_acknowledge, _move):
            said = act(world, f"said {world.order.random()}")
            if said is not None:
                said()
                if world.faults.fires("person.repeat"):
                    said()
        yield "idle"


def _acknowledge(world: World, key: str) -> Callable[[], None] | None:
    waiting = world.desk.store.waiting()
    if not waiting or world.order.random() < 0.5:
        return None
    alert = world.order.choice(waiting).alert
    now_ms = world.desk_ms()
    action = Action(id=key, kind="acknowledge", target=Target.of(alert), by="王芳", at_ms=now_ms, why="去看")

    def said() -> None:
        try:
            world.desk.store.act(action, now_ms)
        except Refused:
            world.refused += 1

    return said


def _move(world: World, key: str) -> Callable[[], None] | None:
    cases = list(world.desk.cases.cases_between(0, world.desk_ms() + 1))
    if not cases:
        return _report(world, key)
    case, actor = world.order.choice(cases), world.order.choice(ACTORS)
    workflow = CONFIG.workflows[case.workflow]
    allowed = [move.verb for move, _ in allowed_moves(case, actor, workflow)]
    verb = world.order.choice(allowed if allowed and world.order.random() < 0.8 else list(workflow.moves))
    command = Command(
        verb=verb, actor=actor, key=key, why="属实", department="市政公司", person="老李", result="passed",
        evidence=(Evidence(what="照片"),), satisfied=True, until_ms=world.desk_ms() + 3_600_000,
        outcome="real", longitude=120.38, latitude=36.06,
    )  # fmt: skip

    def said() -> None:
        try:
            world.desk.cases.do(case.id, command, world.desk_ms())
        except MoveRefused:
            world.refused += 1

    return said


def _report(world: World, key: str) -> Callable[[], None]:
    """A grid worker calls of what a sensor may tell of too."""
    category = world.order.choice(("fire", "person-in-need", "security", "device"))
    place = world.order.choice(GRIDS)
    report = Report(
        key=key, source="collector", category=category, place=place, title="现场", reporter="网格员"
    )

    def said() -> None:
        try:
            world.desk.cases.open(report, ACTORS[-1], world.desk_ms())
        except MoveRefused:
            world.refused += 1

    return said


DESK: Final[dict[str, Callable[[World], Iterator[str]]]] = {
    "reader": reader,
    "teller": teller,
    "clockwork": clockwork,
    "publisher": publisher,
    "people": people,
}
DIED: Final = (Crash, sql.exc.OperationalError)


def desk_of(scenario: Scenario) -> dict[str, Callable[[World], Iterator[str]]]:
    """The desk's processes that the scenario has; somebody always reads."""
    has = {"reader": True, "teller": scenario.told, "clockwork": scenario.filed}
    return {name: begin for name, begin in DESK.items() if has.get(name, scenario.staffed)}
