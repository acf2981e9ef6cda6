"""What the boards of this installation are built for: its places, its rules' limits, its alarm limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import shapely

from dashboards.boards import boards
from dashboards.context import Context, Duty
from dashboards.limits import KpiLimit, Limit
from dashboards.model import Board, Mapping
from dashboards.words import SEVERITY_WORDS, Words
from operations.alerts.kpis import LIMITS
from operations.oncall.hours import When
from operations.oncall.load import load_oncall
from operations.oncall.model import OnCall
from pipelines.io.rule_file import SHIPPED_RULES, read_rules
from pipelines.kernels.rules.model import RuleSet
from schemas.places.model import LEVELS
from schemas.places.registry import PlaceRegistry
from taishi.places import load_registry
from taishi.settings import Settings
from taishi.status.assemble import STALE_AFTER_S
from taishi.status.vendors import CLOCK_S

__all__ = ["RENDERED", "boards_of", "context_of", "limits_of"]

RENDERED: Final = Path(__file__).resolve().parents[1] / "dashboards" / "rendered"
"""Where the shipped boards lie: those of the default settings."""

_WHEN: Final[dict[When, str]] = {
    "always": "全天 always",
    "working_hours": "工作时间 working hours",
    "non_working_hours": "非工作时间 other hours",
}


def boards_of(settings: Settings) -> tuple[Board, ...]:
    """The boards of an installation; SettingsError if its rules or places are wrong."""
    rules = read_rules(settings.rules_file or SHIPPED_RULES)
    oncall = load_oncall(settings.oncall_file) if settings.oncall_file else None
    return boards(context_of(settings, load_registry(settings), rules, oncall))


def context_of(
    settings: Settings, registry: PlaceRegistry, rules: RuleSet, oncall: OnCall | None = None
) -> Context:
    """What boards are built from."""
    district = registry.place(settings.district)
    middle = shapely.union_all([grid.polygon for grid in registry.layer.grids]).envelope.centroid
    return Context(
        district=settings.district,
        district_name=district.name if district else settings.district,
        centre=(round(middle.x, 4), round(middle.y, 4)),
        pages_url=_pages_url(settings),
        place_names=tuple(place_names(registry)),
        limits=tuple(limits_of(rules)),
        kpis=tuple(
            KpiLimit(name, Words(each.chinese, each.english), each.unit, each.acceptable, each.manageable)
            for name, each in LIMITS.items()
        ),
        duties=tuple(_duties(oncall)) if oncall else (),
        clock_s=CLOCK_S,
        watermark_s=STALE_AFTER_S,
    )


def _pages_url(settings: Settings) -> str:
    """How browsers reach the live pages, which have the map."""
    return settings.pages_url.rstrip("/") or f"http://{settings.pages_host}:{settings.pages_port}"


def place_names(registry: PlaceRegistry) -> Iterator[Mapping]:
    """How codes in alert lists are shown: places by name, a grid by its community and its own digits."""
    for level in ("district", "street", "community"):
        for place in registry.at(level):
            yield Mapping(place.code, place.name)
    for place in registry.at("community"):
        yield Mapping(f"/^{place.code}(.+)$/", f"{place.name} $1", pattern=True)


def _duties(oncall: OnCall) -> Iterator[Duty]:
    for route in oncall.routes:
        steps = (f"{step.after_s} s: {', '.join(step.people)}" for step in route.steps)
        where = " ".join(filter(None, (route.domain, route.level, route.rule, route.place)))
        severity = SEVERITY_WORDS[route.severity]
        yield Duty(
            route.name, f"{severity}{f' ({where})' if where else ''}", _WHEN[route.when], " → ".join(steps)
        )


def limits_of(rules: RuleSet) -> Iterator[Limit]:
    """The rules that compare a figure with a number at all hours, as limits of boards."""
    for rule in rules.rules:
        if rule.kind in ("threshold", "count") and not rule.quiet:
            yield Limit(
                rule=rule.name,
                words=Words(rule.title, rule.title_en),
                severity=rule.severity,
                domain=rule.domain,
                figures=rule.figures,
                per=rule.per,
                over_s=rule.over_s,
                levels=tuple(level for level in LEVELS if level in rule.levels),
                side="below" if rule.bound in ("below", "at_most") else "above",
                threshold=rule.threshold,
            )
