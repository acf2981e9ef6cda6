"""What the desk knows, durable: alerts, who acknowledged them, and the outbox of notifications (SQL).

Dying between any two lines:
- alerts and the offset behind them are one transaction: a batch is known whole, or is read again;
- a notification is written before it is sent, under its key, and marked after: one that died between
  sending and marking is sent again under the same key;
- an acknowledgement is one statement that succeeds for the first person only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

import msgspec
import sqlalchemy as sql
from sqlalchemy.dialects import postgresql, sqlite

from operations.oncall.model import Notification, Tracked
from schemas.alerts import Alert
from schemas.errors import SettingsError

__all__ = ["Outgoing", "Store"]

_METADATA = sql.MetaData()
_ALERTS = sql.Table(
    "alerts",
    _METADATA,
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column("body", sql.LargeBinary, nullable=False),
    sql.Column("revision", sql.BigInteger, nullable=False),
    sql.Column("first_seen_ms", sql.BigInteger, nullable=False),
    sql.Column("open", sql.Boolean, nullable=False),
    sql.Column("changed_ms", sql.BigInteger, nullable=False, index=True),
    sql.Column("acknowledged_by", sql.String(100), nullable=False, server_default=""),
    sql.Column("acknowledged_ms", sql.BigInteger, nullable=False, server_default="0"),
    sql.Column("why", sql.String(500), nullable=False, server_default=""),
)
_OUTBOX = sql.Table(
    "notifications",
    _METADATA,
    sql.Column("key", sql.String(200), primary_key=True),
    sql.Column("alert_id", sql.String(32), nullable=False),
    sql.Column("person", sql.String(100), nullable=False),
    sql.Column("step", sql.Integer, nullable=False),
    sql.Column("due_ms", sql.BigInteger, nullable=False),
    sql.Column("sent_ms", sql.BigInteger, nullable=False, server_default="0", index=True),
    sql.Column("attempts", sql.Integer, nullable=False, server_default="0"),
    sql.Column("next_ms", sql.BigInteger, nullable=False, server_default="0"),
    sql.Column("channel", sql.String(40), nullable=False, server_default=""),
    sql.Column("problem", sql.String(500), nullable=False, server_default=""),
)
_PROGRESS = sql.Table(
    "progress",
    _METADATA,
    sql.Column("topic", sql.String(100), primary_key=True),
    sql.Column("next_offset", sql.BigInteger, nullable=False),
)
_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Alert).decode


class Outgoing(msgspec.Struct, frozen=True):
    """A notification to send now: the message's row, and the alert as it is known."""

    note: Notification
    alert: Alert
    attempts: int


class Store:
    """One database. May be opened by several processes (SQLite in WAL mode, or PostgreSQL)."""

    def __init__(self, url: str) -> None:
        self._engine = sql.create_engine(
            url, connect_args={"timeout": 30} if url.startswith("sqlite") else {}
        )
        if self._engine.dialect.name == "sqlite":
            sql.event.listen(self._engine, "connect", _careful)
        _METADATA.create_all(self._engine)
        self._check()

    def _check(self) -> None:
        """SettingsError for a database of another version: what it knows must not be guessed at."""
        found = sql.inspect(self._engine)
        for table in _METADATA.sorted_tables:
            columns = {column["name"] for column in found.get_columns(table.name)}
            if missing := sorted({column.name for column in table.columns} - columns):
                raise SettingsError(
                    f"operations_database: table {table.name} lacks {', '.join(missing)}: another version "
                    "made it; move it away to begin anew"
                )

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def next_offset(self, topic: str) -> int | None:
        """Where reading goes on; None at the first start."""
        with self._engine.connect() as connection:
            wanted = sql.select(_PROGRESS.c.next_offset).where(_PROGRESS.c.topic == topic)
            return connection.execute(wanted).scalar()

    def take(self, topic: str, alerts: Iterable[Alert], next_offset: int, now_ms: int) -> None:
        """Know these versions, and that the topic is read up to there; both or neither.

        An older version than the one known changes nothing: a worker that died writes again.
        """
        with self._engine.begin() as connection:
            for alert in alerts:
                row = {
                    "body": _ENCODE(alert),
                    "revision": alert.revision,
                    "open": alert.active or alert.latched,
                    "changed_ms": now_ms,
                }
                new = self._insert(_ALERTS).values(id=alert.id, first_seen_ms=now_ms, **row)
                connection.execute(
                    new.on_conflict_do_update(
                        index_elements=[_ALERTS.c.id], set_=row, where=_ALERTS.c.revision < alert.revision
                    )
                )
            moved = self._insert(_PROGRESS).values(topic=topic, next_offset=next_offset)
            connection.execute(
                moved.on_conflict_do_update(
                    index_elements=[_PROGRESS.c.topic], set_={"next_offset": next_offset}
                )
            )

    def changed(self, since_ms: int) -> list[Tracked]:
        """Alerts that changed at or after that moment; from 0, those on the list that wait for somebody."""
        if since_ms:
            wanted = sql.select(_ALERTS).where(_ALERTS.c.changed_ms >= since_ms)
        else:
            wanted = sql.select(_ALERTS).where(_ALERTS.c.open, _ALERTS.c.acknowledged_by == "")
        with self._engine.connect() as connection:
            return [_tracked(row) for row in connection.execute(wanted)]

    def find(self, beginning: str) -> list[Tracked]:
        """Alerts whose id begins so."""
        wanted = sql.select(_ALERTS).where(_ALERTS.c.id.startswith(beginning, autoescape=True))
        with self._engine.connect() as connection:
            return [_tracked(row) for row in connection.execute(wanted)]

    def acknowledge(self, alert_id: str, by: str, why: str, now_ms: int) -> bool:
        """Whether this was the first to acknowledge; for a second one nothing changes."""
        first = (
            sql.update(_ALERTS)
            .where(_ALERTS.c.id == alert_id, _ALERTS.c.acknowledged_by == "")
            .values(acknowledged_by=by, acknowledged_ms=now_ms, why=why, changed_ms=now_ms)
        )
        with self._engine.begin() as connection:
            return connection.execute(first).rowcount == 1

    def plan(self, notes: Sequence[Notification]) -> int:
        """Write what is to be sent; a key that is there is left as it is. Returns how many are new."""
        if not notes:
            return 0
        with self._engine.begin() as connection:
            return sum(
                connection.execute(
                    self._insert(_OUTBOX)
                    .values(
                        key=note.key,
                        alert_id=note.alert_id,
                        person=note.person,
                        step=note.step,
                        due_ms=note.due_ms,
                    )
                    .on_conflict_do_nothing()
                ).rowcount
                for note in notes
            )

    def to_send(self, now_ms: int, limit: int = 500) -> list[Outgoing]:
        """What is not sent yet and may be tried now, the earliest due first.

        Of an alert that was acknowledged or is over in the meantime nothing more is sent.
        """
        wanted = (
            sql.select(_OUTBOX, _ALERTS.c.body)
            .join(_ALERTS, _ALERTS.c.id == _OUTBOX.c.alert_id)
            .where(_OUTBOX.c.sent_ms == 0, _OUTBOX.c.next_ms <= now_ms)
            .where(_ALERTS.c.open, _ALERTS.c.acknowledged_by == "")
            .order_by(_OUTBOX.c.due_ms, _OUTBOX.c.key)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [
                Outgoing(
                    Notification(row.key, row.alert_id, row.person, row.step, row.due_ms),
                    _DECODE(row.body),
                    row.attempts,
                )
                for row in connection.execute(wanted)
            ]

    def sent(self, key: str, channel: str, now_ms: int) -> None:
        """It was taken by a channel."""
        self._note(key, sent_ms=now_ms, channel=channel, problem="")

    def failed(self, key: str, problem: str, next_ms: int) -> None:
        """No channel took it; try again then."""
        self._note(key, problem=problem[:500], next_ms=next_ms)

    def history(self, alert_id: str) -> Iterator[dict[str, object]]:
        """The notifications of an alert, in the order they were due."""
        wanted = sql.select(_OUTBOX).where(_OUTBOX.c.alert_id == alert_id).order_by(_OUTBOX.c.due_ms)
        with self._engine.connect() as connection:
            for row in connection.execute(wanted):
                yield dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's own name for it

    def _note(self, key: str, **values: object) -> None:
        change = sql.update(_OUTBOX).where(_OUTBOX.c.key == key)
        with self._engine.begin() as connection:
            connection.execute(change.values(attempts=_OUTBOX.c.attempts + 1, **values))

    def _insert(self, table: sql.Table) -> sqlite.Insert | postgresql.Insert:
        if self._engine.dialect.name == "sqlite":
            return sqlite.insert(table)
        return postgresql.insert(table)


def _tracked(row: sql.Row[tuple[object, ...]]) -> Tracked:
    return Tracked(_DECODE(row.body), row.first_seen_ms, row.acknowledged_by, row.acknowledged_ms)


def _careful(connection: sqlite3.Connection, _record: object) -> None:
    """Every commit on the disk before it is told; readers do not wait for writers."""
    connection.execute("PRAGMA journal_mode=WAL").close()
    connection.execute("PRAGMA synchronous=FULL").close()
