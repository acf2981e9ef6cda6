"""The JSON beside the code is fresh."""

from __future__ import annotations

from dashboards.model import Board
from dashboards.render import files
from taishi.boards import RENDERED


def test_the_rendered_boards_are_those_of_the_code(shipped: tuple[Board, ...]) -> None:
    wanted = files(shipped)
    held = {path.name: path.read_text("utf-8") for path in RENDERED.glob("*.json")}
    assert sorted(held) == sorted(wanted)
    stale = [name for name, text in wanted.items() if held[name] != text]
    assert not stale, "run `taishi boards render`"


def test_the_same_boards_render_the_same_twice(shipped: tuple[Board, ...]) -> None:
    assert files(shipped) == files(shipped)
