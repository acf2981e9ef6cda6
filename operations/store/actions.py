"""What people did, append-only: judged and written in one transaction, so that of two the first counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sql

from operations.alerts.actions import SCOPED, Action, Target, action_id, covers
from operations.alerts.refusals import MAX_SHELVE_S, refusal, scope_refusal
from operations.alerts.states import State, in_force, state_of
from operations.people.audit import Said
from operations.store.alerts import AlertRows
from operations.store.audit import AuditRows
from operations.store.tables import ACTIONS, ALERTS
from schemas.alerts import Alert
from schemas.errors import Refused, SettingsError

__all__ = ["ActionRows"]

_DECODE = msgspec.json.Decoder(Alert).decode
_TURN = "actions"
_ENDING = (ACTIONS.c.until_ms == 0) | (ACTIONS.c.until_ms > sql.bindparam("now_ms"))
_HIDING = ("shelve", "shelve_once", "unshelve", *sorted(SCOPED))


class ActionRows(AlertRows, AuditRows):
    """The table `actions`."""

    def act(
        self, action: Action, now_ms: int, max_shelve_s: int = MAX_SHELVE_S, said: Said | None = None
    ) -> Action:
        """Do it, or raise Refused with the words. The same identity again changes nothing.

        Returned is what is written: of a repeat, what was written first. `said` goes into the record with it.
        """
        with self._writing(urgent=True) as connection:
            self._alone(connection, _TURN)
            if (before := self._known(connection, action.id)) is not None:
                return before
            if action.target.alert_id:
                action = self._judged(connection, action, now_ms, max_shelve_s)
            elif words := scope_refusal(action, self._actions(connection, ACTIONS.c.alert_id == "")):
                raise Refused(words)
            connection.execute(sql.insert(ACTIONS).values(**_row(action)))
            self._apply(connection, action, now_ms)
            if said is not None:
                self._record(connection, said)
            return action

    def _conclude(self, connection: sql.Connection, actions: Iterable[Action], now_ms: int) -> None:
        """What the alerts of a case were, in the transaction that closes it; a later word than any before."""
        self._alone(connection, _TURN)
        for action in actions:
            if self._known(connection, action.id) is None:
                connection.execute(sql.insert(ACTIONS).values(**_row(action)))
                self._apply(connection, action, now_ms)

    def acknowledge(self, alert_id: str, by: str, why: str, now_ms: int) -> bool:
        """Whether this was the first to acknowledge; for a second one nothing changes."""
        target = Target(alert_id=alert_id)
        identity = action_id("acknowledge", target, by, now_ms)
        said = Action(id=identity, kind="acknowledge", target=target, by=by, at_ms=now_ms, why=why)
        try:
            self.act(said, now_ms)
        except Refused:
            return False
        return True

    def hidings(self, now_ms: int) -> list[Action]:
        """What hides alerts now (whether a one-shot shelving ended with its alert, the alert says)."""
        with self._engine.connect() as connection:
            wanted = ACTIONS.c.kind.in_(_HIDING) & _ENDING
            return in_force(self._actions(connection, wanted, now_ms=now_ms), now_ms)

    def actions_of(self, alert: Alert) -> list[Action]:
        """Every action about the alert, in order."""
        with self._engine.connect() as connection:
            return self._about(connection, alert)

    def actions_on(self, alert_ids: Sequence[str]) -> list[Action]:
        """Every action on these very alerts, in order."""
        with self._engine.connect() as connection:
            return self._actions(connection, ACTIONS.c.alert_id.in_(alert_ids))

    def actions_since(self, since_ms: int) -> list[Action]:
        """Every action since then, in order."""
        with self._engine.connect() as connection:
            return self._actions(connection, ACTIONS.c.at_ms >= since_ms)

    def actions_after(self, number: int, limit: int) -> list[tuple[int, Action]]:
        """Actions after that number, with theirs, in the order in which they came to count."""
        wanted = sql.select(ACTIONS).where(ACTIONS.c.number > number).order_by(ACTIONS.c.number).limit(limit)
        with self._engine.connect() as connection:
            return [(row.number, _action(row)) for row in connection.execute(wanted)]

    def last_action(self) -> int:
        """The number of the newest action; 0 before the first."""
        with self._engine.connect() as connection:
            return connection.execute(sql.select(sql.func.max(ACTIONS.c.number))).scalar() or 0

    def touched_after(self, number: int) -> tuple[int, list[Alert]]:
        """The newest action's number, and the alerts that actions after that one were about."""
        later = sql.select(ACTIONS.c.number, ACTIONS.c.alert_id).where(ACTIONS.c.number > number)
        with self._engine.connect() as connection:
            rows = connection.execute(later).all()
            ids = {row.alert_id for row in rows if row.alert_id}
            bodies = connection.execute(sql.select(ALERTS.c.body).where(ALERTS.c.id.in_(ids))).scalars()
            return max([number, *(row.number for row in rows)]), [_DECODE(body) for body in bodies]

    def state(self, alert: Alert, now_ms: int) -> State:
        """The state of an alert now."""
        return state_of(alert, self.actions_of(alert), now_ms, self.parents())

    def _known(self, connection: sql.Connection, identity: str) -> Action | None:
        found = self._actions(connection, ACTIONS.c.id == identity)
        return found[0] if found else None

    def _judged(self, connection: sql.Connection, action: Action, now_ms: int, max_shelve_s: int) -> Action:
        """The action with what the alert adds to it; Refused where it is not allowed."""
        body = connection.execute(
            sql.select(ALERTS.c.body).where(ALERTS.c.id == action.target.alert_id)
        ).scalar()
        if body is None:
            raise SettingsError(f"alert: received {action.target.alert_id!r}, which the desk does not know")
        alert = _DECODE(body)
        state = state_of(alert, self._about(connection, alert), now_ms, self._parents(connection))
        if words := refusal(action, alert, state, max_shelve_s):
            raise Refused(words)
        until_ms = action.until_ms
        if action.kind == "unshelve" and state.shelved is not None:
            until_ms = state.shelved.until_ms
        return msgspec.structs.replace(action, target=Target.of(alert), count=alert.count, until_ms=until_ms)

    def _apply(self, connection: sql.Connection, action: Action, now_ms: int) -> None:
        """What an action changes about its alert's row, so that who looks for changes sees it."""
        if action.kind == "acknowledge":
            values = {"acknowledged_by": action.by, "acknowledged_ms": action.at_ms, "why": action.why[:500]}
        elif action.kind == "reset":
            values = {"open": False, "reset_count": action.count}
        elif action.kind == "conclude":
            values = {"outcome": action.outcome}
        else:
            return
        values |= {"changed_ms": now_ms, "change": self._next_change(connection)}
        connection.execute(sql.update(ALERTS).where(ALERTS.c.id == action.target.alert_id).values(values))

    def _about(self, connection: sql.Connection, alert: Alert) -> list[Action]:
        alarm = (ACTIONS.c.rule == alert.rule) & (ACTIONS.c.place == alert.place)
        wanted = (ACTIONS.c.alert_id.in_(("", alert.id))) | (alarm & (ACTIONS.c.device == alert.device))
        return [each for each in self._actions(connection, wanted) if covers(each, alert)]

    def _actions(
        self, connection: sql.Connection, where: sql.ColumnElement[bool], **values: int
    ) -> list[Action]:
        wanted = sql.select(ACTIONS).where(where).order_by(ACTIONS.c.number)
        return [_action(row) for row in connection.execute(wanted, values)]


def _row(action: Action) -> dict[str, object]:
    target = action.target
    return {
        "id": action.id,
        "kind": action.kind,
        "alert_id": target.alert_id,
        "rule": target.rule,
        "place": target.place,
        "device": target.device,
        "by": action.by,
        "second": action.second,
        "at_ms": action.at_ms,
        "until_ms": action.until_ms,
        "count": action.count,
        "why": action.why,
        "outcome": action.outcome,
        "person": action.person,
    }


def _action(row: sql.Row[tuple[object, ...]]) -> Action:
    facts = row._mapping  # noqa: SLF001 - SQLAlchemy's own name for it
    return Action(
        id=facts["id"],
        kind=facts["kind"],
        target=Target(facts["alert_id"], facts["rule"], facts["place"], facts["device"]),
        by=facts["by"],
        at_ms=facts["at_ms"],
        why=facts["why"],
        second=facts["second"],
        until_ms=facts["until_ms"],
        count=facts["count"],
        outcome=facts["outcome"],
        person=facts["person"],
    )
