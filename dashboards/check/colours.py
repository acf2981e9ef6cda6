"""Colours are of the palette, contrast with what they stand on, and no data never looks well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from dashboards.check.document import Finding, Panels, texts
from dashboards.palette import COLOURS, DARK_PANEL, LIGHT_PANEL, RAMP, contrast

__all__ = ["colours"]

_HEX: Final = re.compile(r"#[0-9A-Fa-f]{6}")
_NAMED: Final = re.compile(
    r"(?:semi-dark-|dark-|light-|super-light-)?(?:green|red|orange|yellow|blue|purple)"
)
_MODES: Final = {"thresholds", "fixed", RAMP}
_TEXT_CONTRAST: Final = 4.5
_GRAPHICS_CONTRAST: Final = 3.0


def colours(board: Panels) -> Iterator[Finding]:
    """What cannot be told apart, cannot be read, or looks well without data."""
    for panel in board.shown:
        yield from (board.finding(panel, what) for what in (*_palette(panel), *_no_data(panel)))


def _palette(panel: dict[str, Any]) -> Iterator[str]:
    for path, text in texts(panel.get("fieldConfig", {})):
        if _NAMED.fullmatch(text) or (_HEX.fullmatch(text) and text not in COLOURS.values()):
            yield f"{path}: received {text!r}, allowed: {', '.join(COLOURS.values())}"
        if _HEX.fullmatch(text) and contrast(text, DARK_PANEL) < _TEXT_CONTRAST:
            yield f"{path}: {text} has too little contrast on dark panels"
        if _HEX.fullmatch(text) and contrast(text, LIGHT_PANEL) < _GRAPHICS_CONTRAST:
            yield f"{path}: {text} has too little contrast on light panels"
        if path.endswith("color.mode") and text not in _MODES:
            yield f"{path}: received {text!r}, allowed: {', '.join(sorted(_MODES))}"


def _no_data(panel: dict[str, Any]) -> Iterator[str]:
    """Null is grey, whatever the limits say."""
    for mapping in panel.get("fieldConfig", {}).get("defaults", {}).get("mappings", []):
        if mapping.get("type") == "special" and mapping["options"]["result"].get("color") != COLOURS["none"]:
            yield f"null is shown in {mapping['options']['result'].get('color')}, allowed: {COLOURS['none']}"
