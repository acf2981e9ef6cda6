"""Tables from a vendor's event types to metrics, and what one such event becomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.alarms import SIGNAL_OF, Incident
from connectors.base import Decoded
from schemas.errors import received_allowed
from schemas.kinds import METRICS, metric_key

__all__ = ["check_metrics", "decoded", "incident_of", "overlaid"]


def check_metrics(keys: Iterable[str]) -> None:
    """ValueError, as options want it, unless each is a full metric key or "" (known, nothing to count)."""
    for key in keys:
        if key and key not in METRICS:
            raise ValueError(received_allowed("metric", key, ('"" (counts nothing)', *METRICS)))


def overlaid(defaults: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The default table with the operator's entries over it; an operator names only what differs."""
    return {**defaults, **own}


def incident_of(key: str, device: str, observed_at_ms: int, alarm: str = "", seq: int = 0) -> Incident:
    """One incident of a full metric key such as `security.intrusion.tamper`."""
    kind, _, metric = key.rpartition(".")
    return Incident(device, kind, metric, observed_at_ms, alarm, seq)


def decoded(incident: Incident, *, active: bool = True, counts: bool = True) -> Decoded:
    """A reading if it is active and `counts`; a signal beside it if the metric is an alarm."""
    alarms = metric_key(incident.kind, incident.metric) in SIGNAL_OF
    return Decoded(
        (incident.observation(),) if active and counts else (),
        (incident.signal(active=active),) if alarms else (),
    )
