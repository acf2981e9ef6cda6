"""The JSON Schemas of what travels, built from the structs and tables of this package.

Pure: `documents` returns them, `taishi schemas write` puts them below `schemas/generated/`, and a
test compares the two, so that the files never say something else than the code. Dialect: JSON
Schema 2020-12. No schema closes its objects: readers ignore fields they do not know, so that a
later version may add some.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from schemas.acts import Act
from schemas.alerts import Alert
from schemas.generate_asyncapi import asyncapi
from schemas.kinds import DOMAINS, KINDS, Domain, Kind, Metric
from schemas.measures import MEASURES
from schemas.presence import Pulse, Silence, Stillness
from schemas.readings import Reading
from schemas.signals import SIGNAL_TYPES, Signal
from schemas.windows import Progress, Window

__all__ = ["DIALECT", "documents"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_Schema = dict[str, Any]

_EARLIEST_MS: Final = 946_684_800_000
"""2000-01-01, before which an observation is quarantined as `bad_time`."""

_MOMENT: Final[_Schema] = {"type": "integer", "minimum": 0, "description": "milliseconds since 1970, UTC"}
_OBSERVED: Final[_Schema] = _MOMENT | {
    "minimum": _EARLIEST_MS,
    "description": "the device's word, milliseconds since 1970, UTC; never before 2000-01-01",
}
_PLACE: Final[_Schema] = {"type": "string", "pattern": "^[0-9]{6,20}$"}
_GRID: Final[_Schema] = _PLACE | {"description": "grid code: the community's 12 digits and the grid's own"}
_NAMED: Final[_Schema] = {"type": "string", "minLength": 1}
_SOURCE: Final[_Schema] = {
    "type": "string",
    "pattern": r"^[a-z]+\..+$",
    "description": "<transport>.<codec>, as the metrics name it",
}
_ID: Final[_Schema] = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_COUNT: Final[_Schema] = {"type": "integer", "minimum": 0}

_COMMON: Final[dict[str, _Schema]] = {
    "id": _ID,
    "device": _NAMED,
    "grid": _GRID,
    "source": _SOURCE,
    "observed_at_ms": _OBSERVED,
    "received_at_ms": _MOMENT | {"description": "when a connector took it, milliseconds since 1970, UTC"},
    "subject": {"type": "string", "default": "", "description": "keyed pseudonym, never an identity"},
    "simulated": {"type": "boolean", "default": False},
}


def documents() -> dict[str, _Schema]:
    """Every generated document by its path below `schemas/generated/`, in a fixed order."""
    schemas = {f"kinds/{kind.name}.json": _kind(kind) for kind in KINDS.values()}
    schemas |= {
        "reading.json": _reading(),
        "signal.json": _signal(),
        "window.json": _window(),
        "progress.json": _progress(),
        "silence.json": _silence(),
        "stillness.json": _stillness(),
        "pulse.json": _narrowed(Pulse, "Pulse", {"shard": _NAMED, "at_ms": _MOMENT}),
        "alert.json": _alert(),
        "act.json": _act(),
    }
    return schemas | {"asyncapi.json": asyncapi()}


def _narrowed(struct: type[msgspec.Struct], title: str, narrower: Mapping[str, _Schema]) -> _Schema:
    """The struct's own schema with some properties said more exactly; unknown names are a KeyError."""
    _, components = msgspec.json.schema_components([struct])
    base = components[struct.__name__]
    properties: dict[str, _Schema] = dict(base["properties"])
    for name, schema in narrower.items():
        default = {"default": properties[name]["default"]} if "default" in properties[name] else {}
        properties[name] = schema | default
    return {
        "$schema": DIALECT,
        "title": title,
        "description": base["description"],
        "type": "object",
        "required": base["required"],
        "properties": properties,
    }


def _value(metric: Metric) -> _Schema:
    """The plausible values of a metric; `x-unit` is a UCUM code, `x-normal` needs no attention."""
    schema: _Schema = {
        "type": "number",
        "minimum": metric.low,
        "maximum": metric.high,
        "description": metric.description,
        "x-unit": metric.unit,
        "x-series": metric.series,
    }
    return schema | ({"x-normal": list(metric.normal)} if metric.normal else {})


def _kind(kind: Kind) -> _Schema:
    document = _narrowed(Reading, kind.name, _COMMON | {"kind": {"const": kind.name}, "seq": _COUNT})
    names = [metric.name for metric in kind.metrics]
    document["description"] = f"A reading of {kind.description}."
    document["properties"]["metric"] = {"enum": names}
    document["oneOf"] = [
        {"properties": {"metric": {"const": metric.name}, "value": _value(metric)}} for metric in kind.metrics
    ]
    document["x-silent-after-s"] = kind.silent_after_s
    return document


def _reading() -> _Schema:
    document = _narrowed(Reading, "Reading", _COMMON | {"kind": {"enum": list(KINDS)}, "seq": _COUNT})
    document["oneOf"] = [{"$ref": f"kinds/{kind}.json"} for kind in KINDS]
    return document


def _signal() -> _Schema:
    return _narrowed(Signal, "Signal", _COMMON | {"type": {"enum": list(SIGNAL_TYPES)}})


def _measures(domain: Domain) -> _Schema:
    """All measures of a domain are there in every window, never a subset."""
    measures = MEASURES[domain]
    return {
        "type": "object",
        "required": [measure.name for measure in measures],
        "properties": {
            measure.name: {"type": "number", "description": measure.description, "x-unit": measure.unit}
            for measure in measures
        },
    }


def _window() -> _Schema:
    document = _narrowed(
        Window,
        "Window",
        {
            "grid": _GRID,
            "window_s": {"type": "integer", "minimum": 1},
            "start_ms": _MOMENT | {"description": "start of the window, milliseconds since 1970, UTC"},
            "revision": _COUNT | {"description": "offset of the record that made the shard say this"},
            "shard": _NAMED,
        },
    )
    document["oneOf"] = [
        {"properties": {"domain": {"const": domain}, "metrics": _measures(domain)}} for domain in DOMAINS
    ]
    return document


def _progress() -> _Schema:
    return _narrowed(
        Progress,
        "Progress",
        {
            "shard": _NAMED,
            "shards": {"type": "integer", "minimum": 1},
            "closed_through_ms": _MOMENT,
            "revision": _COUNT,
        },
    )


def _silence() -> _Schema:
    moments = {"since_ms": _MOMENT, "at_ms": _MOMENT}
    common = {name: _COMMON[name] for name in ("device", "grid", "source", "simulated")}
    return _narrowed(Silence, "Silence", common | moments | {"shard": _NAMED, "allowed_s": _COUNT})


def _stillness() -> _Schema:
    moments = {"since_ms": _MOMENT, "at_ms": _MOMENT}
    common = {name: _COMMON[name] for name in ("grid", "source", "simulated")}
    subject = {"subject": _NAMED | {"description": "keyed pseudonym, never an identity"}}
    return _narrowed(Stillness, "Stillness", common | moments | subject | {"shard": _NAMED})


def _alert() -> _Schema:
    return _narrowed(
        Alert,
        "Alert",
        {"id": _NAMED, "rule": _NAMED, "place": _PLACE, "onset_ms": _MOMENT, "revision": _COUNT}
        | {"children": _COUNT},
    )


def _act() -> _Schema:
    moments = {"at_ms": _MOMENT, "until_ms": _MOMENT}
    return _narrowed(
        Act,
        "Act",
        moments | {"id": _NAMED, "verb": _NAMED, "by": _NAMED, "number": _COUNT, "version": _COUNT},
    )
