"""A board's layout as a picture (SVG): for those who review boards where there is no Grafana. Pure.

Not what Grafana draws: the place, title, kind, unit, limits and number of queries of every panel.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise
from typing import Final

from dashboards.layout import COLUMNS, Placed, placed
from dashboards.model import Bars, Board, Choropleth, Lines, Note, Panel, Stat, Step, Table, Timeline
from dashboards.palette import COLOURS, DARK_PANEL

__all__ = ["sketch"]

_CELL_WIDTH: Final = 56
_CELL_HEIGHT: Final = 26
_GAP: Final = 4
_HEAD: Final = 44
_TEXT: Final = "#D5D7DC"
_PALE: Final = "#9A9DA5"
_KINDS: Final = {
    Stat: "数字 stat",
    Lines: "曲线 lines",
    Bars: "条形 bars",
    Table: "表 table",
    Timeline: "状态 states",
    Choropleth: "地图 map",
    Note: "文字 note",
}


def sketch(board: Board) -> str:
    """One SVG document."""
    items = list(placed(board.sections))
    height = _HEAD + _CELL_HEIGHT * max(item.y + item.height for item in items)
    width = COLUMNS * _CELL_WIDTH
    shapes = "\n".join(shape for item in items for shape in _shapes(item))
    variables = " · ".join(f"{each.words} = {each.text}" for each in board.variables if not each.hidden)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="Noto Sans CJK SC, sans-serif">\n<rect width="100%" height="100%" fill="#111217"/>\n'
        f"{_text(8, 18, str(board.title), 16, _TEXT)}\n{_text(8, 36, variables, 11, _PALE)}\n"
        f"{shapes}\n</svg>\n"
    )


def _shapes(item: Placed) -> Iterator[str]:
    left, top = item.x * _CELL_WIDTH, _HEAD + item.y * _CELL_HEIGHT
    if not isinstance(item.shown, Panel):
        yield _text(left + 6, top + 17, f"▾ {item.shown}", 13, _TEXT)
        return
    panel = item.shown
    width, height = item.width * _CELL_WIDTH - _GAP, item.height * _CELL_HEIGHT - _GAP
    yield (
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="3" '
        f'fill="{DARK_PANEL}" stroke="#2C3235"/>'
    )
    yield _text(left + 8, top + 16, _fitting(str(panel.title), width), 12, _TEXT)
    told = f"{_KINDS[type(panel.show)]} · {panel.unit} · {len(panel.queries)}"
    yield _text(left + 8, top + height - 12, _fitting(told, width), 10, _PALE)
    yield from _limits(panel.steps, left + 8, top + height - 7, width - 16)
    for at, query in enumerate(panel.queries[: max(0, item.height - 3)]):
        name = query.alias or query.ref
        yield _text(left + 12, top + 34 + at * 14, _fitting(name, width), 10, _PALE)


def _limits(steps: tuple[Step, ...], left: int, top: int, width: int) -> Iterator[str]:
    """The colours that a value passes through, from low to high."""
    wanted = steps or (Step(None, "normal"),)
    edges = [left + width * at // len(wanted) for at in range(len(wanted) + 1)]
    for step, (start, end) in zip(wanted, pairwise(edges), strict=True):
        yield f'<rect x="{start}" y="{top}" width="{end - start}" height="3" fill="{COLOURS[step.colour]}"/>'


def _text(x: int, y: int, text: str, size: int, colour: str) -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}">{escape(text)}</text>'


def _fitting(text: str, width: int) -> str:
    """As much of a text as fits: a Chinese character is about as wide as two others."""
    room, kept = (width - 16) / 6.2, 0.0
    for at, character in enumerate(text):
        kept += 1.9 if ord(character) > 0x2E80 else 1.0
        if kept > room:
            return text[:at] + "…"
    return text
