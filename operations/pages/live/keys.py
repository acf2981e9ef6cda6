"""The names of what pages may watch. Pure.

`beat` the pulse of every page; `district` the wall; `domain/<domain>` one domain of the district;
`map/<level>/<metric>` colours; `place/<code>` a place; `trend/<code>` its last hours; `health` the parts of
the installation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from operations.pages.views.map import MAP_LEVELS, map_metric
from schemas.errors import Refused, received_allowed
from schemas.kinds import DOMAINS, Domain
from schemas.places.model import Level
from schemas.places.registry import PlaceRegistry

__all__ = ["BEAT", "DISTRICT", "HEALTH", "Key", "checked_key"]

Kind = Literal["beat", "district", "domain", "health", "map", "place", "trend"]
BEAT: Final = "beat"
DISTRICT: Final = "district"
HEALTH: Final = "health"
_KINDS: Final = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Key:
    """A key taken apart: `level` and `metric` of a map, `domain`, `code` of a place or its trend."""

    text: str
    kind: Kind
    level: Level = "grid"
    metric: str = ""
    domain: Domain = "parking"
    code: str = ""


def checked_key(text: str, places: PlaceRegistry) -> Key:
    """The key of that name; Refused for what is none, or of a place that is not."""
    kind, _, rest = text.partition("/")
    if kind not in _KINDS:
        raise Refused(received_allowed("key", text, _KINDS))
    if kind in (BEAT, DISTRICT, HEALTH):
        if rest:
            raise Refused(received_allowed("key", text, (kind,)))
        return Key(text, cast("Kind", kind))
    if kind == "domain":
        if rest not in DOMAINS:
            raise Refused(received_allowed("key", text, (f"domain/{domain}" for domain in DOMAINS)))
        return Key(text, "domain", domain=rest)
    if kind == "map":
        level, _, metric = rest.partition("/")
        if level not in MAP_LEVELS:
            raise Refused(received_allowed("key", text, (f"map/{level}/<metric>" for level in MAP_LEVELS)))
        map_metric(metric)
        return Key(text, "map", level=level, metric=metric)
    if places.place(rest) is None:
        raise Refused(received_allowed("key", text, (f"{kind}/<code of a place of this district>",)))
    return Key(text, cast("Kind", kind), code=rest)
