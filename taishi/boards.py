"""What the boards of this installation are built for: its places, its rules' limits, its alarm limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import shapely

from dashboards.boards import boards
from dashboards.context import Context
from dashboards.limits import KpiLimit, Limit
from dashboards.model import Board
from dashboards.words import Words
from operations.alerts.kpis import LIMITS
from pipelines.io.rule_file import SHIPPED_RULES, read_rules
from pipelines.kernels.rules.model import RuleSet
from schemas.places.registry import PlaceRegistry
from taishi.places import load_registry
from taishi.settings import Settings

__all__ = ["RENDERED", "boards_of", "context_of", "limits_of"]

RENDERED: Final = Path(__file__).resolve().parents[1] / "dashboards" / "rendered"
"""Where the shipped boards lie: those of the default settings."""


def boards_of(settings: Settings) -> tuple[Board, ...]:
    """The boards of an installation; SettingsError if its rules or places are wrong."""
    rules = read_rules(settings.rules_file or SHIPPED_RULES)
    return boards(context_of(settings, load_registry(settings), rules))


def context_of(settings: Settings, registry: PlaceRegistry, rules: RuleSet) -> Context:
    """What boards are built from."""
    district = registry.place(settings.district)
    middle = shapely.union_all([grid.polygon for grid in registry.layer.grids]).envelope.centroid
    return Context(
        district=settings.district,
        district_name=district.name if district else settings.district,
        centre=(round(middle.x, 4), round(middle.y, 4)),
        map_url="/map/grid.geojson?datum=WGS-84",
        limits=tuple(limits_of(rules)),
        kpis=tuple(
            KpiLimit(name, Words(each.chinese, each.english), each.unit, each.acceptable, each.manageable)
            for name, each in LIMITS.items()
        ),
        lateness_s=settings.lateness_s,
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
                side="below" if rule.bound in ("below", "at_most") else "above",
                threshold=rule.threshold,
            )
