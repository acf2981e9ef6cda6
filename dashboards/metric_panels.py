"""Panels on what the parts count of themselves, read by a Prometheus; without one they say so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dashboards.model import Lines, Panel, Query, Stat, Step
from dashboards.words import Words

__all__ = ["FROM_ONE", "NO_PROMETHEUS", "one", "over_time"]

NO_PROMETHEUS: Final = "无数据（需 Prometheus）no data"
FROM_ONE: Final = (Step(None, "normal"), Step(1, "critical"))
"""Limits of what should not happen at all."""


def one(
    name: str, title: Words, about: Words, query: Query, steps: tuple[Step, ...], unit: str = "locale"
) -> Panel:
    """One figure, coloured when somebody must look."""
    return Panel(
        name=name,
        title=title,
        about=about,
        show=Stat(),
        unit=unit,
        queries=(query,),
        width=4,
        height=4,
        steps=steps,
        nothing=NO_PROMETHEUS,
    )


def over_time(
    name: str, title: Words, about: Words, queries: Iterable[Query], unit: str, steps: tuple[Step, ...] = ()
) -> Panel:
    """Series over the board's time."""
    return Panel(
        name=name,
        title=title,
        about=about,
        show=Lines(),
        unit=unit,
        queries=tuple(queries),
        steps=steps,
        nothing=NO_PROMETHEUS,
    )
