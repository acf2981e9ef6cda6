"""The JSON beside the code: fresh, and of the types that Grafana publishes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as grafana

from dashboards.model import Board
from dashboards.render import files
from taishi.boards import RENDERED

register_default_plugins()


def test_the_rendered_boards_are_those_of_the_code(shipped: tuple[Board, ...]) -> None:
    wanted = files(shipped)
    held = {path.name: path.read_text("utf-8") for path in RENDERED.glob("*.json")}
    assert sorted(held) == sorted(wanted)
    stale = [name for name, text in wanted.items() if held[name] != text]
    assert not stale, "run `taishi boards render`"


def test_the_same_boards_render_the_same_twice(shipped: tuple[Board, ...]) -> None:
    assert files(shipped) == files(shipped)


def lost(before: Any, after: Any, where: str = "") -> list[str]:
    """Where what was written does not come back from the SDK's types as it was."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            problem
            for key, value in before.items()
            for problem in (lost(value, after[key], f"{where}.{key}") if key in after else [f"{where}.{key}"])
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            p
            for at, pair in enumerate(zip(before, after, strict=True))
            for p in lost(*pair, f"{where}[{at}]")
        ]
    return [] if before == after else [where]


def through_the_types(document: dict[str, Any]) -> dict[str, Any]:
    typed = grafana.Dashboard.from_json(document)
    back: dict[str, Any] = json.loads(json.dumps(typed, cls=JSONEncoder))
    return back


def test_every_key_of_every_board_is_known_to_grafanas_published_types(shipped: tuple[Board, ...]) -> None:
    for name, text in files(shipped).items():
        document = json.loads(text)
        for mark in document["annotations"]["list"]:
            mark.pop("target", None)  # the SDK types Grafana's own source only; see test_marks
        assert lost(document, through_the_types(document)) == [], name


@pytest.mark.parametrize(
    ("path", "key"),
    [(("panels", 1), "colour"), (("panels", 1, "fieldConfig", "defaults"), "unitt"), ((), "titel")],
)
def test_a_key_that_grafana_does_not_know_is_found(
    shipped: tuple[Board, ...], path: tuple[str | int, ...], key: str
) -> None:
    document = json.loads(next(iter(files(shipped).values())))
    inner = document
    for step in path:
        inner = inner[step]
    inner[key] = "blue"
    assert [
        where.rsplit(".", 1)[-1] for where in lost(document, through_the_types(document)) if key in where
    ] == [key]
