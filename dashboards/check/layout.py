"""Panels lie within the grid, none on another, each with an id of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final

from dashboards.check.document import Finding, Panels

__all__ = ["layout"]

_COLUMNS: Final = 24


def layout(board: Panels) -> Iterator[Finding]:
    """What lies wrong."""
    placed = [panel for panel in board.all if _fits(panel)]
    for panel in board.all:
        if not _fits(panel):
            yield board.finding(
                panel, f"gridPos: received {panel.get('gridPos')}, allowed: within 24 columns"
            )
    for one, other in combinations(placed, 2):
        if _overlap(one["gridPos"], other["gridPos"]):
            yield board.finding(one, f"overlaps {other.get('title')!r}")
    for number, times in Counter(panel.get("id") for panel in board.all).items():
        if times > 1:
            yield board.finding(None, f"panel id {number} is used {times} times")


def _fits(panel: dict[str, Any]) -> bool:
    at = panel.get("gridPos")
    if not isinstance(at, dict) or not all(isinstance(at.get(key), int) for key in "xywh"):
        return False
    left, top, width, height = (int(at[key]) for key in "xywh")
    return left >= 0 and top >= 0 and width > 0 and height > 0 and left + width <= _COLUMNS


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    aside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    apart = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not (aside or apart)
