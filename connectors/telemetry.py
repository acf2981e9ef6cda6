"""Metrics of the connectors, in one place. Per source: received = acknowledged + refused + in flight."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from prometheus_client import Counter, Gauge

from schemas.quarantine import Reason

__all__ = ["REFUSALS", "DropTelemetry", "SourceTelemetry", "VendorTelemetry"]

REFUSALS: Final = ("too_large", "busy", "unauthorised", "forbidden", "stale", "rate", "slow")
"""Why a message was refused: told to the sender, not kept. In words: docs/trust.md."""

_RECEIVED: Final = Counter("taishi_messages_received_total", "messages that arrived", ["source"])
_ACKNOWLEDGED: Final = Counter(
    "taishi_messages_acknowledged_total", "messages kept, as the log confirmed", ["source"]
)
_READINGS: Final = Counter("taishi_readings_forwarded_total", "readings the log confirmed", ["source"])
_SIGNALS: Final = Counter("taishi_signals_forwarded_total", "signals the log confirmed", ["source"])
_REPEATED: Final = Counter(
    "taishi_signals_repeated_total",
    "begins, ends and repeats of alarms that told nothing new, and so are not on the log",
    ["source"],
)
_QUARANTINED: Final = Counter(
    "taishi_quarantined_total", "messages in quarantine, as the log confirmed", ["source", "reason"]
)
_REFUSED: Final = Counter(
    "taishi_refused_total", "messages told to the sender as not taken", ["source", "reason"]
)
_DROPPED: Final = Counter(
    "taishi_dropped_total",
    "datagrams (sip) and bytes (tcp) dropped before they were a message",
    ["transport", "reason"],
)
_IN_FLIGHT: Final = Gauge("taishi_messages_in_flight", "messages the log has not confirmed yet", ["source"])
_VENDOR: Final = ["source", "vendor"]
_VENDOR_MESSAGES: Final = Counter(
    "taishi_vendor_messages_total",
    "messages of a vendor's devices that said something, or could not",
    _VENDOR,
)
_VENDOR_READINGS: Final = Counter("taishi_vendor_readings_total", "readings of a vendor's devices", _VENDOR)
_VENDOR_LATE: Final = Counter(
    "taishi_vendor_late_total", "of them, received later than lateness_s after they were observed", _VENDOR
)
_VENDOR_REPEATED: Final = Counter(
    "taishi_vendor_repeated_total", "of them, the same as one that came lately", _VENDOR
)
_VENDOR_QUARANTINED: Final = Counter(
    "taishi_vendor_quarantined_total", "messages of a vendor's devices in quarantine", [*_VENDOR, "reason"]
)
_VENDOR_HEARD: Final = Gauge(
    "taishi_vendor_heard_timestamp_seconds", "when a vendor's devices were last heard", _VENDOR
)
_VENDOR_GAP: Final = Gauge(
    "taishi_vendor_gap_seconds", "longest time between two messages, this hour and the one before", _VENDOR
)
_VENDOR_OFFSET: Final = Gauge(
    "taishi_vendor_clock_offset_seconds",
    "received minus observed of the newest readings: what a share of them does not exceed",
    [*_VENDOR, "quantile"],
)
_QUANTILES: Final = (0.5, 0.95)


class VendorTelemetry:
    """The counters of one source's devices of one vendor; the gauges ask when they are asked."""

    def __init__(
        self,
        source: str,
        vendor: str,
        heard_s: Callable[[], float],
        gap_s: Callable[[], float],
        offset_s: Callable[[float], float],
    ) -> None:
        self.messages = _VENDOR_MESSAGES.labels(source, vendor)
        self.readings = _VENDOR_READINGS.labels(source, vendor)
        self.late = _VENDOR_LATE.labels(source, vendor)
        self.repeated = _VENDOR_REPEATED.labels(source, vendor)
        self._named = source, vendor
        _VENDOR_HEARD.labels(source, vendor).set_function(heard_s)
        _VENDOR_GAP.labels(source, vendor).set_function(gap_s)
        for share in _QUANTILES:
            _VENDOR_OFFSET.labels(source, vendor, str(share)).set_function(partial(offset_s, share))

    def quarantined(self, reason: Reason) -> None:
        """One message of theirs is in quarantine."""
        _VENDOR_QUARANTINED.labels(*self._named, reason.value).inc()


class SourceTelemetry:
    """The counters of one source, `<transport>.<codec>`; all start at 0, so that absence shows."""

    def __init__(self, source: str) -> None:
        self.received = _RECEIVED.labels(source)
        self.acknowledged = _ACKNOWLEDGED.labels(source)
        self.readings = _READINGS.labels(source)
        self.signals = _SIGNALS.labels(source)
        self.repeated = _REPEATED.labels(source)
        self.in_flight = _IN_FLIGHT.labels(source)
        self._quarantined = {reason: _QUARANTINED.labels(source, reason.value) for reason in Reason}
        self._refused = {reason: _REFUSED.labels(source, reason) for reason in REFUSALS}

    def quarantined(self, reason: Reason) -> None:
        """One message is in quarantine."""
        self._quarantined[reason].inc()

    def refused(self, reason: str) -> None:
        """One message was received, told to its sender as not taken, and is not kept."""
        self.received.inc()
        self._refused[reason].inc()


class DropTelemetry:
    """What a transport of datagrams or byte streams drops before it is a message; all start at 0."""

    def __init__(self, transport: str, reasons: Iterable[str]) -> None:
        self._dropped = {reason: _DROPPED.labels(transport, reason) for reason in reasons}

    def dropped(self, reason: str, amount: int = 1) -> None:
        """Count what is dropped; KeyError for a reason that was not declared."""
        self._dropped[reason].inc(amount)
