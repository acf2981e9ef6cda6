"""Values of formats that know names and units, not our metrics: which metric it is, what comes of it."""

from __future__ import annotations

from connectors.alarms import SIGNAL_OF
from connectors.base import Observation, SignalEvent
from schemas.kinds import KINDS, METRICS, metric_key

__all__ = ["measured", "only_metric", "signal_beside"]


def measured(key: str, device: str, value: float, observed_at_ms: int, seq: int = 0) -> Observation:
    """One value of a full metric key such as `care.environment.temperature`."""
    kind, _, metric = key.rpartition(".")
    return Observation(device, kind, metric, value, observed_at_ms, seq=seq)


def only_metric(kind: str, unit: str | None = None) -> str:
    """The full key of the one metric that kind has, of all or in that unit (UCUM); "" for none or several."""
    known = KINDS.get(kind)
    named = [each.name for each in known.metrics if unit in {None, each.unit}] if known else []
    return metric_key(kind, named[0]) if len(named) == 1 else ""


def signal_beside(seen: Observation) -> SignalEvent | None:
    """The signal beside an alarm's reading: above 0 it is active, 0 says it is over; None for no alarm."""
    key = metric_key(seen.kind, seen.metric)
    metric = METRICS.get(key)
    # An impossible value must not alarm anyone: the reading is refused, and so is its signal.
    if key not in SIGNAL_OF or metric is None or not metric.low <= seen.value <= metric.high:
        return None
    return SignalEvent(
        type=SIGNAL_OF[key],
        state="active" if seen.value > 0 else "cleared",
        device=seen.device,
        observed_at_ms=seen.observed_at_ms,
        subject=seen.subject,
        location=seen.location,
    )
