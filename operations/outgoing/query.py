"""What a request for entities asks by its parameters (ETSI GS CIM 009, 6.4.3.2), and what it gets. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from operations.outgoing.conditions import Condition, conditions
from operations.outgoing.entities import CONTEXT
from operations.outgoing.problems import Problem
from operations.outgoing.representation import Form, projected

__all__ = ["LIMIT_DEFAULT", "LIMIT_MAX", "Query", "form_of", "listed", "parsed", "select"]

LIMIT_DEFAULT: Final = 100
LIMIT_MAX: Final = 1000
_PATTERN_MAX: Final = 200
_FORMS: Final[dict[str, Form]] = {
    "normalized": "normalized",
    "concise": "concise",
    "keyValues": "simplified",
    "simplified": "simplified",
}
_KNOWN: Final = (
    *("id", "idPattern", "type", "attrs", "q", "limit", "offset", "count", "options", "format", "local"),
)
_GEO: Final = ("georel", "geometry", "coordinates", "geoproperty")
_ELSEWHERE: Final = (*_GEO, "csf", "scopeQ", "lang", "datasetId", "join", "joinLevel", "pick", "omit")
"""Parameters of the specification that this service does not have."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked; an empty one of them asks for all."""

    types: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    attrs: tuple[str, ...] = ()
    q: tuple[Condition, ...] = ()
    limit: int = LIMIT_DEFAULT
    offset: int = 0
    count: bool = False
    form: Form = "normalized"

    def takes(self, entity: Mapping[str, Any]) -> bool:
        """Whether the entity is asked for, but for its attributes."""
        return (
            (not self.types or entity["type"] in self.types)
            and (not self.ids or entity["id"] in self.ids)
            and (self.pattern is None or self.pattern.search(entity["id"]) is not None)
            and all(condition.holds(dict(entity)) for condition in self.q)
        )


def parsed(parameters: Mapping[str, str]) -> Query:
    """The query of a request's parameters; Problem for what is wrong, too much, or not to be had here."""
    _check_names(parameters)
    if not any(parameters.get(name) for name in ("type", "attrs", "q")) and not _flag(parameters, "local"):
        raise Problem("BadRequestData", "received none of type, attrs, q, local=true; allowed: one or more")
    count = _flag(parameters, "count")
    limit = _whole(parameters, "limit", LIMIT_DEFAULT)
    if limit > LIMIT_MAX:
        raise Problem("TooManyResults", f"limit: received {limit}, allowed: at most {LIMIT_MAX}; use offset")
    if limit == 0 and not count:
        raise Problem("BadRequestData", "limit: received 0, allowed: 1 or more, or 0 with count=true")
    return Query(
        types=tuple(map(_short, listed(parameters.get("type", "")))),
        ids=tuple(map(_uri, listed(parameters.get("id", "")))),
        pattern=_pattern(parameters.get("idPattern", "")),
        attrs=tuple(map(_short, listed(parameters.get("attrs", "")))),
        q=conditions(parameters["q"]) if parameters.get("q") else (),
        limit=limit,
        offset=_whole(parameters, "offset", 0),
        count=count,
        form=form_of(parameters),
    )


def select(query: Query, entities: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """All that are asked for, with the attributes asked for; the page is the caller's to cut."""
    found = (projected(entity, query.attrs) for entity in entities if query.takes(entity))
    return [entity for entity in found if entity is not None]


def form_of(parameters: Mapping[str, str]) -> Form:
    """The form of `options` or `format`; Problem for one that is not known."""
    asked = [*listed(parameters.get("options", "")), *listed(parameters.get("format", ""))]
    for name in asked:
        if name not in _FORMS:
            raise Problem("BadRequestData", f"options: received {name!r}, allowed: {', '.join(_FORMS)}")
    return _FORMS[asked[-1]] if asked else "normalized"


def listed(text: str) -> list[str]:
    """The parts of a comma-separated list."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _check_names(parameters: Mapping[str, str]) -> None:
    for name in parameters:
        if name in _ELSEWHERE:
            raise Problem(
                "OperationNotSupported", f"parameter: received {name}, allowed: {', '.join(_KNOWN)}"
            )
        if name not in _KNOWN:
            raise Problem("InvalidRequest", f"parameter: received {name!r}, allowed: {', '.join(_KNOWN)}")


def _flag(parameters: Mapping[str, str], name: str) -> bool:
    text = parameters.get(name, "false")
    if text not in {"true", "false"}:
        raise Problem("BadRequestData", f"{name}: received {text!r}, allowed: true, false")
    return text == "true"


def _whole(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name, "")
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Problem("BadRequestData", f"{name}: received {text!r}, allowed: a whole number from 0")
    return int(text)


def _uri(text: str) -> str:
    if not urlsplit(text).scheme:
        raise Problem("BadRequestData", f"id: received {text!r}, allowed: a URI such as urn:ngsi-ld:…")
    return text


def _short(name: str) -> str:
    """A type or attribute by its short name, also where the whole IRI was said."""
    return str(_SHORT.get(name, name))


_SHORT: Final = {iri: name for name, iri in CONTEXT["@context"].items()}


def _pattern(text: str) -> re.Pattern[str] | None:
    if not text:
        return None
    if len(text) > _PATTERN_MAX or re.search(r"[*+}][^|]*[*+{]", text.replace(".*", "", 1)):
        # Nested or many repetitions can take for ever; ids are short and regular, so little is needed.
        raise Problem("BadRequestData", "idPattern: allowed: 200 characters with one repetition besides .*")
    try:
        return re.compile(text)
    except re.error as error:
        raise Problem("BadRequestData", f"idPattern: received {text!r}: {error}") from error
