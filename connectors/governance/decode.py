"""Events of grid work and party building to readings: what was done and where, by a pseudonym."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from connectors.base import ITEMS_MAX, Decoded, Devices, Location, Message, Observation, Rejected
from connectors.fields import Unreadable, moment_ms, parse_json, reads
from connectors.governance.event import KIND_OF, GovernanceEvent
from schemas.quarantine import Reason

__all__ = ["CODEC", "PERSONAL", "GovernanceCodec"]

PERSONAL: Final = ("who", "text", "photos")
_QUOTED: Final = re.compile(r"'[^']*'?")


class GovernanceCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event or a list of them; of a list, the good ones count and the bad ones are named."""

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded:  # noqa: ARG002 - a codec's signature
        """A count for each; text and photos of a report are not read."""
        parsed = parse_json(message.payload)
        if not isinstance(parsed, list):
            return Decoded((_observation(parsed),))
        if len(parsed) > ITEMS_MAX:
            raise Unreadable(Reason.OVERSIZE, f"received {len(parsed)} events, allowed: at most {ITEMS_MAX}")
        read = [(index, reads(_observation)(item)) for index, item in enumerate(parsed)]
        return Decoded(
            tuple(each for _, each in read if isinstance(each, Observation)),
            rejected=tuple(
                Rejected(each.reason, f"[{index}] {each.detail}")
                for index, each in read
                if isinstance(each, Rejected)
            ),
        )


CODEC: Final = GovernanceCodec


def _observation(given: Any) -> Observation:
    event = _event(given)
    return Observation(
        device=event.who,
        kind=KIND_OF[event.event],
        metric=event.event,
        value=1.0,
        observed_at_ms=moment_ms(event.at, "at"),
        seq=event.seq,
        location=_location(event),
        personal=True,
    )


def _event(given: Any) -> GovernanceEvent:
    try:
        return msgspec.convert(given, GovernanceEvent)
    except msgspec.ValidationError as error:
        # Without what was received: it may be somebody's name.
        said = _QUOTED.sub("…", str(error))
        missing = "missing required field" in said
        detail = str(error) if missing else f"{said}; allowed: see schema.json"
        raise Unreadable(Reason.MISSING_FIELD if missing else Reason.WRONG_TYPE, detail) from error


def _location(event: GovernanceEvent) -> Location | None:
    given = (event.longitude, event.latitude, event.crs)
    if given == (None, None, None):
        return None
    if event.longitude is None or event.latitude is None or event.crs is None:
        raise Unreadable(Reason.MISSING_FIELD, "longitude, latitude and crs come together")
    return Location(event.longitude, event.latitude, event.crs)
