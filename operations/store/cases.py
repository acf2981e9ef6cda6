"""Cases as rows: the newest version of each, its flow log, and what is searched by (SQL)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sql

from operations.cases.codes import STATES, Stage, StateCode
from operations.cases.config import CaseConfig
from operations.cases.model import Case, Entry
from operations.cases.opening import Report
from operations.cases.reminders import clocked, next_look_ms
from operations.cases.together import Change
from operations.cases.view import stage_of
from operations.people.roles import Person
from operations.store.alerts import AlertRows
from operations.store.case_sight import held_by, in_sight
from operations.store.case_tables import CASE_ALERTS, CASE_FLOW, CASES
from operations.store.tables import ALERTS, PROGRESS
from schemas.alerts import Alert
from schemas.errors import SettingsError

__all__ = ["CaseLine", "CaseRows", "CaseSelection", "Tally"]

_ENCODE: Final = msgspec.json.Encoder().encode
_CASE: Final = msgspec.json.Decoder(Case).decode
_GIVEN: Final = msgspec.json.Decoder(dict[str, str]).decode
_ALERT: Final = msgspec.json.Decoder(Alert).decode
_TURN: Final = "cases"
_CHUNK: Final = 500
_NO_CLOCK: Final = 1 << 53
"""In the order of lists behind every moment."""
_LINE: Final = [
    column for column in CASES.columns if column.name not in {"body", "key", "look_ms", "sort_ms"}
]


class CaseLine(msgspec.Struct, frozen=True):
    """One line of a list: what is searched by, without the whole case."""

    id: str
    version: int
    state: StateCode
    open: bool
    workflow: str
    category: str
    place: str
    source: str
    title: str
    department: str
    person: str
    receiver: str
    flags: str
    citizens: int
    reported_ms: int
    closed_ms: int
    changed_ms: int
    clock: str
    due_ms: int
    provisional: bool
    stage: Stage
    reach: str
    reporter: str
    checker: str
    closer: str
    longitude: float | None
    latitude: float | None

    @property
    def position(self) -> tuple[int, str]:
        """Where it is in the order of lists."""
        return self.due_ms or _NO_CLOCK, self.id


class Tally(msgspec.Struct, frozen=True):
    """How many cases there are of a selection, how many of them are late, and how many of each stage."""

    total: int
    overdue: int
    stages: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSelection:
    """Which cases are wanted; what is empty wants all. `place`: it and all within it, by code.

    `due_before_ms`: a clock is due before that moment (now: the overdue ones). `holder`: a person's name, as
    the one who handles it or who received it. `text`: in the title, or what the id begins with. `seen_by`:
    what is there for that person. `held_by`: what names them, or is with their department.
    """

    open: bool | None = True
    states: tuple[str, ...] = ()
    stage: str = ""
    workflow: str = ""
    category: str = ""
    place: str = ""
    department: str = ""
    holder: str = ""
    due_before_ms: int = 0
    changed_since_ms: int = 0
    text: str = ""
    seen_by: Person | None = None
    held_by: Person | None = None


class CaseRows(AlertRows):
    """The tables `cases`, `case_flow` and `case_alerts`."""

    def __init__(self, url: str, config: CaseConfig) -> None:
        super().__init__(url)
        self.config = config

    def case(self, case_id: str) -> Case:
        """The case; SettingsError where there is none of that id."""
        with self._engine.connect() as connection:
            return self._case(connection, case_id)

    def find_cases(self, beginning: str) -> list[str]:
        """Ids that begin so, at most ten."""
        wanted = sql.select(CASES.c.id).where(CASES.c.id.startswith(beginning, autoescape=True)).limit(10)
        with self._engine.connect() as connection:
            return list(connection.execute(wanted).scalars())

    def case_of_alert(self, alert_id: str) -> str | None:
        """Id of the case that the alert belongs to."""
        with self._engine.connect() as connection:
            return self._of_alert(connection, alert_id)

    def lines(
        self,
        selection: CaseSelection,
        limit: int = 100,
        offset: int = 0,
        after: tuple[int, str] | None = None,
    ) -> list[CaseLine]:
        """The wanted cases: those that are due first first, those without a clock last.

        `after`: only those behind that position, so that a page goes on where another ended.
        """
        order = (CASES.c.sort_ms, CASES.c.id)
        behind = [] if after is None else [sql.tuple_(*order) > sql.tuple_(*after)]
        wanted = sql.select(*_LINE).where(*_where(selection), *behind).order_by(*order)
        with self._engine.connect() as connection:
            return [CaseLine(*row) for row in connection.execute(wanted.limit(limit).offset(offset))]

    def lines_of(self, case_ids: Collection[str]) -> dict[str, CaseLine]:
        """The lines of these cases, by id."""
        wanted = sql.select(*_LINE).where(CASES.c.id.in_(case_ids))
        with self._engine.connect() as connection:
            return {row.id: CaseLine(*row) for row in connection.execute(wanted)}

    def tally(self, selection: CaseSelection, now_ms: int) -> Tally:
        """How many are wanted, late, and of each stage."""
        late = sql.func.sum(sql.case((CASES.c.sort_ms < now_ms, 1), else_=0))
        wanted = sql.select(CASES.c.stage, sql.func.count(), late).where(*_where(selection))
        with self._engine.connect() as connection:
            rows = connection.execute(wanted.group_by(CASES.c.stage)).all()
        stages = {stage: count for stage, count, _ in rows}
        return Tally(sum(stages.values()), sum(int(each) for _, _, each in rows), stages)

    def count_cases(self, selection: CaseSelection) -> int:
        """How many are wanted."""
        wanted = sql.select(sql.func.count()).select_from(CASES).where(*_where(selection))
        with self._engine.connect() as connection:
            return connection.execute(wanted).scalar_one()

    def cases_between(self, from_ms: int, until_ms: int, seen_by: Person | None = None) -> Iterator[Case]:
        """Cases reported in that time, closed in it, or open all through it: what an evaluation needs."""
        reported = CASES.c.reported_ms < until_ms
        alive = (CASES.c.closed_ms == 0) | (CASES.c.closed_ms >= from_ms) | (CASES.c.reported_ms >= from_ms)
        seen = [] if seen_by is None else [in_sight(seen_by)]
        with self._engine.connect() as connection:
            wanted = sql.select(CASES.c.body).where(reported, alive, *seen)
            for body in connection.execute(wanted).scalars():
                yield _CASE(body)

    def flow(self, case_id: str) -> list[Entry]:
        """Everything that happened to a case, in order."""
        with self._engine.connect() as connection:
            wanted = sql.select(CASE_FLOW).where(CASE_FLOW.c.case_id == case_id).order_by(CASE_FLOW.c.version)
            return [_entry(row) for row in connection.execute(wanted)]

    def flow_since(self, number: int, limit: int = 1000) -> list[tuple[int, Entry]]:
        """Entries after that number, with theirs: what a follower has not seen yet, in order."""
        wanted = sql.select(CASE_FLOW).where(CASE_FLOW.c.number > number).order_by(CASE_FLOW.c.number)
        with self._engine.connect() as connection:
            return [(row.number, _entry(row)) for row in connection.execute(wanted.limit(limit))]

    def last_flow(self) -> int:
        """The number of the newest entry; 0 before the first."""
        with self._engine.connect() as connection:
            return connection.execute(sql.select(sql.func.max(CASE_FLOW.c.number))).scalar() or 0

    def without_case(self, change: int) -> list[Alert]:
        """Alerts that changed after that change, are open, of a category that opens cases, and have none."""
        rules = [rule for each in self.config.categories.values() if each.auto for rule in each.rules]
        if not rules:
            return []
        rule = sql.func.coalesce(sql.func.nullif(ALERTS.c.cause, ""), ALERTS.c.rule)
        known = sql.exists().where(CASE_ALERTS.c.alert_id == ALERTS.c.id)
        wanted = sql.select(ALERTS.c.body).where(
            ALERTS.c.change > change,
            ALERTS.c.open,
            sql.or_(*(rule.startswith(each, autoescape=True) for each in rules)),
            ~known,
        )
        with self._engine.connect() as connection:
            found = connection.execute(wanted.order_by(ALERTS.c.onset_ms, ALERTS.c.id)).scalars()
            return [_ALERT(body) for body in found]

    def alerts_of(self, case: Case) -> list[Alert]:
        """The linked alerts as the desk knows them now: active, or cleared since when."""
        with self._engine.connect() as connection:
            return self._alerts(connection, case.alerts)

    def _turn(self, connection: sql.Connection) -> None:
        """One command at a time: a write lock on SQLite, a lock of the row on PostgreSQL."""
        mine = self._insert(PROGRESS).values(topic=_TURN, next_offset=0)
        same = {"next_offset": PROGRESS.c.next_offset}
        connection.execute(mine.on_conflict_do_update(index_elements=[PROGRESS.c.topic], set_=same))

    def _serial(self, connection: sql.Connection) -> int:
        """The next number of a case; in the turn."""
        mine = sql.update(PROGRESS).where(PROGRESS.c.topic == _TURN)
        connection.execute(mine.values(next_offset=PROGRESS.c.next_offset + 1))
        wanted = sql.select(PROGRESS.c.next_offset).where(PROGRESS.c.topic == _TURN)
        return int(connection.execute(wanted).scalar_one())

    def _case(self, connection: sql.Connection, case_id: str) -> Case:
        body = connection.execute(sql.select(CASES.c.body).where(CASES.c.id == case_id)).scalar()
        if body is None:
            raise SettingsError(f"case: received {case_id!r}, which the desk does not know")
        return _CASE(body)

    def _of_alert(self, connection: sql.Connection, alert_id: str) -> str | None:
        wanted = sql.select(CASE_ALERTS.c.case_id).where(CASE_ALERTS.c.alert_id == alert_id)
        return connection.execute(wanted).scalar()

    def _said_before(self, connection: sql.Connection, key: str) -> str | None:
        """Id of the case in whose flow log something was said under that key."""
        return connection.execute(sql.select(CASE_FLOW.c.case_id).where(CASE_FLOW.c.key == key)).scalar()

    def _alerts(self, connection: sql.Connection, ids: Sequence[str]) -> list[Alert]:
        wanted = sql.select(ALERTS.c.body).where(ALERTS.c.id.in_(ids))
        return [_ALERT(body) for body in connection.execute(wanted).scalars()] if ids else []

    def _has_case(self, connection: sql.Connection, reports: Sequence[Report]) -> dict[str, str]:
        """Id of the case that a report is part of already, by the report's key."""
        keys = {each.key: each.key for each in reports}
        of_alert = {each.alert_id: each.key for each in reports if each.alert_id}
        found: dict[str, str] = {}
        for column, case_id, wanted in (
            (CASE_ALERTS.c.alert_id, CASE_ALERTS.c.case_id, of_alert),
            (CASE_FLOW.c.key, CASE_FLOW.c.case_id, keys),
        ):
            for some in _some(list(wanted)):
                rows = connection.execute(sql.select(column, case_id).where(column.in_(some)))
                found |= {wanted[said]: of for said, of in rows}
        return found

    def _alike(self, connection: sql.Connection, of: Collection[tuple[str, str]]) -> list[Case]:
        """Open cases of these, each a category and a place."""
        found: list[Case] = []
        for some in _some(sorted({place for _, place in of})):
            wanted = sql.select(CASES.c.body).where(CASES.c.open, CASES.c.place.in_(some))
            wanted = wanted.where(CASES.c.category.in_({category for category, _ in of}))
            found += map(_CASE, connection.execute(wanted).scalars())
        return [case for case in found if (case.category, case.place) in of]

    def _look(self, connection: sql.Connection, now_ms: int) -> list[Case]:
        """Cases at which the system has to look now, some hundred at a time."""
        wanted = sql.select(CASES.c.body).where(CASES.c.look_ms > 0, CASES.c.look_ms <= now_ms)
        wanted = wanted.order_by(CASES.c.look_ms).limit(_CHUNK)
        return [_CASE(body) for body in connection.execute(wanted).scalars()]

    def _dues(self, connection: sql.Connection) -> list[tuple[Case, int]]:
        """Open cases with a clock that runs, and when it is due as it is written."""
        wanted = sql.select(CASES.c.body, CASES.c.due_ms).where(CASES.c.open, CASES.c.due_ms > 0)
        return [(_CASE(row.body), row.due_ms) for row in connection.execute(wanted)]

    def _due_ms(self, case: Case, now_ms: int) -> int:
        clocks = clocked(case, self.config, now_ms)
        return clocks[0].due.at_ms if clocks else 0

    def _write(
        self,
        connection: sql.Connection,
        before: Case | None,
        steps: Sequence[tuple[Case, Entry]],
        now_ms: int,
    ) -> Case:
        """The case as it is after the steps, and an entry for each, in the transaction that is under way."""
        self._write_all(connection, [Change(before, list(steps))], now_ms)
        return steps[-1][0]

    def _write_all(self, connection: sql.Connection, changes: Sequence[Change], now_ms: int) -> None:
        """The same of many cases: four statements, however many there are."""
        rows = [(change, self._row(change.case, now_ms)) for change in changes]
        new = [{"id": c.case.id, "key": c.case.key, **row} for c, row in rows if c.before is None]
        old = [{"of": c.case.id, **row} for c, row in rows if c.before is not None]
        entries = [_entry_row(entry) for change in changes for _, entry in change.steps]
        links = [{"alert_id": id_, "case_id": c.case.id} for c in changes for id_ in _joined(c)]
        for statement, values in (
            (sql.insert(CASES), new),
            (sql.update(CASES).where(CASES.c.id == sql.bindparam("of")), old),
            (sql.insert(CASE_FLOW), entries),
            (sql.insert(CASE_ALERTS), links),
        ):
            if values:
                connection.execute(statement, values)

    def _row(self, case: Case, now_ms: int) -> dict[str, Any]:
        clocks = clocked(case, self.config, now_ms)
        first = clocks[0] if clocks else None
        return {
            "version": case.version,
            "body": _ENCODE(case),
            "state": case.state,
            "open": STATES[case.state].open,
            "workflow": case.workflow,
            "category": case.category,
            "place": case.place,
            "source": case.source,
            "title": case.title[:200],
            "department": case.department,
            "person": case.person,
            "receiver": case.receiver,
            "flags": ",".join(case.flags),
            "citizens": case.citizens,
            "reported_ms": case.reported_ms,
            "closed_ms": case.closed_ms,
            "changed_ms": now_ms,
            "clock": first.run.clock if first else "",
            "due_ms": first.due.at_ms if first else 0,
            "provisional": any(each.due.provisional for each in clocks),
            "stage": stage_of(case),
            "reach": case.reach,
            "reporter": case.reporter[:100],
            "checker": case.checker,
            "closer": case.closer,
            "longitude": case.longitude,
            "latitude": case.latitude,
            "sort_ms": first.due.at_ms if first else _NO_CLOCK,
            "look_ms": next_look_ms(case, self.config, now_ms),
        }


def _some(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """So many at a time as one statement takes."""
    return (values[first : first + _CHUNK] for first in range(0, len(values), _CHUNK))


def _joined(change: Change) -> list[str]:
    """Ids of the alerts that a case did not have before."""
    had = set(change.before.alerts) if change.before else set()
    return [id_ for id_ in change.case.alerts if id_ not in had]


def _where(wanted: CaseSelection) -> list[sql.ColumnElement[bool]]:
    """The selection as conditions."""
    same = {name: getattr(wanted, name) for name in ("workflow", "category", "department", "stage")}
    found: list[sql.ColumnElement[bool]] = [CASES.c[name] == value for name, value in same.items() if value]
    if wanted.open is not None:
        found.append(CASES.c.open if wanted.open else ~CASES.c.open)
    if wanted.states:
        found.append(CASES.c.state.in_(wanted.states))
    if wanted.place:
        found.append(CASES.c.place.startswith(wanted.place, autoescape=True))
    if wanted.holder:
        found.append((CASES.c.person == wanted.holder) | (CASES.c.receiver == wanted.holder))
    if wanted.due_before_ms:
        found.append(CASES.c.sort_ms < wanted.due_before_ms)
    if wanted.changed_since_ms:
        found.append(CASES.c.changed_ms >= wanted.changed_since_ms)
    if wanted.text:
        titled = CASES.c.title.contains(wanted.text, autoescape=True)
        found.append(titled | CASES.c.id.startswith(wanted.text, autoescape=True))
    return [*found, *_whose(wanted)]


def _whose(wanted: CaseSelection) -> Iterator[sql.ColumnElement[bool]]:
    if wanted.seen_by is not None:
        yield in_sight(wanted.seen_by)
    if wanted.held_by is not None:
        yield held_by(wanted.held_by)


def _entry_row(entry: Entry) -> dict[str, Any]:
    facts = msgspec.structs.asdict(entry)
    return facts | {"key": entry.key or None, "given": _ENCODE(entry.given), "why": entry.why[:2000]}


def _entry(row: sql.Row[Any]) -> Entry:
    facts = {name: value for name, value in row._mapping.items() if name != "number"}  # noqa: SLF001
    return Entry(**(facts | {"key": row.key or "", "given": _GIVEN(row.given)}))
