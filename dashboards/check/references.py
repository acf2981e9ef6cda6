"""What a board refers to is there: data sources, variables, boards; links keep the time and the place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from dashboards.check.document import Finding, Panels, texts
from dashboards.links import UIDS
from dashboards.sources import SOURCES

__all__ = ["references"]

_VARIABLE: Final = re.compile(r"\$\{(\w+)(?:[.:][^}]*)?\}|(?<![\w$])\$(\w+)")
_GRAFANAS: Final = re.compile(r"timeFilter|interval|__\w+|tag_\w+|col|m|\d+")
"""Variables that Grafana has by itself, parts of aliases, groups of patterns."""
_MIXED: Final = "-- Mixed --"
_BOARD: Final = re.compile(r"/d/([\w-]+)")


def references(board: Panels) -> Iterator[Finding]:
    """What leads nowhere."""
    yield from _data_sources(board)
    yield from _variables(board)
    yield from _links(board)


def _data_sources(board: Panels) -> Iterator[Finding]:
    for path, text in texts(board.document):
        if path.endswith("datasource.uid") and text not in (*SOURCES, _MIXED):
            yield board.finding(None, f"{path}: received {text!r}, allowed: {', '.join(SOURCES)}")
    for panel in board.shown:
        for target in panel.get("targets", []):
            if not target.get("datasource", {}).get("uid"):
                yield board.finding(panel, f"query {target.get('refId')} names no data source")


def _variables(board: Panels) -> Iterator[Finding]:
    known = [variable["name"] for variable in board.variables]
    for at, variable in enumerate(board.variables):
        for name in _used(variable.get("query", "")) - set(known[:at]) - {variable["name"]}:
            yield board.finding(
                None, f"variable {variable['name']} needs {name!r}, which does not come before it"
            )
    for where in (*board.shown, *board.marks):
        missing = _used(where) - set(known)
        if missing:
            yield board.finding(where, f"variables that the board has not: {', '.join(sorted(missing))}")


def _used(value: Any) -> set[str]:
    found = {a or b for _, text in texts(value) for a, b in _VARIABLE.findall(text)}
    return {name for name in found if not _GRAFANAS.fullmatch(name)}


def _links(board: Panels) -> Iterator[Finding]:
    for link in board.document.get("links", []):
        if link.get("type") == "dashboards" and not (link.get("keepTime") and link.get("includeVars")):
            yield board.finding(None, f"link {link.get('title')!r} does not keep the time and the variables")
        missing = _used(link) - {variable["name"] for variable in board.variables}
        if missing:
            yield board.finding(link, f"variables that the board has not: {', '.join(sorted(missing))}")
    for panel in board.shown:
        for path, text in texts(panel):
            if path.endswith("url") and (to := _BOARD.search(text)):
                yield from (board.finding(panel, what) for what in _wrong(text, to[1]))


def _wrong(url: str, uid: str) -> Iterator[str]:
    if uid not in UIDS.values():
        yield f"link to {uid!r}, allowed: {', '.join(UIDS.values())}"
    if "${__url_time_range}" not in url:
        yield f"link {url!r} does not keep the time range"
    if "var-place=" not in url:
        yield f"link {url!r} does not keep the place"
