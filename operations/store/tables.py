"""The tables of the desk. What changes here is a step in `migrations/versions/` too; a test compares them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql

from operations.store.columns import NUMBER

__all__ = [
    "ACTIONS",
    "ALERTS",
    "AUDIT",
    "BADGES",
    "FAILED_SIGN_INS",
    "FLOODS",
    "METADATA",
    "OUTBOX",
    "PEOPLE",
    "PROGRESS",
    "SESSIONS",
]

METADATA: Final = sql.MetaData()


def _int(name: str, *, index: bool = False) -> sql.Column[int]:
    return sql.Column(name, sql.BigInteger, nullable=False, server_default="0", index=index)


def _text(name: str, length: int, default: str = "", *, index: bool = False) -> sql.Column[str]:
    return sql.Column(name, sql.String(length), nullable=False, server_default=default, index=index)


def _flag(name: str) -> sql.Column[bool]:
    return sql.Column(name, sql.Boolean, nullable=False, server_default=sql.false())


ALERTS: Final = sql.Table(
    "alerts",
    METADATA,
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column("body", sql.LargeBinary, nullable=False),
    sql.Column("revision", sql.BigInteger, nullable=False),
    sql.Column("first_seen_ms", sql.BigInteger, nullable=False),
    sql.Column("open", sql.Boolean, nullable=False),
    sql.Column("changed_ms", sql.BigInteger, nullable=False, index=True),
    _text("acknowledged_by", 100),
    _int("acknowledged_ms"),
    _text("why", 500),
    _text("cause", 100, index=True),
    _int("reset_count"),
    _flag("hidden"),
    _int("round"),
    _int("visible_ms"),
    _text("rule", 100),
    _text("place", 20),
    _int("onset_ms"),
    _text("outcome", 20),
    sql.Column("change", sql.BigInteger, nullable=False, server_default="0", index=True),
    sql.Index("ix_alerts_rule_place_onset_ms", "rule", "place", "onset_ms"),
)
"""`open`: active, or latched and not reset since (`reset_count`: the alert's count at its reset). `hidden`,
`round`, `visible_ms`: as annunciation last saw it; each end of a hiding begins a round. `change`: the
number of its newest change; numbers are in the order of commits, so who follows them misses none."""

OUTBOX: Final = sql.Table(
    "notifications",
    METADATA,
    sql.Column("key", sql.String(200), primary_key=True),
    sql.Column("alert_id", sql.String(32), nullable=False, index=True),
    sql.Column("person", sql.String(100), nullable=False),
    sql.Column("step", sql.Integer, nullable=False),
    sql.Column("due_ms", sql.BigInteger, nullable=False),
    _int("sent_ms", index=True),
    _int("attempts"),
    _int("next_ms"),
    _text("channel", 40),
    _text("problem", 500),
    _text("state", 10, "waiting", index=True),
    _int("planned_ms", index=True),
    _int("repeat"),
    _flag("again"),
    _flag("urgent"),
    _text("digest", 200, index=True),
    _text("head", 500),
    _text("text", 4000),
    _text("refused", 500),
)
"""`state`: waiting (to be sent), collapsed (goes into the next digest), digested (is in `digest`), sent,
parked (every channel refused it for good), or withdrawn (`problem` says why). `refused`: marks of the
channels that refused it for good, separated by blanks. A digest, and a message of a hand-over or a
major event, is a row of no alert. `again`: the console had it before."""

PROGRESS: Final = sql.Table(
    "progress",
    METADATA,
    sql.Column("topic", sql.String(100), primary_key=True),
    sql.Column("next_offset", sql.BigInteger, nullable=False),
)

ACTIONS: Final = sql.Table(
    "actions",
    METADATA,
    sql.Column("number", NUMBER, primary_key=True, autoincrement=True),
    sql.Column("id", sql.String(64), nullable=False, unique=True),
    sql.Column("kind", sql.String(20), nullable=False, index=True),
    sql.Column("alert_id", sql.String(32), nullable=False, index=True),
    sql.Column("rule", sql.String(100), nullable=False),
    sql.Column("place", sql.String(20), nullable=False),
    sql.Column("device", sql.String(200), nullable=False),
    sql.Column("by", sql.String(100), nullable=False),
    sql.Column("second", sql.String(100), nullable=False),
    sql.Column("at_ms", sql.BigInteger, nullable=False),
    sql.Column("until_ms", sql.BigInteger, nullable=False),
    sql.Column("count", sql.BigInteger, nullable=False),
    sql.Column("why", sql.String(2000), nullable=False),
    _text("outcome", 20),
    _text("person", 100),
)
"""Append-only; `number` is the order in which they came to count."""

FLOODS: Final = sql.Table(
    "floods",
    METADATA,
    sql.Column("console", sql.String(100), primary_key=True),
    sql.Column("start_ms", sql.BigInteger, primary_key=True),
    _int("end_ms", index=True),
    _int("count"),
    _int("peak"),
)

PEOPLE: Final = sql.Table(
    "people",
    METADATA,
    sql.Column("id", sql.String(100), primary_key=True),
    sql.Column("name", sql.String(100), nullable=False),
    sql.Column("roles", sql.String(500), nullable=False),
    sql.Column("places", sql.String(2000), nullable=False),
    _text("department", 100),
    _flag("disabled"),
    sql.Column("made_ms", sql.BigInteger, nullable=False),
    sql.Column("password_hash", sql.String(300), nullable=False),
    sql.Column("password_ms", sql.BigInteger, nullable=False),
    sql.Column("totp_secret", sql.String(64), nullable=False),
    _int("totp_step"),
)
"""`roles` and `places`: separated by blanks. `totp_step`: the last whose code was used."""

SESSIONS: Final = sql.Table(
    "sessions",
    METADATA,
    sql.Column("token_hash", sql.String(64), primary_key=True),
    sql.Column("person", sql.String(100), nullable=False, index=True),
    sql.Column("terminal", sql.String(20), nullable=False),
    sql.Column("begun_ms", sql.BigInteger, nullable=False),
    sql.Column("seen_ms", sql.BigInteger, nullable=False),
    _int("ended_ms"),
)

FAILED_SIGN_INS: Final = sql.Table(
    "failed_sign_ins",
    METADATA,
    sql.Column("number", NUMBER, primary_key=True, autoincrement=True),
    sql.Column("person", sql.String(100), nullable=False, index=True),
    sql.Column("at_ms", sql.BigInteger, nullable=False),
)
"""Since the name last signed in; whether there is such a person or not."""

BADGES: Final = sql.Table(
    "badges",
    METADATA,
    sql.Column("person", sql.String(100), primary_key=True),
    sql.Column("kind", sql.String(10), primary_key=True),
    sql.Column("hash", sql.String(64), nullable=False),
    sql.Column("salt", sql.String(32), nullable=False),
    sql.Column("made_ms", sql.BigInteger, nullable=False),
    sql.Index("ix_badges_hash", "hash"),
)
"""`kind`: badge, pin. `hash`: Argon2id with that salt, which all badges share: they are found by it."""

AUDIT: Final = sql.Table(
    "audit",
    METADATA,
    sql.Column("number", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("at_ms", sql.BigInteger, nullable=False, index=True),
    sql.Column("who", sql.String(100), nullable=False, index=True),
    sql.Column("terminal", sql.String(20), nullable=False),
    sql.Column("what", sql.String(100), nullable=False),
    sql.Column("of", sql.String(300), nullable=False),
    sql.Column("detail", sql.String(4000), nullable=False),
    sql.Column("previous", sql.String(64), nullable=False),
    sql.Column("hash", sql.String(64), nullable=False),
)
"""Append-only, each entry holding the hash of the one before (`operations.people.audit`)."""
