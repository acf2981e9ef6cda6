"""A city's standards as rows: read, replaced as a whole (SQL)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
import sqlalchemy as sql

from operations.cases.model import Standard
from operations.store.case_tables import STANDARDS
from operations.store.database import Database

__all__ = ["StandardRows"]

_ENCODE: Final = msgspec.json.Encoder().encode
_DECODE: Final = msgspec.json.Decoder(Standard).decode


class StandardRows(Database):
    """The table `standards`."""

    def standards(self, category: str = "") -> list[Standard]:
        """All, or those of a category, by code."""
        wanted = sql.select(STANDARDS.c.body).order_by(STANDARDS.c.code)
        if category:
            wanted = wanted.where(STANDARDS.c.category == category)
        with self._engine.connect() as connection:
            return [_DECODE(body) for body in connection.execute(wanted).scalars()]

    def take_standards(self, standards: Iterable[Standard], file: str, now_ms: int, *, replace: bool) -> int:
        """Know these, all or none of them; with `replace` no others any more. How many there are then.

        A case that was filed keeps the standard it was filed under.
        """
        with self._engine.begin() as connection:
            if replace:
                connection.execute(sql.delete(STANDARDS))
            for each in standards:
                row = {
                    "category": each.category,
                    "name": each.name[:200],
                    "body": _ENCODE(each),
                    "imported_ms": now_ms,
                    "file": file[:200],
                }
                new = self._insert(STANDARDS).values(code=each.code, **row)
                connection.execute(new.on_conflict_do_update(index_elements=[STANDARDS.c.code], set_=row))
            return connection.execute(sql.select(sql.func.count()).select_from(STANDARDS)).scalar_one()

    def _classes(self, connection: sql.Connection) -> set[str]:
        """The classes that the standards are of."""
        return set(connection.execute(sql.select(STANDARDS.c.category).distinct()).scalars())

    def _standard(self, connection: sql.Connection, code: str) -> Standard | None:
        body = connection.execute(sql.select(STANDARDS.c.body).where(STANDARDS.c.code == code)).scalar()
        return _DECODE(body) if body is not None else None
