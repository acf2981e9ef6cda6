"""The variables of boards: how much is looked at (level), where (place), and what follows from that.

`policy` is hidden: it is the retention policy that the board's time range is read from. Grafana cannot choose
one by itself (grafana/grafana#4262); as published there, a small series lists the policies, and the query
takes the finest that is meant for so long a range and is kept so far back. The series lies at a time to come,
each policy at `HORIZON_MS` plus the time it is kept, so that it never expires and `now()` can be compared.
`taishi boards feed` writes it, and the places (`dashboards.feed`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from dashboards.influxql import Column, Select, TagValues, name, tag
from dashboards.sources import DISTRICT, Source
from dashboards.words import LEVEL_WORDS, Words
from schemas.places.model import LEVELS

__all__ = [
    "BELOW",
    "HORIZON_MS",
    "LEVEL",
    "PLACE",
    "POLICY",
    "Variable",
    "chosen",
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

LEVEL: Final = Variable(
    "level",
    Words("层级", "level"),
    options=tuple((str(LEVEL_WORDS[level]), level) for level in LEVELS),
    value="district",
    text=str(LEVEL_WORDS["district"]),
    kind="choice",
)


def _of_level() -> str:
    return str(TagValues(name("places"), "option", (tag("level", chosen(LEVEL)),)))


PLACE: Final = Variable(
    "place",
    Words("地点", "place"),
    _of_level(),
    pattern=r"/^(?<value>\d+) (?<text>.+)$/",
)

BELOW: Final = Variable(
    "below",
    Words("下一级", "level below"),
    str(TagValues(name("places"), "level", (tag("parent", chosen(PLACE)),))),
    hidden=True,
)
"""The level below the chosen place; empty below a grid."""


def placed(district: str, called: str) -> tuple[Variable, ...]:
    """Level and place, the whole district at first, and the policy: what every board of figures has."""
    whole = replace(PLACE, value=district, text=called)
    return (LEVEL, whole, POLICY)


def metric(options: tuple[tuple[str, str], ...]) -> Variable:
    """What the map is coloured by; options are (shown text, field)."""
    return Variable(
        "metric",
        Words("地图指标", "map metric"),
        options=options,
        value=options[0][1],
        text=options[0][0],
        kind="choice",
    )
