"""Counts of people under five are not given by the query: neither the cell nor a figure of so few people.

What is masked is the count that would be shown, after its sum or mean is taken: a sum of masked minutes would
be a wrong sum. The base is the most residents heard of in any window of it. A difference between a shown
parent and its shown children may still tell a masked cell; that is kept from other platforms
(docs/outgoing.md), while who may open the care boards works with these homes.
"""

from __future__ import annotations

from typing import Final

from dashboards.figures import Figure
from dashboards.influxql import Column, Select, name, whole_or_at_least

__all__ = ["FEWEST", "MASKED", "masked"]

FEWEST: Final = 5
"""Fewest people a count on a board may stand for."""
MASKED: Final = "少于 5 人的计数不显示 counts under 5 are masked"

_BASE: Final = "residents_seen"
_PEOPLE: Final = frozenset(
    (_BASE, "beds", "beds_occupied", "beds_unknown", "sos", "falls", "vitals_out_of_range")
)
"""Counts of care that are of people, or may be of as few."""


def masked(select: Select, shown: Figure) -> Select:
    """The same columns and rows without those that stand for 1 to 4 people."""
    if isinstance(select.of, str) and not _summed(select):
        return _raw(select, shown)
    inner = _with_base(select)
    tags = tuple(each for each in select.group_by if not each.startswith("time("))
    columns = tuple(Column(name(column.called), column.called) for column in select.columns)
    return Select(columns, inner, _conditions(shown), tags)


def _summed(select: Select) -> bool:
    return any("(" in column.expression for column in select.columns)


def _raw(select: Select, shown: Figure) -> Select:
    """Windows as they are stored hold the base themselves."""
    where = (*_conditions(shown), *select.where)
    return Select(select.columns, select.of, where, select.group_by, select.fill)


def _with_base(select: Select) -> Select:
    """The select, and the base of each of its rows, if it does not show that itself."""
    if any(column.called == _BASE for column in select.columns):
        return select
    if isinstance(select.of, tuple):
        weeks = tuple(
            Select((*each.columns, Column(f"max({name(_BASE)})", _BASE)), each.of, each.where)
            for each in select.of
        )
        return Select((*select.columns, Column(f"mean({name(_BASE)})", _BASE)), weeks)
    base = Column(f"max({name(_BASE)})", _BASE)
    return Select((*select.columns, base), select.of, select.where, select.group_by, select.fill)


def _conditions(shown: Figure) -> tuple[str, ...]:
    counts = dict.fromkeys((_BASE, *({shown.name} & _PEOPLE)))
    return tuple(whole_or_at_least(count, FEWEST) for count in counts)
