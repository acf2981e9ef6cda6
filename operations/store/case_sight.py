"""What of all cases somebody sees, and which are theirs, as conditions of SQL.

The same as `sees` and `holds` of `operations/cases/people.py`; a test compares them.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sql

from operations.cases.conditions import REACHES
from operations.cases.people import NAMED
from operations.people.roles import Person
from operations.store.case_tables import CASES
from schemas.places.model import DEFAULT_SCHEME

__all__ = ["held_by", "in_sight"]

_Condition = sql.ColumnElement[bool]


def in_sight(person: Person) -> _Condition:
    """Of their places, theirs, or called so far that they may claim it."""
    called = _called(person) if "cases.claim" in person.permissions else ()
    return sql.or_(CASES.c.place == "", *map(_within, person.places), held_by(person), *called)


def held_by(person: Person) -> _Condition:
    """The case names them, or is with their department."""
    named = [CASES.c[field] == person.name for field in NAMED]
    return sql.or_(*named, CASES.c.department == person.department) if person.department else sql.or_(*named)


def _within(place: str) -> _Condition:
    return CASES.c.place.startswith(place, autoescape=True)


def _called(person: Person) -> Iterator[_Condition]:
    yield CASES.c.reach == "district"
    for reach, level in REACHES.items():
        length = DEFAULT_SCHEME.length(level)
        for place in person.places:
            above = {place[:n] for n in DEFAULT_SCHEME.lengths if n < length and n <= len(place)}
            near = _within(place[:length]) if len(place) >= length else sql.false()
            yield (CASES.c.reach == reach) & (CASES.c.place.in_(above) | near)
