"""The event of grid work and party building; `schema.json` beside this file is generated from it."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from schemas.places.datum import Datum

__all__ = ["KIND_OF", "GovernanceEvent", "schema"]

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Reference = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^(?![dD][aA][tT][aA]:)[!-~]+$")]

KIND_OF: Final = {
    "checked_in": "governance.party",
    "station_visit": "governance.party",
    "patrolled": "governance.patrol",
    "reported": "governance.patrol",
}
"""Event -> kind; the metric is named as the event."""


class GovernanceEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing a grid worker or party member did.

    `who` is the person's id in the sender's system; it never leaves the connector, a keyed pseudonym
    does. `seq` tells two of the same millisecond apart. `category`, `text` and `photos` (references, never
    pictures) belong to `reported`.
    """

    event: Literal["checked_in", "station_visit", "patrolled", "reported"]
    who: Name
    at: Annotated[str, msgspec.Meta(description="ISO 8601 with offset", max_length=64)]
    seq: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    crs: Datum | None = None
    category: Annotated[str, msgspec.Meta(max_length=64)] = ""
    text: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    photos: Annotated[tuple[Reference, ...], msgspec.Meta(max_length=9)] = ()


def schema() -> dict[str, Any]:
    """JSON Schema of one event or a list of them."""
    return msgspec.json.schema(GovernanceEvent | list[GovernanceEvent])
