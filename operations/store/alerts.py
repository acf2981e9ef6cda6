"""Alerts as the desk knows them: the newest version of each, and where annunciation stands with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import msgspec
import sqlalchemy as sql

from operations.alerts.actions import Outcome
from operations.alerts.similar import Similar
from operations.oncall.model import Tracked
from operations.store.leases import LeaseRows
from operations.store.tables import ALERTS, PROGRESS
from schemas.alerts import Alert

__all__ = ["AlertRows"]

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Alert).decode
_CHANGES = "alerts/changes"
_WRITTEN = (
    *("id", "first_seen_ms", "body", "revision", "open", "changed_ms", "change"),
    *("cause", "rule", "place", "onset_ms"),
)
_WAITING = sql.and_(ALERTS.c.open, ALERTS.c.acknowledged_by == "")


class AlertRows(LeaseRows):
    """The table `alerts`, and how far the topic is read."""

    def next_offset(self, topic: str) -> int | None:
        """Where reading goes on; None at the first start."""
        with self._engine.connect() as connection:
            wanted = sql.select(PROGRESS.c.next_offset).where(PROGRESS.c.topic == topic)
            return connection.execute(wanted).scalar()

    def take(self, topic: str, alerts: Iterable[Alert], next_offset: int, now_ms: int) -> None:
        """Know these versions, and that the topic is read up to there; both or neither.

        An older version than the one known changes nothing: a worker that died writes again.
        """
        with self._writing(urgent=True) as connection:
            self._know(connection, alerts, now_ms)
            moved = self._insert(PROGRESS).values(topic=topic, next_offset=next_offset)
            connection.execute(
                moved.on_conflict_do_update(
                    index_elements=[PROGRESS.c.topic], set_={"next_offset": next_offset}
                )
            )

    def go_on(self, topic: str, next_offset: int) -> None:
        """Reading, or writing, goes on from there; never from before where it was."""
        new = self._insert(PROGRESS).values(topic=topic, next_offset=next_offset)
        further = PROGRESS.c.next_offset < next_offset
        moved = new.on_conflict_do_update(
            index_elements=[PROGRESS.c.topic], set_={"next_offset": next_offset}, where=further
        )
        with self._writing() as connection:
            connection.execute(moved)

    def know(self, alerts: Iterable[Alert], now_ms: int) -> None:
        """Know these versions, whatever is read of the topic; an older one than is known changes nothing."""
        with self._fenced() as connection:
            self._know(connection, alerts, now_ms)

    def _know(self, connection: sql.Connection, alerts: Iterable[Alert], now_ms: int) -> None:
        change = self._next_change(connection)
        if rows := [_row(alert, now_ms, change) for alert in alerts]:
            connection.execute(self._newer, rows)

    def _next_change(self, connection: sql.Connection) -> int:
        """The number of what changes in this transaction; nobody else has one until it is committed."""
        self._alone(connection, _CHANGES)
        wanted = sql.select(PROGRESS.c.next_offset).where(PROGRESS.c.topic == _CHANGES)
        return int(connection.execute(wanted).scalar_one())

    @cached_property
    def _newer(self) -> sql.Executable:
        """Written once: in a storm the making of a statement for each alert costs more than its rows."""
        new = self._insert(ALERTS).values({name: sql.bindparam(name) for name in _WRITTEN})
        given = {name: new.excluded[name] for name in _WRITTEN if name not in {"id", "first_seen_ms"}}
        return new.on_conflict_do_update(
            index_elements=[ALERTS.c.id],
            set_=given | _after_reset(new.excluded.changed_ms),
            where=ALERTS.c.revision < new.excluded.revision,
        )

    def waiting(self) -> list[Tracked]:
        """Alerts on the list that nobody has acknowledged."""
        return self._tracked(_WAITING)

    def last_change(self) -> int:
        """The number of the newest change; 0 before the first."""
        with self._engine.connect() as connection:
            return connection.execute(sql.select(sql.func.max(ALERTS.c.change))).scalar() or 0

    def changed_after(self, change: int) -> tuple[int, list[Tracked]]:
        """The number of the newest change, and the alerts that changed after that one, whoever changed them.

        No change is missed, however long its transaction took.
        """
        rows = self._rows(ALERTS.c.change > change)
        return max([change, *(row.change for row in rows)]), [_tracked(row) for row in rows]

    def find(self, beginning: str) -> list[Tracked]:
        """Alerts whose id begins so."""
        return self._tracked(ALERTS.c.id.startswith(beginning, autoescape=True))

    def alerts(self, since_ms: int = 0) -> list[Alert]:
        """Alerts that are open, or changed since then."""
        wanted = sql.select(ALERTS.c.body).where(ALERTS.c.open | (ALERTS.c.changed_ms >= since_ms))
        with self._engine.connect() as connection:
            return [_DECODE(body) for body in connection.execute(wanted).scalars()]

    def concluded(self, from_ms: int, until_ms: int) -> list[tuple[Alert, Outcome]]:
        """Alerts that began in that time, and of which somebody said what they were."""
        wanted = sql.select(ALERTS.c.body, ALERTS.c.outcome).where(
            ALERTS.c.outcome != "", ALERTS.c.onset_ms >= from_ms, ALERTS.c.onset_ms < until_ms
        )
        with self._engine.connect() as connection:
            return [(_DECODE(row.body), row.outcome) for row in connection.execute(wanted)]

    def similar(self, alert: Alert, most: int = 3) -> list[Alert]:
        """The newest alerts before this one, of its rule and place."""
        with self._engine.connect() as connection:
            return [_DECODE(row.body) for row in connection.execute(_similar(alert, most))]

    def became(self, alert: Alert, most: int = 3) -> list[Similar]:
        """What became of `similar`."""
        with self._engine.connect() as connection:
            rows = connection.execute(_similar(alert, most))
            return [_became(_DECODE(row.body), row) for row in rows]

    def parents(self) -> list[Alert]:
        """Alerts that stand for others now."""
        with self._engine.connect() as connection:
            return self._parents(connection)

    def _parents(self, connection: sql.Connection) -> list[Alert]:
        wanted = sql.select(ALERTS.c.body).where(ALERTS.c.cause != "", ALERTS.c.open)
        found = [_DECODE(body) for body in connection.execute(wanted).scalars()]
        return [alert for alert in found if alert.active]

    def standing(self, rule: str) -> list[Alert]:
        """The alerts of a rule that are active."""
        wanted = sql.select(ALERTS.c.body).where(ALERTS.c.rule == rule, ALERTS.c.open)
        with self._engine.connect() as connection:
            found = [_DECODE(body) for body in connection.execute(wanted).scalars()]
        return [alert for alert in found if alert.active]

    def annunciation(self, hidden: Sequence[str], shown: Sequence[str], now_ms: int) -> None:
        """Note which alerts became hidden, and which are so no longer: those begin a new round."""
        if not hidden and not shown:
            return
        with self._fenced() as connection:
            for ids, values in (
                (hidden, {"hidden": True}),
                (shown, {"hidden": False, "round": ALERTS.c.round + 1, "visible_ms": now_ms}),
            ):
                for start in range(0, len(ids), 500):
                    part = ALERTS.c.id.in_(ids[start : start + 500])
                    connection.execute(sql.update(ALERTS).where(part).values(**values))

    def _rows(self, where: sql.ColumnElement[bool]) -> Sequence[sql.Row[Any]]:
        with self._engine.connect() as connection:
            return connection.execute(sql.select(ALERTS).where(where)).all()

    def _tracked(self, where: sql.ColumnElement[bool]) -> list[Tracked]:
        return [_tracked(row) for row in self._rows(where)]


def _tracked(row: sql.Row[Any]) -> Tracked:
    return Tracked(
        _DECODE(row.body),
        row.first_seen_ms,
        row.acknowledged_by,
        row.acknowledged_ms,
        hidden=row.hidden,
        round=row.round,
        visible_ms=row.visible_ms,
    )


def _similar(alert: Alert, most: int) -> sql.Select[Any]:
    alike = (ALERTS.c.rule == alert.rule) & (ALERTS.c.place == alert.place)
    before = alike & (ALERTS.c.onset_ms < alert.onset_ms)
    return sql.select(ALERTS).where(before).order_by(ALERTS.c.onset_ms.desc()).limit(most)


def _became(alert: Alert, row: sql.Row[Any]) -> Similar:
    lasted_ms = 0 if alert.active else max(alert.cleared_ms - alert.onset_ms, 1)
    return Similar(alert.id, alert.onset_ms, lasted_ms, row.acknowledged_by, row.why, row.outcome)


def _row(alert: Alert, now_ms: int, change: int) -> dict[str, Any]:
    """What an alert is written with; `active`, `latched` and `count` decide about a row that was reset."""
    return {
        "id": alert.id,
        "first_seen_ms": now_ms,
        "body": _ENCODE(alert),
        "revision": alert.revision,
        "open": alert.active or alert.latched,
        "changed_ms": now_ms,
        "change": change,
        "cause": alert.cause,
        "rule": alert.rule,
        "place": alert.place,
        "onset_ms": alert.onset_ms,
        "its_active": alert.active,
        "its_latched": alert.latched,
        "its_count": alert.count,
    }


def _after_reset(now_ms: sql.ColumnElement[int]) -> dict[str, Any]:
    """What was reset stays off the list until the alert begins anew; then nobody saw it yet, and it rings."""
    count = sql.bindparam("its_count", type_=sql.BigInteger)
    active, latched = (sql.bindparam(name, type_=sql.Boolean) for name in ("its_active", "its_latched"))
    anew = (ALERTS.c.reset_count > 0) & (ALERTS.c.reset_count < count)
    changed = {
        "acknowledged_by": sql.literal(""),
        "acknowledged_ms": sql.literal(0),
        "round": ALERTS.c.round + 1,
        "visible_ms": now_ms,
        "reset_count": sql.literal(0),
    }
    kept: dict[str, Any] = {
        name: sql.case((anew, value), else_=ALERTS.c[name]) for name, value in changed.items()
    }
    return kept | {"open": active | (latched & (ALERTS.c.reset_count < count))}
