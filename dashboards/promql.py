"""PromQL on what the parts count of themselves (docs/reference/metrics.md); for a Prometheus that asks them.

The embedded stack has none (`taishi status` tells the same there); the compose stack has.
"""

from __future__ import annotations

from typing import Literal

from dashboards.model import Query
from dashboards.sources import METRICS
from dashboards.words import Words

__all__ = ["asked", "increase", "newest", "quantile", "rate", "risen", "worst"]


def asked(
    text: str,
    words: Words | str,
    ref: str = "A",
    form: Literal["time_series", "table"] = "time_series",
    empty: str = "",
) -> Query:
    """The query; `words` may take up labels: `{{source}}`."""
    return Query(text, METRICS, ref, form, alias=str(words), empty=empty)


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)}) " if labels else ""


def newest(metric: str, *by: str) -> str:
    """The sum of a gauge, by labels."""
    return f"sum{_by(by)}({metric})"


def worst(metric: str, *by: str) -> str:
    """The highest of a gauge, by labels."""
    return f"max{_by(by)}({metric})"


def rate(metric: str, *by: str) -> str:
    """How much a counter grows a second, by labels."""
    return f"sum{_by(by)}(rate({metric}[$__rate_interval]))"


def increase(metric: str, over: str, *by: str) -> str:
    """How much a counter grew over a time, by labels."""
    return f"sum{_by(by)}(increase({metric}[{over}]))"


def risen(gauge: str, over: str, *by: str) -> str:
    """How much a gauge that only grows (a count kept in a checkpoint) grew over a time, by labels."""
    return f"sum{_by(by)}(delta({gauge}[{over}]))"


def quantile(share: float, histogram: str, over: str = "5m", *by: str) -> str:
    """What a share of the observations of a histogram did not exceed over a time."""
    return f"histogram_quantile({share:g}, sum{_by(('le', *by))}(rate({histogram}_bucket[{over}])))"
