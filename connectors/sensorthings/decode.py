"""OGC SensorThings: one Observation of a Datastream, as a server publishes it on MQTT."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from connectors.base import Decoded, Devices, Message
from connectors.fields import (
    Unreadable,
    as_number,
    as_object,
    as_text,
    field,
    moment_ms,
    parse_json,
    reads,
    whole,
)
from connectors.incidents import check_metrics
from connectors.measured import measured, only_metric, signal_beside
from schemas.quarantine import Reason

__all__ = ["CODEC", "PERSONAL", "Datastream", "SensorThingsCodec"]

PERSONAL: Final = ("parameters",)
"""Anything a provider puts beside a result, in a form of its own."""

_TOPIC: Final = re.compile(r"(?:^|/)Datastreams\(([^()/]{1,200})\)/Observations$")
_SEQ_MAX: Final = 2**53


class Datastream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a datastream measures: the registry's device and "<kind>.<metric>"."""

    device: str
    metric: str


class SensorThingsCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`datastreams`: id, as text -> device and metric.

    Of a datastream that is not named, the id is taken for a registered device of a kind with one metric only.
    """

    datastreams: dict[str, Datastream] = {}

    def __post_init__(self) -> None:
        check_metrics(stream.metric for stream in self.datastreams.values())

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded:
        """The result at the end of its phenomenon time; keys we do not know are ignored."""
        given = as_object(parse_json(message.payload), "Observation")
        stream = self._stream(_stream_id(message.address, given), registry)
        if not stream.metric:
            return Decoded()
        result = field(given, "result")
        value = float(result) if isinstance(result, bool) else as_number(result, "result")
        seen = measured(stream.metric, stream.device, value, _observed_at_ms(given), _seq(given))
        signal = signal_beside(seen)
        return Decoded((seen,), (signal,) if signal else ())

    def _stream(self, name: str, registry: Devices) -> Datastream:
        named = self.datastreams.get(name)
        if named is not None:
            return named
        device = registry.get(name)
        if device is None:
            detail = (
                f"received Datastream {name!r}, allowed: one of option datastreams, or a registered device"
            )
            raise Unreadable(Reason.UNKNOWN_DEVICE, detail)
        metric = only_metric(device.kind)
        if not metric:
            detail = f"received Datastream {name!r} of kind {device.kind!r}, which has not one metric"
            raise Unreadable(Reason.UNSUPPORTED, f"{detail}, allowed: an entry in option datastreams")
        return Datastream(device.device, metric)


CODEC: Final = SensorThingsCodec


def _stream_id(address: str, given: dict[str, Any]) -> str:
    """The id in the topic, else that of a Datastream the Observation carries."""
    in_topic = _TOPIC.search(address)
    if in_topic is not None:
        return as_text(in_topic[1].strip("'"), "Datastreams(id)")
    value = field(given, "Datastream", "@iot.id")
    if isinstance(value, int):
        return str(whole(value, "Datastream.@iot.id"))
    return as_text(value, "Datastream.@iot.id")


def _observed_at_ms(given: dict[str, Any]) -> int:
    """The end of the phenomenon time; without one the time of the result, never that of arrival."""
    time = given.get("phenomenonTime") or given.get("resultTime")
    if not isinstance(time, str):
        raise Unreadable(
            Reason.BAD_TIME, "phenomenonTime, resultTime: received none, allowed: either as text"
        )
    begin, _, end = time.partition("/")
    if end and moment_ms(begin, "phenomenonTime") > moment_ms(end, "phenomenonTime"):
        raise Unreadable(Reason.BAD_TIME, "phenomenonTime: received an interval that ends before it begins")
    return moment_ms(end or begin, "phenomenonTime")


def _seq(given: dict[str, Any]) -> int:
    """The Observation's own id where it is a number: two results at one moment stay two."""
    own = given.get("@iot.id")
    return own if isinstance(own, int) and not isinstance(own, bool) and 0 <= own <= _SEQ_MAX else 0
