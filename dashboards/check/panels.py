"""Every panel says what it is, in both languages, in which unit, and what it says when there is nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from grafana_foundation_sdk.models import units

from dashboards.check.document import Finding, Panels

__all__ = ["panels"]

_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
_ENGLISH: Final = re.compile(r"[A-Za-z]{2}")
_UNITS: Final = {value for value in vars(units).values() if isinstance(value, str)}


def panels(board: Panels) -> Iterator[Finding]:
    """What is not said, or not shown as it must be."""
    for panel in board.shown:
        yield from (board.finding(panel, what) for what in (*_words(panel), *_values(panel)))
        if panel.get("type") != "text" and not panel.get("targets"):
            yield board.finding(panel, "asks nothing: it has no targets")


def _words(panel: dict[str, Any]) -> Iterator[str]:
    for name in ("title", "description"):
        text = str(panel.get(name, ""))
        if not text.strip():
            yield f"has no {name}"
        elif not (_CHINESE.search(text) and _ENGLISH.search(text)):
            yield f"{name}: received {text!r}, allowed: 简体中文 and English"


def _values(panel: dict[str, Any]) -> Iterator[str]:
    """Unit, text for no value, mapping of null: of every panel that shows values."""
    if panel.get("type") == "text":
        return
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    unit = defaults.get("unit")
    if not unit:
        yield "has no unit"
    wanted = [unit, *(value for name, value in _overridden(panel) if name == "unit")]
    yield from (
        f"unit: received {each!r}, which Grafana does not have"
        for each in wanted
        if each and each not in _UNITS
    )
    if not _CHINESE.search(str(defaults.get("noValue", ""))):
        yield "says nothing when there is no value (noValue)"
    mapped = [*defaults.get("mappings", [])]
    if not any(
        each.get("type") == "special" and each["options"].get("match") == "null+nan" for each in mapped
    ):
        yield "shows null as if it were a value: no mapping of null+nan"


def _overridden(panel: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for override in panel.get("fieldConfig", {}).get("overrides", []):
        yield from ((each["id"], each.get("value")) for each in override.get("properties", []))
