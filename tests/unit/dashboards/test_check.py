"""The static check: the shipped boards pass it, and each of its rules finds what it is for."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from dashboards.check import check
from dashboards.model import Board
from dashboards.palette import COLOURS
from dashboards.render import files

Json = dict[str, Any]


@pytest.fixture(scope="module")
def documents(shipped: tuple[Board, ...]) -> dict[str, Json]:
    return {name: json.loads(text) for name, text in files(shipped).items()}


def test_nothing_is_wrong_with_the_shipped_boards(documents: dict[str, Json]) -> None:
    assert [str(finding) for finding in check(documents)] == []


def first(board: Json, kind: str) -> Json:
    found: Json = next(panel for panel in board["panels"] if panel["type"] == kind)
    return found


def defaults(board: Json, kind: str = "stat") -> Json:
    found: Json = first(board, kind)["fieldConfig"]["defaults"]
    return found


def _change(path: str, value: Any) -> Callable[[Json], None]:
    """Set a value in the first stat panel, by the keys of a path."""

    def apply(board: Json) -> None:
        inner: Any = first(board, "stat")
        *steps, last = path.split(".")
        for step in steps:
            inner = inner[int(step)] if step.isdigit() else inner[step]
        inner[last] = value

    return apply


UNIT, NOTHING, MAPPINGS = (f"fieldConfig.defaults.{each}" for each in ("unit", "noValue", "mappings"))
LINK, LOWEST = "fieldConfig.defaults.links.0.url", "fieldConfig.defaults.thresholds.steps.0.color"
TIME = "${__url_time_range}"

WRONG: dict[str, tuple[Callable[[Json], None], str]] = {
    "a key nobody knows": (_change("fieldConfig.defaults.unitt", "s"), "Grafana's types do not know it"),
    "a key no query has": (_change("targets.0.measurement", "x"), "measurement is no key"),
    "a panel on another": (_change("gridPos", {"x": 0, "y": 0, "w": 24, "h": 30}), "overlaps"),
    "a panel outside": (_change("gridPos.x", 22), "allowed: within 24 columns"),
    "an id used twice": (lambda b: b["panels"][1].update(id=b["panels"][2]["id"]), "is used 2 times"),
    "no title": (_change("title", ""), "has no title"),
    "no English": (_change("title", "占用率"), "allowed: 简体中文 and English"),
    "no description": (_change("description", ""), "has no description"),
    "no unit": (_change(UNIT, ""), "has no unit"),
    "a unit Grafana has not": (_change(UNIT, "furlong"), "received 'furlong'"),
    "no word for no value": (_change(NOTHING, ""), "(noValue)"),
    "null like a value": (_change(MAPPINGS, []), "shows null as if it were a value"),
    "nothing asked": (_change("targets", []), "asks nothing"),
    "a source nobody has": (_change("targets.0.datasource.uid", "other"), "received 'other'"),
    "a variable nobody has": (_change("targets.0.query", "SELECT ${nix}"), "the board has not: nix"),
    "a link without time": (
        _change(LINK, "/d/taishi-place?var-place=1"),
        "does not keep the time range",
    ),
    "a link without place": (
        _change(LINK, "/d/taishi-place?${__url_time_range}"),
        "does not keep the place",
    ),
    "a link to nowhere": (
        _change(LINK, "/d/nix?${__url_time_range}&var-place=1"),
        "link to 'nix'",
    ),
    "Grafana's green": (_change(LOWEST, "green"), "received 'green'"),
    "a colour of one's own": (_change(LOWEST, "#202020"), "contrast"),
    "a palette that begins green": (_change("fieldConfig.defaults.color.mode", "shades"), "'shades'"),
    "no data that looks well": (
        _change("fieldConfig.defaults.mappings.0.options.result.color", COLOURS["normal"]),
        "null is shown in",
    ),
    "boards list loses the time": (lambda b: b["links"][0].update(keepTime=False), "does not keep the time"),
    "another uid": (lambda b: b.update(uid="taishi-care"), "is that of"),
    "a variable before what it needs": (
        lambda b: b["templating"]["list"].reverse(),
        "which does not come before it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_found(documents: dict[str, Json], wrong: str) -> None:
    spoil, said = WRONG[wrong]
    spoiled = deepcopy(documents)
    spoil(spoiled["taishi-parking.json"])
    assert said in "\n".join(str(finding) for finding in check(spoiled))


@pytest.mark.parametrize("document", [[], {}, {"panels": {}}, "text"])
def test_what_is_no_board_is_told(document: Any) -> None:
    assert "allowed: an object with panels" in str(check({"x.json": document})[0])
