"""What every connector speaks: a message comes in, a codec says what it means, as a value.

A codec is pure: the same message and the same registry give the same answer, nothing is opened,
logged or counted, and nothing is raised for bad data. What a codec cannot read is `Rejected`, with
a reason of the closed list. Where the values belong (which grid) is not a codec's concern: see
`connectors.resolve`.

What every message makes anew are msgspec structs: a frozen dataclass takes six times as long to make.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import msgspec

from schemas.places.datum import Datum
from schemas.quarantine import Reason
from schemas.signals import SignalState

__all__ = [
    "ITEMS_MAX",
    "Answer",
    "Answering",
    "Codec",
    "Decoded",
    "Device",
    "Devices",
    "Location",
    "Message",
    "Observation",
    "Outcome",
    "Rejected",
    "SignalEvent",
]

ITEMS_MAX: Final = 10_000
"""Most observations and signals one message may hold; more is `oversize`."""


class Message(msgspec.Struct, frozen=True):
    """One message as it arrived. `address` is the MQTT topic or the HTTP path.

    `retained`: an MQTT broker kept it from an unknown earlier moment, so arrival says nothing about time.
    `headers`: what HTTP says of the body, names in lower case: `content-type`, and those beginning `ce-`.
    """

    payload: bytes
    address: str
    received_at_ms: int
    retained: bool = False
    headers: tuple[tuple[str, str], ...] = ()

    def header(self, name: str) -> str:
        """The first header of that lower-case name, "" without one."""
        return next((value for key, value in self.headers if key == name), "")


@dataclass(frozen=True, slots=True)
class Location:
    """A position in degrees, in the datum that its source declares."""

    longitude: float
    latitude: float
    crs: Datum


@dataclass(frozen=True, slots=True)
class Device:
    """One row of the device registry; see `connectors.registry` for the file.

    `interval_s`: expected seconds between two messages; `zone`: the IANA zone of its clock. None and "":
    not said.
    """

    device: str
    model: str
    kind: str
    grid: str
    location: Location | None
    subject: str
    capacity: int | None
    simulated: bool
    interval_s: int | None = None
    zone: str = ""
    vendor: str = ""


class Devices(Protocol):
    """What a codec may ask about the device a message names."""

    def get(self, device: str) -> Device | None:
        """The registered device of that id, or None."""
        ...


class Observation(msgspec.Struct, frozen=True):
    """One value a message reports; `device` is the registry's key.

    `personal`: the id names a person (a FHIR patient): the reading carries the registered pseudonym
    instead.
    """

    device: str
    kind: str
    metric: str
    value: float
    observed_at_ms: int
    seq: int = 0
    subject: str = ""
    location: Location | None = None
    personal: bool = False


class SignalEvent(msgspec.Struct, frozen=True):
    """One transition of one alarm a message reports; `type` is one of schemas.signals.SIGNAL_TYPES.

    `heard_at_ms` is for `connectors.occurrences` to set: see `schemas.signals.Signal`.
    """

    type: str
    state: SignalState
    device: str
    observed_at_ms: int
    alarm: str = ""
    subject: str = ""
    location: Location | None = None
    heard_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a message, or one item of it, cannot be taken; `detail` says what came and what is allowed."""

    reason: Reason
    detail: str


class Decoded(msgspec.Struct, frozen=True):
    """What a message means. All empty is a valid answer: a battery report says nothing we count.

    `rejected` are single items that cannot be taken while the others can: the message's bytes go to
    quarantine once, and the good items go on.
    """

    observations: tuple[Observation, ...] = ()
    signals: tuple[SignalEvent, ...] = ()
    rejected: tuple[Rejected, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """What became of an accepted message: its records are in the log; `rejected` tells of quarantine."""

    readings: int
    signals: int
    rejected: Rejected | None


class Answer(msgspec.Struct, frozen=True):
    """What a sender is told over HTTP, in its format's own words."""

    status: int
    content: bytes
    content_type: str


class Codec(Protocol):
    """One message format."""

    def decode(self, message: Message, registry: Devices) -> Decoded | Rejected:
        """What the message means; never raises for anything the message holds."""
        ...


@runtime_checkable
class Answering(Protocol):
    """A codec whose senders expect an answer of their format, where ours is 202 or 422 with our JSON."""

    def answer(self, message: Message, outcome: Outcome) -> Answer:
        """What to tell of a message that the log has, be it as readings or in quarantine; pure as decode."""
        ...
