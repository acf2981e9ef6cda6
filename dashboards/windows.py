"""Queries on windows: what a figure is, was, and usually is at this hour, in the chosen place or below it.

Trends are read from the policy that the time range calls for (`dashboards.variables.POLICY`). What is now is
read by minutes: the newest of one place costs the same over any range. Care is masked in the query itself
(`dashboards.masked`): InfluxDB does not give a count that stands for fewer than five people.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dashboards.figures import Figure
from dashboards.influxql import TIME_RANGE, Column, Select, matches, name, since_end, tag
from dashboards.masked import MASKED, masked
from dashboards.model import Query
from dashboards.sources import DISTRICT, source_of
from dashboards.variables import HERE, LEVEL, METRIC, PLACE, POLICY, chosen
from dashboards.words import Words
from schemas.kinds import Domain

__all__ = [
    "USUAL",
    "below",
    "completeness",
    "grids",
    "judged",
    "names",
    "newest",
    "now",
    "stored",
    "sums",
    "trend",
    "usual",
]

USUAL: Final = Words("往周同时", "usual at this hour")
_MINUTES: Final = "1m"
_HOURS: Final = "1h"
_NOW: Final = "15m"
"""How old the newest window may be to be told as the present."""
_WEEKS: Final = (1, 2, 3, 4)
_NO_LEVEL: Final = "网格没有下一级 a grid has no level below"


def _of(domain: Domain, policy: str) -> str:
    return f"{name(policy)}.{name(domain)}"


def _here() -> tuple[str, ...]:
    return (tag("level", chosen(HERE)), tag("place", chosen(PLACE)))


def _within() -> tuple[str, ...]:
    return (tag("level", chosen(LEVEL)), matches("place", f"^{chosen(PLACE)}"))


def _told(shown: Figure, select: Select) -> Select:
    """The select as it may be told: of care without small counts."""
    return masked(select, shown) if shown.domain == "care" else select


def _query(select: Select, shown: Figure, ref: str, words: Words, empty: str = "") -> Query:
    why = empty or (MASKED if shown.domain == "care" else "")
    return Query(str(_told(shown, select)), source_of(shown.domain), ref, alias=str(words), empty=why)


def trend(shown: Figure, ref: str = "A", bucket: str = "") -> Query:
    """The figure of the chosen place over the board's time, window by window.

    By `bucket` (`1h`): the sum of what flows, the most there was of anything else.
    """
    column = (
        f"{'sum' if shown.grows == 'flow' else 'max'}({name(shown.name)})" if bucket else name(shown.name)
    )
    select = Select(
        columns=(Column(column, shown.name),),
        of=_of(shown.domain, chosen(POLICY)),
        where=(*_here(), TIME_RANGE),
        group_by=(f"time({bucket})",) if bucket else (),
        fill="none" if bucket else "",
    )
    return _query(select, shown, ref, shown.words)


def now(shown: Figure, ref: str = "A", words: Words | None = None) -> Query:
    """The figure at the end of the board's time: the newest minute; of what flows, the last hour's sum.

    A minute that is older than `_NOW` is no present: there is no row then.
    How many different ones there were is neither a state nor a sum: the newest whole hour's is taken.
    """
    if shown.grows == "flow":
        return sums(shown, "1h", ref, words)
    hourly = shown.grows == "distinct"
    select = Select(
        columns=(Column(f"last({name(shown.name)})", shown.name),),
        of=_of(shown.domain, _HOURS if hourly else _MINUTES),
        where=(*_here(), since_end("3h" if hourly else _NOW)),
    )
    return _query(select, shown, ref, words or shown.words)


def sums(shown: Figure, ago: str, ref: str = "A", words: Words | None = None) -> Query:
    """The sum of what flows over a time before the end of the board's range."""
    select = Select(
        columns=(Column(f"sum({name(shown.name)})", shown.name),),
        of=_of(shown.domain, _MINUTES),
        where=(*_here(), since_end(ago)),
    )
    return _query(select, shown, ref, words or shown.words)


def usual(shown: Figure, ref: str = "B") -> Query:
    """What it was at this hour of the week: mean of the same hour of the last four weeks."""
    weeks = tuple(
        Select(
            columns=(Column(f"mean({name(shown.name)})", "week"),),
            of=_of(shown.domain, _HOURS),
            where=(
                *_here(),
                f"time > ${{__to}}ms - {7 * week}d - 1h AND time <= ${{__to}}ms - {7 * week}d",
            ),
        )
        for week in _WEEKS
    )
    select = Select((Column(f"mean({name('week')})", shown.name),), weeks)
    return _query(select, shown, ref, USUAL, empty="尚无往周数据 no earlier week is stored")


def judged(shown: tuple[Figure, ...], whole: Figure | None, over_s: int) -> Query:
    """What a rule looks at: the sum of figures, ÷ another, of the newest minute or summed over `over_s`."""
    take = "sum" if over_s else "last"
    parts = " + ".join(f"{take}({name(each.name)})" for each in shown)
    expression = f"({parts}) / {take}({name(whole.name)})" if whole else parts
    looked = replace(shown[0], name="share") if whole else shown[0]  # a share is no count to be masked
    select = Select(
        columns=(Column(expression, looked.name),),
        of=_of(shown[0].domain, _MINUTES),
        where=(*_here(), since_end(f"{over_s}s" if over_s else _NOW)),
    )
    return _query(select, looked, "A", Words("此刻", "now"))


def below(shown: tuple[Figure, ...], ago: str = "1h") -> tuple[Query, ...]:
    """A row a place of the compared level, then their names: tables with the column `place`.

    States as they are now, what flows as the sum over `ago`. Figures are of one domain; of care each has a
    query of its own, so that a cell is masked and not its row.
    """
    domain = shown[0].domain
    groups = [(each,) for each in shown] if domain == "care" else [shown]
    tables = [_rows(group, ago, chr(ord("A") + at)) for at, group in enumerate(groups)]
    return (*tables, names(chr(ord("A") + len(tables))))


def _rows(shown: tuple[Figure, ...], ago: str, ref: str) -> Query:
    first = shown[0]
    columns = tuple(
        Column(f"{'sum' if each.grows == 'flow' else 'last'}({name(each.name)})", each.name) for each in shown
    )
    where = (*_within(), since_end(ago))
    select = Select(columns, _of(first.domain, _MINUTES), where, (name("place"),))
    return Query(str(_told(first, select)), source_of(first.domain), ref, "table", empty=_NO_LEVEL)


def names(ref: str) -> Query:
    """The names of the places of the compared level: columns `place` and `name`."""
    select = Select(
        columns=(Column(f"last({name('order')})", "order"),),
        of=name("places"),
        where=_within(),
        group_by=(name("place"), name("name")),
    )
    return Query(str(select), DISTRICT, ref, "table", empty=_NO_LEVEL)


def stored(shown: tuple[Figure, ...], limit: int) -> Query:
    """The newest windows of the chosen place as they are stored, whole. Not of care: see `masked`."""
    fields = (*(each.name for each in shown), "complete", "revision")
    select = Select(
        columns=tuple(Column(name(each)) for each in fields),
        of=_of(shown[0].domain, chosen(POLICY)),
        where=(*_here(), TIME_RANGE),
        newest_first=True,
        limit=limit,
    )
    return Query(str(select), source_of(shown[0].domain), "A", "table")


def newest(domain: Domain, ref: str = "A") -> Query:
    """The newest window of the chosen place: its time is what is looked at."""
    select = Select(
        columns=(Column(f"last({name('revision')})", "revision"),),
        of=_of(domain, _MINUTES),
        where=(*_here(), TIME_RANGE),
    )
    return Query(str(select), source_of(domain), ref, "table")


def grids() -> Query:
    """Every grid of the district by the map's metric, as columns `place` and `value`.

    A field's name is of one domain only, so the measurement need not be known. The district's own row comes
    first: Grafana 11 leaves the first row's area uncoloured (`if (idx && dims)` in geojsonDynamic.ts).
    """
    select = Select(
        columns=(Column(f"last({name(f'${{{METRIC}}}')})", "value"),),
        of=f"{name(_MINUTES)}./^(parking|security|governance)$/",
        where=(f"({tag('level', 'grid')} OR {tag('level', 'district')})", since_end(_NOW)),
        group_by=(name("place"),),
    )
    return Query(str(select), DISTRICT, "A", "table")


def completeness(domain: Domain, words: Words, ref: str = "A") -> Query:
    """Of every window of the chosen place: 0 it never came, 1 a shard was missing in it, 2 it is whole.

    Looked at are windows that must have come by the end of the board's time: their end is a window ago, and
    what the log and the store take besides.
    """
    size = chosen(POLICY)
    select = Select(
        columns=(Column(f"sum({name('complete')}) + count({name('complete')})", "state"),),
        of=_of(domain, size),
        where=(*_here(), f"time >= ${{__from}}ms AND time <= ${{__to}}ms - {size} - {size} - 90s"),
        group_by=(f"time({size})",),
        fill="0",
    )
    return Query(str(select), source_of(domain), ref, alias=str(words))
