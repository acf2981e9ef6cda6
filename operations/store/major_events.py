"""The tables `major_events` and `major_reports`: set up, switched on, reported to, switched off.

Dying between any two lines: a change and its entry of the record are one transaction. A report that is sent
again under its identity (a phone that was offline) counts once.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import sqlalchemy as sql

from operations.alerts.actions import Action
from operations.major_event.model import MajorEvent, Report, Switched
from operations.major_event.priorities import hidings_of
from operations.major_event.refusals import add_refusal, off_refusal, on_refusal, report_refusal
from operations.major_event.rhythm import slot_for
from operations.people.audit import Said
from operations.people.roles import Person
from operations.store.actions import ActionRows
from operations.store.major_event_tables import MAJOR_EVENTS, MAJOR_REPORTS
from schemas.errors import Refused, SettingsError

__all__ = ["MajorEventRows"]

_TURN: Final = "major_events"
_EVENT: Final = msgspec.json.Decoder(MajorEvent).decode
_REPORT: Final = [column for column in MAJOR_REPORTS.columns if column.name != "number"]


class MajorEventRows(ActionRows):
    """Major events, and what they hide beside what people do."""

    def hidings(self, now_ms: int) -> list[Action]:
        """What hides alerts now: what people did, and what does not count while a major event is on."""
        return [*super().hidings(now_ms), *hidings_of(self.switched_on(now_ms), now_ms)]

    def add_event(self, event: MajorEvent, said: Said) -> Switched:
        """Put it in, or in place of what was set up under its id; Refused once that was switched on."""
        with self._engine.begin() as connection:
            self._alone(connection, _TURN)
            if words := add_refusal(self._event(connection, event.id)):
                raise Refused(words)
            values = {"body": msgspec.json.encode(event), "added_ms": said.at_ms, "added_by": said.who}
            never = {"on_ms": 0, "on_by": "", "off_ms": 0, "off_by": "", "why": ""}
            new = self._insert(MAJOR_EVENTS).values(id=event.id, **values, **never)
            connection.execute(new.on_conflict_do_update(index_elements=["id"], set_=values))
            self._record(connection, said)
            return self._known_event(connection, event.id)

    def switch_on(self, event_id: str, by: str, why: str, said: Said) -> Switched:
        """From now, within its period, it counts; Refused says why not."""
        with self._engine.begin() as connection:
            self._alone(connection, _TURN)
            known = self._known_event(connection, event_id)
            if words := on_refusal(known, self._events(connection), said.at_ms):
                raise Refused(words)
            return self._switched(connection, event_id, {"on_ms": said.at_ms, "on_by": by, "why": why}, said)

    def switch_off(self, event_id: str, by: str, said: Said) -> Switched:
        """From now it does not count any more; Refused says why not."""
        with self._engine.begin() as connection:
            self._alone(connection, _TURN)
            if words := off_refusal(self._known_event(connection, event_id), said.at_ms):
                raise Refused(words)
            return self._switched(connection, event_id, {"off_ms": said.at_ms, "off_by": by}, said)

    def report(self, given: Report, person: Person, said: Said, *, command: bool) -> Report:
        """Keep a report; `due_ms` 0: for the one that is due. Refused says why not."""
        with self._engine.begin() as connection:
            self._alone(connection, _TURN)
            if known := self._reports(connection, MAJOR_REPORTS.c.id == given.id):
                return known[0]
            switched = self._known_event(connection, given.event)
            unit = switched.event.unit(given.unit)
            words = report_refusal(switched, unit, given.unit, person, command=command)
            if unit is None or words:
                raise Refused(words)
            reports = self._reports(connection, MAJOR_REPORTS.c.event == given.event)
            due_ms = given.due_ms or slot_for(switched, unit, reports, given.at_ms) or 0
            facts = {column.name: getattr(given, column.name) for column in _REPORT} | {"due_ms": due_ms}
            connection.execute(sql.insert(MAJOR_REPORTS).values(**facts))
            self._record(connection, said)
            return Report(**facts)

    def event(self, event_id: str) -> Switched:
        """One; SettingsError where there is none of that id."""
        with self._engine.connect() as connection:
            return self._known_event(connection, event_id)

    def events(self) -> list[Switched]:
        """All, the latest to begin first."""
        with self._engine.connect() as connection:
            return self._events(connection)

    def switched_on(self, since_ms: int) -> tuple[Switched, ...]:
        """Those that were switched on, and count or counted after that moment."""
        wanted = (MAJOR_EVENTS.c.on_ms > 0) & (
            (MAJOR_EVENTS.c.off_ms == 0) | (MAJOR_EVENTS.c.off_ms > since_ms)
        )
        with self._engine.connect() as connection:
            found = self._events(connection, wanted)
        return tuple(each for each in found if each.end_ms > since_ms)

    def reports(self, event_id: str) -> list[Report]:
        """Everything that was reported of an event, in the order it came."""
        with self._engine.connect() as connection:
            return self._reports(connection, MAJOR_REPORTS.c.event == event_id)

    def _switched(
        self, connection: sql.Connection, event_id: str, values: dict[str, Any], said: Said
    ) -> Switched:
        connection.execute(sql.update(MAJOR_EVENTS).where(MAJOR_EVENTS.c.id == event_id).values(**values))
        self._record(connection, said)
        return self._known_event(connection, event_id)

    def _known_event(self, connection: sql.Connection, event_id: str) -> Switched:
        found = self._event(connection, event_id)
        if found is None:
            raise SettingsError(f"战时 major event: received {event_id!r}, which the desk does not know")
        return found

    def _event(self, connection: sql.Connection, event_id: str) -> Switched | None:
        found = self._events(connection, MAJOR_EVENTS.c.id == event_id)
        return found[0] if found else None

    def _events(
        self, connection: sql.Connection, where: sql.ColumnElement[bool] | None = None
    ) -> list[Switched]:
        wanted = sql.select(MAJOR_EVENTS).where(sql.true() if where is None else where)
        found = [_switched(row) for row in connection.execute(wanted)]
        return sorted(found, key=lambda each: (-each.event.from_ms, each.event.id))

    def _reports(self, connection: sql.Connection, where: sql.ColumnElement[bool]) -> list[Report]:
        wanted = sql.select(*_REPORT).where(where).order_by(MAJOR_REPORTS.c.number)
        return [Report(**row._mapping) for row in connection.execute(wanted)]  # noqa: SLF001 - its own name


def _switched(row: sql.Row[tuple[object, ...]]) -> Switched:
    facts = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's own name for it
    facts.pop("id")
    return Switched(event=_EVENT(facts.pop("body")), **facts)
