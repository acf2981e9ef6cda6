"""The table `audit`: entries are added at the end, one at a time, and never changed."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sql

from operations.people.audit import BEGINNING, Anchor, Entry, Said, chained
from operations.store.database import Database
from operations.store.tables import AUDIT

__all__ = ["AuditRows"]

_TURN = "audit"
_PAGE = 1_000
_LENGTHS = {"who": 100, "terminal": 20, "what": 100, "of": 300, "detail": 4000}


class AuditRows(Database):
    """The table `audit`."""

    def record(self, said: Said) -> Entry:
        """Write it down as the next entry; returned is what was written."""
        with self._engine.begin() as connection:
            return self._record(connection, said)

    def _record(self, connection: sql.Connection, said: Said) -> Entry:
        """The same within a transaction: what is done and its entry are known together or not at all."""
        self._alone(connection, _TURN)
        head = _head(connection)
        entry = chained(head.number + 1, _shortened(said), head.hash)
        connection.execute(sql.insert(AUDIT).values(**_row(entry)))
        return entry

    def head(self) -> Anchor:
        """The last entry's number and hash."""
        with self._engine.connect() as connection:
            return _head(connection)

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Every entry after that number, in order, read in pages."""
        while True:
            with self._engine.connect() as connection:
                wanted = sql.select(AUDIT).where(AUDIT.c.number > after).order_by(AUDIT.c.number).limit(_PAGE)
                page = [_entry(row) for row in connection.execute(wanted)]
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].number

    def newest(self, limit: int, who: str = "", what: str = "", of: str = "") -> list[Entry]:
        """The newest entries, the latest first; of a person, of a verb or its beginning, of one thing."""
        wanted = sql.select(AUDIT).order_by(AUDIT.c.number.desc()).limit(limit)
        if who:
            wanted = wanted.where(AUDIT.c.who == who)
        if what:
            wanted = wanted.where(AUDIT.c.what.startswith(what, autoescape=True))
        if of:
            wanted = wanted.where(AUDIT.c.of == of)
        with self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(wanted)]


def _head(connection: sql.Connection) -> Anchor:
    wanted = sql.select(AUDIT.c.number, AUDIT.c.hash).order_by(AUDIT.c.number.desc()).limit(1)
    row = connection.execute(wanted).first()
    return Anchor(row.number, row.hash) if row else Anchor(0, BEGINNING)


def _shortened(said: Said) -> Said:
    """What fits the columns: of an over-long text its beginning is the record."""
    return Said(at_ms=said.at_ms, **{name: getattr(said, name)[:most] for name, most in _LENGTHS.items()})


def _row(entry: Entry) -> dict[str, object]:
    said = {name: getattr(entry.said, name) for name in ("at_ms", *_LENGTHS)}
    return {"number": entry.number, "previous": entry.previous, "hash": entry.hash} | said


def _entry(row: sql.Row[tuple[object, ...]]) -> Entry:
    facts = row._mapping  # noqa: SLF001 - SQLAlchemy's own name for it
    said = Said(**{name: facts[name] for name in ("at_ms", *_LENGTHS)})
    return Entry(number=facts["number"], said=said, previous=facts["previous"], hash=facts["hash"])
