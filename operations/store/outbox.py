"""The outbox: every notification before it is sent, under its key, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
import sqlalchemy as sql

from operations.alerts.load import Annunciation
from operations.oncall.flood import Flood
from operations.oncall.model import Message, Notification
from operations.oncall.refused import RULE, Parked
from operations.store.alerts import AlertRows
from operations.store.tables import ALERTS, FLOODS, OUTBOX
from schemas.alerts import Alert

__all__ = ["OutboxRows", "Outgoing", "Planned"]

_DECODE = msgspec.json.Decoder(Alert).decode
_WAITING = (OUTBOX.c.state == "waiting") & (OUTBOX.c.sent_ms == 0)
_ASKED = (ALERTS.c.open & (ALERTS.c.acknowledged_by == "")) | (OUTBOX.c.alert_id == "")
_FIRST = ~OUTBOX.c.again & (OUTBOX.c.alert_id != "")


class Outgoing(msgspec.Struct, frozen=True):
    """A notification to send now. `alert` as it is known; None of a digest, which has its words.

    `refused`: marks of the channels that refused it for good.
    """

    note: Notification
    alert: Alert | None
    attempts: int
    head: str = ""
    text: str = ""
    refused: frozenset[str] = frozenset()


class Planned(msgspec.Struct, frozen=True):
    """A notification to write down: to be sent by itself, or collapsed into the next digest."""

    note: Notification
    urgent: bool = False
    collapsed: bool = False


class OutboxRows(AlertRows):
    """The tables `notifications` and `floods`."""

    def unknown(self, notes: Sequence[Notification]) -> list[Notification]:
        """Those whose key is not written yet."""
        known: set[str] = set()
        with self._engine.connect() as connection:
            for start in range(0, len(notes), 500):
                keys = [note.key for note in notes[start : start + 500]]
                known.update(
                    connection.execute(sql.select(OUTBOX.c.key).where(OUTBOX.c.key.in_(keys))).scalars()
                )
        return [note for note in notes if note.key not in known]

    def plan(self, planned: Iterable[Planned], floods: Iterable[Flood], now_ms: int) -> None:
        """Write what is to be told, and the floods it began, fed or ended; a known key is left as it is."""
        rows = [_row(each, now_ms) for each in planned]
        floods = list(floods)
        if not rows and not floods:
            return
        with self._fenced() as connection:
            for row in rows:
                connection.execute(self._insert(OUTBOX).values(**row).on_conflict_do_nothing())
            for flood in floods:
                values = {"end_ms": flood.end_ms, "count": flood.count, "peak": flood.peak}
                new = self._insert(FLOODS).values(console=flood.console, start_ms=flood.start_ms, **values)
                connection.execute(
                    new.on_conflict_do_update(index_elements=["console", "start_ms"], set_=values)
                )

    def plan_messages(self, messages: Sequence[Message], now_ms: int) -> None:
        """Write what is to be said that is of no alert; a known key is left as it is."""
        if not messages:
            return
        with self._fenced() as connection:
            for message in messages:
                self._put(connection, message, now_ms)

    def _put(self, connection: sql.Connection, message: Message, now_ms: int) -> None:
        words = {"head": message.head[:500], "text": message.text[:4000], "alert_id": "", "step": 0}
        times = {"due_ms": now_ms, "planned_ms": now_ms}
        new = self._insert(OUTBOX).values(key=message.key, person=message.person, **words, **times)
        connection.execute(new.on_conflict_do_nothing())

    def to_send(self, now_ms: int, limit: int = 500) -> list[Outgoing]:
        """What is not sent yet and may be tried now: life safety first, then the earliest due.

        Of an alert that was acknowledged or is over in the meantime nothing more is sent.
        """
        wanted = (
            sql.select(OUTBOX, ALERTS.c.body)
            .outerjoin(ALERTS, ALERTS.c.id == OUTBOX.c.alert_id)
            .where(_WAITING, OUTBOX.c.next_ms <= now_ms, _ASKED)
            .order_by(OUTBOX.c.urgent.desc(), OUTBOX.c.due_ms, OUTBOX.c.key)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [_outgoing(row) for row in connection.execute(wanted)]

    def sent(self, key: str, channel: str, now_ms: int) -> None:
        """It was taken by a channel, and with a digest all that is in it."""
        told = {"sent_ms": now_ms, "channel": channel, "problem": "", "state": "sent"}
        with self._fenced() as connection:
            own = sql.update(OUTBOX).where(OUTBOX.c.key == key)
            connection.execute(own.values(attempts=OUTBOX.c.attempts + 1, **told))
            connection.execute(sql.update(OUTBOX).where(OUTBOX.c.digest == key).values(**told))

    def failed(self, key: str, problem: str, next_ms: int, refused: Iterable[str] = ()) -> None:
        """No channel took it; try again then, but not those that refused it for good."""
        self._tried(key, problem, {"next_ms": next_ms, "refused": " ".join(sorted(refused))[:500]})

    def park(self, key: str, problem: str) -> None:
        """Every channel refused it for good: it is not tried again by this process."""
        self._tried(key, problem, {"state": "parked"})

    def _tried(self, key: str, problem: str, values: dict[str, object]) -> None:
        own = sql.update(OUTBOX).where(OUTBOX.c.key == key)
        with self._fenced() as connection:
            connection.execute(own.values(attempts=OUTBOX.c.attempts + 1, problem=problem[:500], **values))

    def unpark(self) -> None:
        """All that is parked is tried once more: the on-call file may have been put right."""
        with self._fenced() as connection:
            held = sql.update(OUTBOX).where(OUTBOX.c.state == "parked")
            connection.execute(held.values(state="waiting", refused="", next_ms=0))

    def parked(self) -> dict[str, Parked]:
        """By person, what is parked and still wanted: of an open alert nobody answered, or of none."""
        wanted = (
            sql.select(OUTBOX.c.person, sql.func.count().label("held"), sql.func.max(OUTBOX.c.problem))
            .outerjoin(ALERTS, ALERTS.c.id == OUTBOX.c.alert_id)
            .where(OUTBOX.c.state == "parked", _ASKED, sql.func.coalesce(ALERTS.c.rule, "") != RULE)
            .group_by(OUTBOX.c.person)
        )
        with self._engine.connect() as connection:
            return {person: Parked(held, problem) for person, held, problem in connection.execute(wanted)}

    def withdraw(self, reasons: dict[str, str]) -> None:
        """These keys are not sent, for these reasons."""
        if not reasons:
            return
        with self._fenced() as connection:
            for key, why in reasons.items():
                mine = sql.update(OUTBOX).where(OUTBOX.c.key == key, OUTBOX.c.sent_ms == 0)
                connection.execute(mine.values(state="withdrawn", problem=why[:500]))

    def history(self, alert_id: str) -> Iterator[dict[str, object]]:
        """The notifications of an alert, in the order they were due."""
        wanted = sql.select(OUTBOX).where(OUTBOX.c.alert_id == alert_id).order_by(OUTBOX.c.due_ms)
        with self._engine.connect() as connection:
            for row in connection.execute(wanted):
                yield dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's own name for it

    def annunciated(self, since_ms: int) -> list[Annunciation]:
        """Every alarm that was annunciated to a console since then, in order; each once a round."""
        at_ms = sql.func.coalesce(sql.func.nullif(OUTBOX.c.planned_ms, 0), OUTBOX.c.due_ms)
        wanted = (
            sql.select(OUTBOX.c.person, at_ms.label("at_ms"), ALERTS.c.body)
            .join(ALERTS, ALERTS.c.id == OUTBOX.c.alert_id)
            .where(_FIRST, OUTBOX.c.state != "withdrawn", at_ms >= since_ms)
            .order_by("at_ms")
        )
        with self._engine.connect() as connection:
            return [
                Annunciation.of(_DECODE(row.body), row.at_ms, row.person)
                for row in connection.execute(wanted)
            ]

    def load(self, since_ms: int) -> list[tuple[str, int]]:
        """(console, when) of what was annunciated after that moment, in order: what a restart needs."""
        wanted = (
            sql.select(OUTBOX.c.person, OUTBOX.c.planned_ms)
            .where(_FIRST, OUTBOX.c.planned_ms > since_ms)
            .order_by(OUTBOX.c.planned_ms)
        )
        with self._engine.connect() as connection:
            return [(row.person, row.planned_ms) for row in connection.execute(wanted)]

    def floods(self, since_ms: int | None = None) -> list[Flood]:
        """Floods that go on; with a moment, those too that ended after it."""
        wanted = FLOODS.c.end_ms == 0
        if since_ms is not None:
            wanted |= FLOODS.c.end_ms > since_ms
        with self._engine.connect() as connection:
            found = sql.select(FLOODS, FLOODS.c.count.label("held")).where(wanted)
            rows = connection.execute(found.order_by(FLOODS.c.start_ms, FLOODS.c.console))
            return [Flood(r.console, r.start_ms, r.held, r.peak, r.end_ms) for r in rows]


def _row(planned: Planned, now_ms: int) -> dict[str, object]:
    note = planned.note
    return {
        "key": note.key,
        "alert_id": note.alert_id,
        "person": note.person,
        "step": note.step,
        "due_ms": note.due_ms,
        "planned_ms": now_ms,
        "repeat": note.repeat,
        "again": note.again,
        "urgent": planned.urgent,
        "state": "collapsed" if planned.collapsed else "waiting",
    }


def _outgoing(row: sql.Row[tuple[object, ...]]) -> Outgoing:
    facts = row._mapping  # noqa: SLF001 - SQLAlchemy's own name for it
    note = Notification(
        facts["key"],
        facts["alert_id"],
        facts["person"],
        facts["step"],
        facts["due_ms"],
        facts["repeat"],
        again=facts["again"],
    )
    alert = _DECODE(facts["body"]) if facts["body"] is not None else None
    refused = frozenset(facts["refused"].split())
    return Outgoing(note, alert, facts["attempts"], facts["head"], facts["text"], refused)
