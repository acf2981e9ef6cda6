"""Colours: few, told apart by people who see red or green badly, and never green.

Each has a contrast of 4.5 to 1 or more on Grafana's dark panels (WCAG 2.2 AA for text) and of 3 to 1 or
more on its light ones (AA for large text and graphics). A text always says the same as the colour.
"""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["COLOURS", "DARK_PANEL", "LIGHT_PANEL", "RAMP", "SEVERITY_COLOURS", "Colour", "contrast"]

Colour = Literal["normal", "caution", "critical", "urgent", "none"]

COLOURS: Final[dict[Colour, str]] = {
    "normal": "#4A90D9",  # blue: within what is allowed
    "caution": "#B28F00",  # amber: near a limit, or not complete
    "critical": "#EC5A5E",  # red: beyond a limit, or lost
    "urgent": "#C640FF",  # violet: life safety
    "none": "#8C8C8C",  # grey: no data, no judgement
}
"""State -> colour. No data is grey: it never looks well."""

SEVERITY_COLOURS: Final[dict[str, Colour]] = {
    "low": "normal",
    "medium": "caution",
    "high": "critical",
    "life_safety": "urgent",
}
RAMP: Final = "continuous-blues"
"""Grafana's colour scheme of the map: one hue, light to dark, so that order is seen by everybody."""

DARK_PANEL: Final = "#181B1F"
LIGHT_PANEL: Final = "#FFFFFF"
"""What Grafana's themes paint panels with (`background.primary`)."""


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours `#rrggbb`, from 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
