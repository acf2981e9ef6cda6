"""Which events call for a person now: each becomes a signal beside the reading that counts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connectors.base import Observation, SignalEvent
from schemas.kinds import metric_key

__all__ = ["SIGNAL_OF", "Incident"]

SIGNAL_OF: Final = {
    "care.emergency.sos": "sos",
    "care.emergency.fall": "fall",
    "security.fire.smoke": "smoke",
    "security.fire.heat": "heat",
    "security.fire.gas": "gas",
    "security.fire.manual": "manual_call",
    "security.intrusion.intrusion": "intrusion",
    "security.intrusion.line_crossing": "line_crossing",
    "security.intrusion.tamper": "tamper",
    "security.access.forced": "forced_door",
}
"""Metric (full key) -> signal type."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One alarm as a device reports it; `alarm` names the occurrence as the device does."""

    device: str
    kind: str
    metric: str
    observed_at_ms: int
    alarm: str = ""
    seq: int = 0

    def observation(self) -> Observation:
        """The reading that counts it once."""
        return Observation(self.device, self.kind, self.metric, 1.0, self.observed_at_ms, seq=self.seq)

    def signal(self, *, active: bool = True) -> SignalEvent:
        """The transition; KeyError for a metric that is no alarm."""
        return SignalEvent(
            type=SIGNAL_OF[metric_key(self.kind, self.metric)],
            state="active" if active else "cleared",
            device=self.device,
            observed_at_ms=self.observed_at_ms,
            alarm=self.alarm,
        )
