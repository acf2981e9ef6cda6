"""SenML: names find the device in the registry, names and units the metric; resolving is in `pack`."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from connectors.base import Decoded, Device, Devices, Message, Observation, Rejected
from connectors.fields import Unreadable, parse_json, reads
from connectors.incidents import check_metrics
from connectors.measured import measured, only_metric, signal_beside
from connectors.senml.pack import Record, resolve
from schemas.kinds import METRICS, metric_key
from schemas.quarantine import Reason

__all__ = ["CODEC", "PERSONAL", "SenmlCodec"]

PERSONAL: Final = ("vs", "vd")
"""Text and data may be anything, an NFC card's content among them."""

_CUTS: Final = re.compile(r"[:/;._-]")
_UCUM: Final = {"%RH": "%", "/": "1", "count": "1", "ppm": "[ppm]", "beat/min": "/min", "1/min": "/min"}
"""Units of the SenML registry that UCUM writes otherwise; the rest are alike."""

_NO_READINGS: Final = {"lat", "lon", "%EL", "EL"}
"""Place and battery of the device: nothing we count."""


class SenmlCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`names`: "<name pattern>" or "<name pattern> <unit>" -> "<kind>.<metric>", or "" to pass over it.

    Patterns are of the resolved name, `*` and `?` as in file names; the first that matches wins. What none
    matches is found by the registered kind, see README.
    """

    names: dict[str, str] = {}

    def __post_init__(self) -> None:
        check_metrics(self.names.values())

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded:
        """The values of registered devices; good records count, bad ones are named."""
        now_ms = None if message.retained else message.received_at_ms
        observations: list[Observation] = []
        rejected: list[Rejected] = []
        for record in resolve(parse_json(message.payload), now_ms):
            read = record if isinstance(record, Rejected) else reads(self._observation)(record, registry)
            if isinstance(read, Observation):
                observations.append(read)
            elif read is not None:
                rejected.append(read)
        signals = tuple(signal for seen in observations if (signal := signal_beside(seen)))
        return Decoded(tuple(observations), signals, tuple(rejected))

    def _observation(self, record: Record, registry: Devices) -> Observation | None:
        key = self._named(record)
        if key == "" or (key is None and (record.value is None or record.unit in _NO_READINGS)):
            return None
        at = f"[{record.index}]"
        if record.value is None:
            detail = f"{at} {record.name!r}: received text, data or a sum, allowed: v or vb"
            raise Unreadable(Reason.WRONG_TYPE, detail)
        device = _device(record.name, registry)
        if device is None:
            detail = f"{at} received name {record.name!r}, allowed: one that begins with a registered device"
            raise Unreadable(Reason.UNKNOWN_DEVICE, detail)
        key = key or _of_kind(record, device)
        if not key:
            detail = (
                f"{at} {record.name!r} in {record.unit or 'no unit'}: no one metric of kind {device.kind!r}"
            )
            raise Unreadable(Reason.UNSUPPORTED, f"{detail}, allowed: those, or an entry in option names")
        return measured(key, device.device, float(record.value), record.at_ms)

    def _named(self, record: Record) -> str | None:
        """The metric the options give it; None if they do not speak of it."""
        for given, key in self.names.items():
            pattern, _, unit = given.partition(" ")
            if (not unit or unit == record.unit) and fnmatchcase(record.name, pattern):
                return key
        return None


CODEC: Final = SenmlCodec


def _device(name: str, registry: Devices) -> Device | None:
    """The device whose id is the whole name, else the longest beginning of it before a `: / ; . _ -`."""
    ends = [len(name), *(cut.start() for cut in reversed(list(_CUTS.finditer(name))))]
    return next((device for end in ends if (device := registry.get(name[:end])) is not None), None)


def _of_kind(record: Record, device: Device) -> str:
    """The metric the name says after the device's, else the only one of the device's kind in that unit."""
    unit = "1" if isinstance(record.value, bool) else _UCUM.get(record.unit, record.unit)
    said = metric_key(device.kind, record.name[len(device.device) :].strip(":/;._-"))
    if said in METRICS:
        return said if unit in {"", METRICS[said].unit} else ""
    return only_metric(device.kind, unit) if unit else ""
