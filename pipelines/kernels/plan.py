"""The measures of a domain compiled to columns: which accumulator feeds which measure.

Sums are kept in fixed point (millionths, int64), so a sum is exact and does not depend on the
order in which readings came: live, replayed and backfilled values are equal to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from pipelines.kernels.batch import Int64s
from schemas.kinds import KINDS, METRICS, Domain, metric_key
from schemas.measures import MEASURES, Term

__all__ = ["EVENT_RULES", "SCALE", "Plan", "plan_for", "to_fixed"]

SCALE = 1_000_000
"""One unit of a metric in fixed point."""

EVENT_RULES = ("count", "sum", "out_of_normal", "simulated")
"""Rules that are plain accumulation per grid and metric; the index is the accumulator's row."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The tables of one domain; metric columns are indexed by the domain's own metric codes `0..m-1`.

    `silent_after_ms`, `low`, `high`, `normal_low`, `normal_high`, `is_gauge` have shape `(m,)`.
    """

    domain: Domain
    metrics: tuple[str, ...]
    codes: dict[str, dict[str, int]]
    measures: tuple[str, ...]
    terms: tuple[tuple[Term, ...], ...]
    is_gauge: npt.NDArray[np.bool_]
    silent_after_ms: Int64s
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    normal_low: npt.NDArray[np.float64]
    normal_high: npt.NDArray[np.float64]

    def metric_codes(self, term: Term) -> list[int]:
        """The domain's codes of a term's metrics."""
        return [self.metrics.index(key) for key in term.metrics]


@cache
def plan_for(domain: Domain) -> Plan:
    """The plan of a domain; made once."""
    pairs = [(kind, metric) for kind in KINDS.values() if kind.domain == domain for metric in kind.metrics]
    keys = tuple(metric_key(kind.name, metric.name) for kind, metric in pairs)
    unbounded = (-np.inf, np.inf)
    return Plan(
        domain=domain,
        metrics=keys,
        codes={
            kind.name: {m.name: keys.index(metric_key(kind.name, m.name)) for m in kind.metrics}
            for kind, _ in pairs
        },
        measures=tuple(m.name for m in MEASURES[domain]),
        terms=tuple(m.terms for m in MEASURES[domain]),
        is_gauge=np.array([METRICS[k].series == "gauge" for k in keys]),
        silent_after_ms=np.array([kind.silent_after_s * 1000 for kind, _ in pairs], np.int64),
        low=np.array([METRICS[k].low for k in keys], np.float64),
        high=np.array([METRICS[k].high for k in keys], np.float64),
        normal_low=np.array([(METRICS[k].normal or unbounded)[0] for k in keys]),
        normal_high=np.array([(METRICS[k].normal or unbounded)[1] for k in keys]),
    )


def to_fixed(values: npt.NDArray[np.float64]) -> Int64s:
    """Values in fixed point, rounded to the nearest millionth."""
    fixed: Int64s = np.rint(values * SCALE).astype(np.int64)
    return fixed
