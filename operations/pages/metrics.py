"""The figures that pages show: what each is made of, its name in both languages, and how it is written.

A figure is either of `now` (a gauge: the newest window says it) or of the past `hour` (events: the sum over
the last 60 minutes), so that both can be held against the usual for this hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from schemas.kinds import Domain

__all__ = ["ALERTS_METRIC", "DEFAULT_METRIC", "FIGURES", "MAP_METRICS", "METRICS", "Metric", "text_of"]

Span = Literal["now", "hour"]


@dataclass(frozen=True, slots=True)
class Metric:
    """`parts` are measures of a window (`schemas.measures`): the value is the first minus the others.

    `share`: a share of 1, shown in percent. `limits`: lower limits of the bands 1 to 5 where they are fixed;
    else they follow from the values. `worse`: an operator looks twice when it is high.
    """

    domain: Domain
    name: str
    chinese: str
    english: str
    span: Span
    parts: tuple[str, ...]
    share: bool = False
    limits: tuple[float, ...] = ()
    worse: bool = False

    @property
    def key(self) -> str:
        """`parking.occupancy`: as addresses name it."""
        return f"{self.domain}.{self.name}"

    @property
    def unit(self) -> str:
        """UCUM."""
        return "%" if self.share else "1"

    def value(self, values: Mapping[str, float]) -> float | None:
        """From the values of a window or of an hour; None where one of the parts is not there."""
        if any(part not in values for part in self.parts):
            return None
        first, *others = (values[part] for part in self.parts)
        return first - sum(others)


def _now(domain: Domain, name: str, chinese: str, english: str, *parts: str) -> Metric:
    return Metric(domain, name, chinese, english, "now", parts or (name,))


def _hour(domain: Domain, name: str, chinese: str, english: str, *, worse: bool = False) -> Metric:
    return Metric(domain, name, chinese, english, "hour", (name,), worse=worse)


_TABLE: Final = (
    Metric(
        *("parking", "occupancy", "占用率", "occupancy", "now", ("occupancy",)),
        share=True,
        limits=(0.3, 0.5, 0.7, 0.85, 0.95),
        worse=True,
    ),
    _now("parking", "free", "空余车位", "free spaces", "spaces", "occupied", "unknown"),
    _hour("parking", "turnover", "驶入", "arrivals"),
    _now("parking", "unknown", "未知车位", "unknown"),
    _hour("security", "people_entered", "进入人数", "people in"),
    _hour("security", "access_denied", "拒绝通行", "denied", worse=True),
    _hour("security", "intrusion_intrusion", "入侵", "intrusions", worse=True),
    _hour("security", "fire_smoke", "烟感", "smoke", worse=True),
    _hour("care", "vitals_out_of_range", "体征异常", "out of range", worse=True),
    _hour("care", "sos", "呼救", "SOS", worse=True),
    _hour("care", "falls", "跌倒", "falls", worse=True),
    _now("care", "beds_occupied", "在床", "in bed"),
    _hour("governance", "patrols", "巡查", "patrols"),
    _hour("governance", "reports", "上报", "reports"),
    _hour("governance", "checked_in", "报到", "checked in"),
    _hour("governance", "station_visits", "到站", "station visits"),
)
METRICS: Final[Mapping[str, Metric]] = {metric.key: metric for metric in _TABLE}
"""All of them by key, in the order of the pages."""

FIGURES: Final[Mapping[Domain, tuple[Metric, ...]]] = {
    domain: tuple(metric for metric in _TABLE if metric.domain == domain)
    for domain in ("parking", "security", "care", "governance")
}
"""Key figures of a domain, the most telling first."""

ALERTS_METRIC: Final = "alerts"
"""What the map may show besides: active alerts of a place."""
DEFAULT_METRIC: Final = "parking.occupancy"
MAP_METRICS: Final = (
    *("parking.occupancy", "parking.turnover", "security.people_entered", "security.access_denied"),
    *("care.vitals_out_of_range", "governance.patrols", ALERTS_METRIC),
)
"""What the wall's map offers, in this order; any figure can be shown."""


def text_of(metric: Metric | None, value: float) -> str:
    """As people read it: `58.6%`, `1,204`; a weighted count keeps a decimal below ten."""
    if metric is not None and metric.share:
        return f"{value:.1%}"
    return f"{value:,.0f}" if value >= 10 or float(value).is_integer() else f"{value:.1f}"
