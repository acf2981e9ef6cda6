"""Every key and value of the JSON is of the types that Grafana publishes (`grafana-foundation-sdk`).

The document is read into them and written again: what they do not know is gone then. InfluxQL targets and
marks are not among them; they are held to the keys that Grafana's InfluxDB data source reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as grafana

from dashboards.check.document import Finding, Panels

__all__ = ["types"]

register_default_plugins()

_TARGET: Final = {"refId", "datasource", "query", "rawQuery", "resultFormat", "alias"}
_MARK: Final = {
    *("refId", "fromAnnotations", "query", "rawQuery", "queryType", "name"),
    *("titleColumn", "textColumn", "tagsColumn", "timeEndColumn"),
}


def types(board: Panels) -> Iterator[Finding]:
    """What Grafana's published types do not know, and what does not fit them."""
    document = deepcopy(board.document)
    for panel in Panels(board.name, document).all:
        if panel.get("datasource", {}).get("uid") == "-- Mixed --":
            del panel["datasource"]  # each target has its own
        yield from _targets(board, panel)
    for mark in Panels(board.name, document).marks:
        unknown = set(mark.pop("target", {})) - _MARK
        if unknown:
            yield board.finding(
                None, f"mark {mark.get('name')}: {_listed(unknown)} is no key of an InfluxDB mark"
            )
    try:
        typed = grafana.Dashboard.from_json(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield board.finding(None, f"is not of Grafana's types: {type(error).__name__}: {error}")
        return
    back = json.loads(json.dumps(typed, cls=JSONEncoder))
    yield from (
        board.finding(None, f"{path}: Grafana's types do not know it") for path in _lost(document, back)
    )


def _targets(board: Panels, panel: dict[str, Any]) -> Iterator[Finding]:
    for target in panel.get("targets", []):
        if target.get("datasource", {}).get("type") == "influxdb" and (unknown := set(target) - _TARGET):
            yield board.finding(panel, f"{_listed(unknown)} is no key of an InfluxQL query")


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _lost(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Where what was read is not what is written again."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key in after:
                yield from _lost(value, after[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _lost(one, other, f"{path}[{at}]")
    elif before != after:
        yield path
