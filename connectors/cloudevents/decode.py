"""CloudEvents: the type says which codec reads the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from connectors.base import Codec, Decoded, Devices, Message, Observation, Rejected, SignalEvent
from connectors.cloudevents.event import Event, events_of
from connectors.fields import Unreadable, reads
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["CODEC", "PERSONAL", "CloudEventsCodec", "Unwrapped"]

PERSONAL: Final = ()
"""None of its own: what is personal in the data, the inner codec's module says."""

_NAME: Final = "cloudevents"


class CloudEventsCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`codecs`: an event's type, or its dataschema -> the codec of its data, "" to pass the type over."""

    codecs: dict[str, str] = msgspec.field(default_factory=lambda: {"taishi.reading": "native"})

    def __post_init__(self) -> None:
        if _NAME in self.codecs.values():
            raise ValueError(received_allowed("codec", _NAME, ("one that reads data",)))

    def inner(self) -> Iterable[str]:
        """The codecs of the data."""
        return [name for name in self.codecs.values() if name]

    def around(self, codecs: Mapping[str, Codec]) -> Unwrapped:
        """The codec, with those of the data."""
        return Unwrapped({kind: codecs[name] if name else None for kind, name in self.codecs.items()})


CODEC: Final = CloudEventsCodec


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """Decodes what events hold; `codecs` is type or dataschema -> codec, None to pass over."""

    codecs: Mapping[str, Codec | None]

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded | Rejected:
        """What the data says; of a batch the good events count and the bad ones are named."""
        given = events_of(message)
        if isinstance(given, Event):
            return self._opened(given, message, registry)
        observations: list[Observation] = []
        signals: list[SignalEvent] = []
        rejected: list[Rejected] = []
        for index, event in enumerate(given):
            read = event if isinstance(event, Rejected) else self._member(event, message, registry)
            if isinstance(read, Rejected):
                read = Decoded(rejected=(read,))
            observations += read.observations
            signals += read.signals
            rejected += [Rejected(each.reason, f"[{index}] {each.detail}") for each in read.rejected]
        return Decoded(tuple(observations), tuple(signals), tuple(rejected))

    @reads
    def _member(self, event: Event, message: Message, registry: Devices) -> Decoded | Rejected:
        return self._opened(event, message, registry)

    def _opened(self, event: Event, message: Message, registry: Devices) -> Decoded | Rejected:
        known = next((name for name in (event.type, event.dataschema) if name in self.codecs), None)
        if known is None:
            raise Unreadable(Reason.UNSUPPORTED, received_allowed("type", event.type[:200], self.codecs))
        codec = self.codecs[known]
        if codec is None or event.data is None:
            return Decoded()  # without data an event only says that something is gone
        inside = Message(
            payload=event.data,
            address=event.subject or message.address,
            # A format without a time of its own takes the moment a message came for its time.
            received_at_ms=message.received_at_ms if event.time_ms is None else event.time_ms,
            retained=message.retained and event.time_ms is None,
            headers=(("content-type", event.content_type),) if event.content_type else (),
        )
        return codec.decode(inside, registry)
