"""Limits that colour figures: the rules' own, told by whoever builds the boards. Pure.

A figure is judged on a board by the numbers it is judged by when alerts are raised, so both say the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from dashboards.figures import Figure
from dashboards.model import Step
from dashboards.palette import Colour
from dashboards.words import Words
from schemas.alerts import Severity
from schemas.places.model import Level

__all__ = ["KpiLimit", "Limit", "of_figure", "of_kpi", "of_rules", "said"]


@dataclass(frozen=True, slots=True)
class Limit:
    """A rule's threshold on a figure: the sum of `figures`, ÷ `per`; within `over_s` where that is not 0."""

    rule: str
    words: Words
    severity: Severity
    domain: str
    figures: tuple[str, ...]
    per: str
    over_s: int
    levels: tuple[Level, ...]
    side: Literal["above", "below"]
    threshold: float


@dataclass(frozen=True, slots=True)
class KpiLimit:
    """A limit of the alarm load, K1 to K12; `manageable` None: there is only one."""

    name: str
    words: Words
    unit: str
    acceptable: float
    manageable: float | None


_COLOURS: Final[dict[Severity, Colour]] = {
    "low": "caution",
    "medium": "critical",
    "high": "critical",
    "life_safety": "critical",
}


def of_figure(
    limits: Iterable[Limit], figure: Figure, *, per: str = "", over_s: int = 0
) -> tuple[Limit, ...]:
    """The limits of one figure alone, or of it as a share of another, or of its sum within a time."""
    return tuple(
        limit
        for limit in limits
        if (limit.domain, limit.figures, limit.per, limit.over_s)
        == (figure.domain, (figure.name,), per, over_s)
    )


def of_rules(limits: Iterable[Limit]) -> tuple[Step, ...]:
    """Colours by the limits: normal between them, the rule's beyond; normal alone where there are none."""
    below = sorted((limit for limit in limits if limit.side == "below"), key=lambda limit: limit.threshold)
    above = sorted((limit for limit in limits if limit.side == "above"), key=lambda limit: limit.threshold)
    lowest: Colour = _COLOURS[below[0].severity] if below else "normal"
    rising = [Step(limit.threshold, _after(below, at)) for at, limit in enumerate(below)]
    return (Step(None, lowest), *rising, *(Step(each.threshold, _COLOURS[each.severity]) for each in above))


def _after(below: list[Limit], at: int) -> Colour:
    """The colour above a lower limit: that of the next lower limit, normal above the last."""
    return _COLOURS[below[at + 1].severity] if at + 1 < len(below) else "normal"


def of_kpi(limit: KpiLimit, scale: float = 1.0) -> tuple[Step, ...]:
    """Acceptable up to a limit, manageable up to another, over beyond it; `scale` takes percent to shares."""
    just_over = 1e-9  # a step begins at its value; the limit itself is still within
    acceptable = Step(limit.acceptable * scale + just_over, "caution" if limit.manageable else "critical")
    if limit.manageable is None:
        return (Step(None, "normal"), acceptable)
    return (Step(None, "normal"), acceptable, Step(limit.manageable * scale + just_over, "critical"))


def said(limits: Iterable[Limit]) -> Words:
    """The limits in words, for a panel's description; empty where there are none."""
    told = [f"{limit.rule} {'≥' if limit.side == 'above' else '<'} {limit.threshold:g}" for limit in limits]
    if not told:
        return Words("", "")
    return Words(
        f"颜色界线来自规则 {'、'.join(told)}。", f"Colours change at the rules' limits: {', '.join(told)}."
    )
