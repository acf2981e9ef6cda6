"""From what a message says to what goes on the log: the place, the plausibility, the identity.

Pure. The order of questions is the order of reasons: known kind, readable time, plausible value,
known device, known place. Whether a time lies in the future is judged against the log's clock by the
aggregate job, not here.
"""

from __future__ import annotations

from typing import Final, Protocol

from connectors.base import Device, Devices, Location, Observation, Rejected, SignalEvent
from connectors.fields import LATEST_MS
from connectors.privacy.guard import Guard
from schemas.errors import received_allowed
from schemas.kinds import METRICS, metric_key
from schemas.places.datum import to_wgs84
from schemas.quarantine import Reason
from schemas.readings import Reading, reading_id
from schemas.signals import SIGNAL_TYPES, Signal, signal_id

__all__ = ["EARLIEST_MS", "Places", "Resolver"]

EARLIEST_MS: Final = 946_684_800_000
"""2000-01-01T00:00Z: a device that says less has no clock."""


class Places(Protocol):
    """The grid layer in force."""

    def locate(self, lon: float, lat: float) -> str | None:
        """Code of the one grid that holds the WGS-84 point; None outside all."""
        ...

    def has_grid(self, code: str) -> bool:
        """Whether a grid of that code exists."""
        ...


class Resolver:
    """Turns observations and signal events of one source into records of the log.

    Without a `guard` nobody is given a pseudonym: people must be registered with one, and what is
    refused is kept unsealed. Every door of `taishi` has one.
    """

    def __init__(self, devices: Devices, places: Places, guard: Guard | None = None) -> None:
        self.guard = guard
        self._devices = devices
        self._places = places

    def reading(self, seen: Observation, source: str, received_at_ms: int) -> Reading | Rejected:
        """The reading, or the first reason why there is none."""
        refused = _metric_refused(seen) or _time_refused(seen.observed_at_ms)
        if refused is not None:
            return refused
        device = self._registered(seen)
        grid = self._grid(device, "(a person)" if seen.personal else seen.device, seen.location)
        if isinstance(grid, Rejected):
            return grid
        subject = (device.subject if device else "") or self._pseudonym(seen)
        if seen.personal and not subject:
            return Rejected(Reason.UNKNOWN_DEVICE, "a person registered without a pseudonym (subject)")
        name = subject if seen.personal else seen.device
        return Reading(
            id=reading_id(name, seen.kind, seen.metric, seen.observed_at_ms, seen.seq),
            kind=seen.kind,
            metric=seen.metric,
            value=seen.value,
            device=name,
            grid=grid,
            source=source,
            observed_at_ms=seen.observed_at_ms,
            received_at_ms=received_at_ms,
            seq=seen.seq,
            subject=subject,
            simulated=device.simulated if device else False,
        )

    def signal(self, seen: SignalEvent, source: str, received_at_ms: int) -> Signal | Rejected:
        """The signal, or the first reason why there is none."""
        if seen.type not in SIGNAL_TYPES:
            return Rejected(Reason.UNSUPPORTED, received_allowed("signal", seen.type, SIGNAL_TYPES))
        refused = _time_refused(seen.observed_at_ms)
        if refused is not None:
            return refused
        device = self._devices.get(seen.device)
        grid = self._grid(device, seen.device, seen.location)
        if isinstance(grid, Rejected):
            return grid
        return Signal(
            id=signal_id(seen.device, seen.type, seen.alarm, seen.state, seen.observed_at_ms),
            type=seen.type,
            state=seen.state,
            device=seen.device,
            grid=grid,
            source=source,
            observed_at_ms=seen.observed_at_ms,
            received_at_ms=received_at_ms,
            alarm=seen.alarm,
            heard_at_ms=seen.heard_at_ms,
            subject=(device.subject if device else "") or self._guarded(seen.subject),
            simulated=device.simulated if device else False,
        )

    def _registered(self, seen: Observation) -> Device | None:
        """The registry's row; a person may stand there by a pseudonym instead of the identity."""
        device = self._devices.get(seen.device)
        if device is None and seen.personal and self.guard is not None:
            found = map(self._devices.get, self.guard.names_of(seen.device))
            return next((each for each in found if each is not None), None)
        return device

    def _pseudonym(self, seen: Observation) -> str:
        """Of the subject a message names; of the person who is the device."""
        if seen.personal and not seen.subject:
            return self.guard.name_of(seen.device) if self.guard else ""
        return self._guarded(seen.subject)

    def _guarded(self, subject: str) -> str:
        return self.guard.name_of(subject) if subject and self.guard else subject

    def _grid(self, device: Device | None, name: str, said: Location | None) -> str | Rejected:
        """The registered grid, else the registered location's, else that of the message's location."""
        if device is not None and device.grid:
            if self._places.has_grid(device.grid):
                return device.grid
            return Rejected(
                Reason.UNKNOWN_PLACE, f"device {name!r} is registered in no grid: {device.grid!r}"
            )
        location = (device.location if device else None) or said
        if location is None:
            return Rejected(Reason.UNKNOWN_DEVICE, f"received device {name!r}, allowed: a registered one")
        grid = self._places.locate(*to_wgs84(location.crs, location.longitude, location.latitude))
        if grid is None:
            return Rejected(
                Reason.UNKNOWN_PLACE,
                f"received {location.longitude}, {location.latitude} ({location.crs}), "
                "allowed: a point inside a grid",
            )
        return grid


def _metric_refused(seen: Observation) -> Rejected | None:
    metric = METRICS.get(metric_key(seen.kind, seen.metric))
    if metric is None:
        return Rejected(
            Reason.UNSUPPORTED, f"received metric {seen.kind}.{seen.metric}, allowed: a known one"
        )
    if not metric.low <= seen.value <= metric.high:  # also refuses NaN
        return Rejected(
            Reason.IMPLAUSIBLE,
            f"{seen.kind}.{seen.metric}: received {seen.value!r}, allowed: {metric.low} to {metric.high}",
        )
    return None


def _time_refused(observed_at_ms: int) -> Rejected | None:
    if EARLIEST_MS <= observed_at_ms <= LATEST_MS:
        return None
    return Rejected(
        Reason.BAD_TIME, f"received {observed_at_ms} ms since 1970, allowed: 2000-01-01 to the year 9999"
    )
