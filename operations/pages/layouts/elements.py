"""The elements of our own: each a Vue component in `web/` that shows a frame.

A page is a handful of them: what they show comes to all pages alike over `/live`, not to each over NiceGUI's
own connection, so a page more costs the server a connection and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from nicegui.element import Element

__all__ = ["Alerts", "Devices", "Domain", "Health", "Map", "Places", "Shell", "Trend"]

_WEB: Final = Path(__file__).parents[1] / "web"


class _Own(Element):
    def __init__(self, **props: Any) -> None:
        super().__init__()
        self._props.update({name.replace("_", "-"): value for name, value in props.items()})


class Shell(_Own, component=_WEB / "shell.js", esm={"taishi-pages": str(_WEB / "lib")}):
    """`title`, `english`, `here` (its address), `links`."""


class Domain(_Own, component=_WEB / "domain.js"):
    """`source`, `domain`, `trend` and `line` of the small chart, `href`."""


class Map(_Own, component=_WEB / "map.js"):
    """`levels`, `metrics`, `within` (a code), `marked` (a code), `alerts` (a key)."""


class Alerts(_Own, component=_WEB / "alerts.js"):
    """`source`."""


class Places(_Own, component=_WEB / "places.js"):
    """`source`, `heading`, `english`."""


class Trend(_Own, component=_WEB / "trend.js"):
    """`source`, `only` (a domain)."""


class Devices(_Own, component=_WEB / "devices.js"):
    """`source`."""


class Health(_Own, component=_WEB / "health.js"):
    """`source`."""
