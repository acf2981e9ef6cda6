"""What must hold of every board's JSON, checked without a Grafana and without the code that built it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dashboards.check.colours import colours
from dashboards.check.document import Finding, Panels
from dashboards.check.layout import layout
from dashboards.check.panels import panels
from dashboards.check.references import references
from dashboards.check.types import types

__all__ = ["Finding", "check"]


def check(documents: Mapping[str, Any]) -> list[Finding]:
    """Everything that is wrong with the boards; `documents` are parsed JSON by file name."""
    found = [finding for name, document in documents.items() for finding in _board(name, document)]
    return [*found, *_same_uid(documents)]


def _board(name: str, document: Any) -> Iterable[Finding]:
    if not isinstance(document, dict) or not isinstance(document.get("panels"), list):
        yield Finding(name, "", f"received {type(document).__name__}, allowed: an object with panels")
        return
    shown = Panels(name, document)
    for rule in (types, layout, panels, references, colours):
        yield from rule(shown)


def _same_uid(documents: Mapping[str, Any]) -> Iterable[Finding]:
    seen: dict[str, str] = {}
    for name, document in documents.items():
        uid = str(document.get("uid")) if isinstance(document, dict) else ""
        if uid in seen:
            yield Finding(name, "", f"uid {uid!r} is that of {seen[uid]} too")
        if f"{uid}.json" != name:
            yield Finding(name, "", f"uid {uid!r} is not the file's name")
        seen[uid] = name
