"""Our own JSON format; README.md beside this file is its description."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final

import msgspec

from connectors.base import ITEMS_MAX, Decoded, Devices, Location, Message, Observation, Rejected, SignalEvent
from connectors.fields import (
    ID_MAX,
    WHOLE_MAX,
    Unreadable,
    as_number,
    as_object,
    as_text,
    field,
    location_of,
    moment_ms,
    parse_json,
    reads,
    whole,
)
from connectors.measured import signal_beside
from schemas.quarantine import Reason

__all__ = ["CODEC", "PERSONAL", "NativeCodec"]

PERSONAL: Final = ("subject",)
_PLACE: Final = ("longitude", "latitude", "crs")


class NativeCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One object or a list of them; of a list, the good items count and the bad ones are named."""

    def decode(self, message: Message, registry: Devices) -> Decoded | Rejected:  # noqa: ARG002 - a signature
        """What the message says; the registry is not needed: the message names kind and metric."""
        return _plain(message.payload) or self._each(message)

    @reads
    def _each(self, message: Message) -> Decoded:
        """Field by field, so that what is wrong is named."""
        parsed = parse_json(message.payload)
        if not isinstance(parsed, list):
            observation, signal = _item(parsed)
            return Decoded((observation,), (signal,) if signal else ())
        if len(parsed) > ITEMS_MAX:
            raise Unreadable(Reason.OVERSIZE, f"received {len(parsed)} items, allowed: at most {ITEMS_MAX}")
        return _items(parsed)


CODEC: Final = NativeCodec
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=ID_MAX)]
_Whole = Annotated[int, msgspec.Meta(ge=0, le=WHOLE_MAX)]


class _Plain(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The usual item: nothing unknown, nothing wrong, no place of its own. Nine of ten messages are such."""

    device: _Text
    kind: _Text
    metric: _Text
    value: float
    observed_at_ms: _Whole
    seq: _Whole = 0
    subject: str = ""


_DECODE: Final = msgspec.json.Decoder(_Plain | list[_Plain]).decode


def _plain(payload: bytes) -> Decoded | None:
    """The same as item by item, in a third of the time; None where an item needs that."""
    try:
        read = _DECODE(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    items = read if isinstance(read, list) else [read]
    if len(items) > ITEMS_MAX:
        return None
    observations: list[Observation] = []
    signals: list[SignalEvent] = []
    for x in items:
        texts = x.device + x.kind + x.metric + x.subject
        if not texts.isprintable() or len(x.subject) > ID_MAX or not math.isfinite(x.value):
            return None
        seen = Observation(x.device, x.kind, x.metric, x.value, x.observed_at_ms, x.seq, x.subject)
        observations.append(seen)
        signal = signal_beside(seen)
        if signal is not None:
            signals.append(signal)
    return Decoded(tuple(observations), tuple(signals))


def _items(items: list[Any]) -> Decoded:
    observations: list[Observation] = []
    signals: list[SignalEvent] = []
    rejected: list[Rejected] = []
    for index, item in enumerate(items):
        read = reads(_item)(item)
        if isinstance(read, Rejected):
            rejected.append(Rejected(read.reason, f"[{index}] {read.detail}"))
            continue
        observations.append(read[0])
        if read[1] is not None:
            signals.append(read[1])
    return Decoded(tuple(observations), tuple(signals), tuple(rejected))


def _item(item: Any) -> tuple[Observation, SignalEvent | None]:
    given = as_object(item, "item")
    observation = Observation(
        device=as_text(field(given, "device"), "device"),
        kind=as_text(field(given, "kind"), "kind"),
        metric=as_text(field(given, "metric"), "metric"),
        value=as_number(field(given, "value"), "value"),
        observed_at_ms=_observed_at_ms(given),
        seq=whole(given.get("seq", 0), "seq"),
        subject=as_text(given["subject"], "subject") if given.get("subject") else "",
        location=_location(given),
    )
    return observation, signal_beside(observation)


def _observed_at_ms(given: dict[str, Any]) -> int:
    if "observed_at_ms" in given:
        return whole(given["observed_at_ms"], "observed_at_ms")
    return moment_ms(field(given, "observed_at"), "observed_at")


def _location(given: dict[str, Any]) -> Location | None:
    if all(given.get(name) is None for name in _PLACE):
        return None
    longitude, latitude, crs = (field(given, name) for name in _PLACE)
    return location_of(longitude, latitude, crs)
