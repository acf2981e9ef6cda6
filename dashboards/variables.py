"""The variables of boards: where (place), what is compared within it (level), and what follows from that.

`policy` is hidden: it is the retention policy that the board's time range is read from. Grafana cannot choose
one by itself (grafana/grafana#4262); as published there, a small series lists the policies, and the query
takes the finest that is meant for so long a range and is kept so far back. The series lies at a time to come,
each policy at `HORIZON_MS` plus the time it is kept, so that it never expires and `now()` can be compared.
`taishi boards feed` writes it, and the places (`dashboards.feed`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from dashboards.influxql import Column, Select, TagValues, matches, name, tag
from dashboards.sources import DISTRICT, Source
from dashboards.words import LEVEL_WORDS, Words

__all__ = [
    "HERE",
    "HORIZON_MS",
    "LEVEL",
    "METRIC",
    "PLACE",
    "POLICY",
    "Variable",
    "chosen",
    "every_place",
    "metric",
    "placed",
    "policy_query",
]

HORIZON_MS: Final = 4_102_444_800_000
"""2100-01-01: what describes the store rather than a moment is written from here on."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a board.

    Either `query` gives its values (asked again when the time range changes if `by_time`) or `options`
    (shown text, value) do. `pattern` takes text and value out of what a query gives. `value`: at first.
    """

    name: str
    words: Words
    query: str = ""
    source: Source = DISTRICT
    pattern: str = ""
    options: tuple[tuple[str, str], ...] = ()
    value: str = ""
    text: str = ""
    by_time: bool = False
    hidden: bool = False
    kind: Literal["query", "choice"] = "query"


def chosen(variable: Variable) -> str:
    """How a query or a title refers to it."""
    return f"${{{variable.name}}}"


def policy_query() -> str:
    """The finest policy for the board's range; spans and ages in ms."""
    return str(
        Select(
            columns=(Column(f"first({name('policy')})"),),
            of=name("policies"),
            where=(
                f"{name('span_ms')} >= ${{__to}} - ${{__from}}",
                f"time > now() - ${{__from}}ms + {HORIZON_MS}ms",
            ),
        )
    )


POLICY: Final = Variable(
    "policy",
    Words("保留策略", "retention policy"),
    policy_query(),
    value="1m",
    text="1m",
    by_time=True,
    hidden=True,
)

METRIC: Final = "metric"


def every_place() -> TagValues:
    """What `PLACE` offers. Without a condition InfluxDB 1.8 also tells what was deleted."""
    return TagValues(name("places"), "option", (matches("level", "."),))


PLACE: Final = Variable(
    "place",
    Words("地点", "place"),
    str(every_place()),
    pattern=r"/^(?<value>\d+) (?<text>.+)$/",
)
"""Where: every place there is, in the order of the codes, so that a place stands under the one it lies in."""

LEVEL: Final = Variable(
    "level",
    Words("比较层级", "compare by"),
    str(TagValues(name("places"), "compare", (matches("place", f"^{chosen(PLACE)}."),))),
    pattern=r"/^(?<value>\w+) (?<text>.+)$/",
    value="street",
    text=LEVEL_WORDS["street"].chinese,
)
"""The level that tables and rankings compare within the place: one of those below it, none below a grid."""

HERE: Final = Variable(
    "here",
    Words("地点的层级", "level of the place"),
    str(TagValues(name("places"), "level", (tag("place", chosen(PLACE)),))),
    value="district",
    text="district",
    hidden=True,
)
"""The level of the chosen place itself; follows from it."""


def placed(district: str, called: str) -> tuple[Variable, ...]:
    """The place, the whole district at first, and what follows from it: what every board of figures has."""
    whole = replace(PLACE, value=district, text=called)
    return (whole, LEVEL, HERE, POLICY)


def metric(options: tuple[tuple[str, str], ...]) -> Variable:
    """What the map is coloured by; options are (shown text, field)."""
    return Variable(
        METRIC,
        Words("地图指标", "map metric"),
        options=options,
        value=options[0][1],
        text=options[0][0],
        kind="choice",
    )
