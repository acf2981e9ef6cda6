"""Ways between boards; each keeps the time range and the place."""

from __future__ import annotations

from typing import Final

from dashboards.model import Link
from dashboards.variables import LEVEL, PLACE, chosen
from dashboards.words import Words

__all__ = ["TAG", "UIDS", "deeper", "to_board"]

TAG: Final = "taishi"
"""Every board has it; the list of boards on top of each is made by it."""

UIDS: Final = {
    name: f"taishi-{name}"
    for name in (
        "overview",
        "parking",
        "security",
        "care",
        "place",
        "governance",
        "alerts",
        "sources",
        "system",
    )
}
"""Board -> uid: part of every link that was ever sent to anybody, so never changed."""

_TIME: Final = "${__url_time_range}"


def to_board(name: str, title: Words, place: str = "") -> Link:
    """To a board, at the same time; at the same place, or at what is given (`${__data.fields.place}`)."""
    return Link(
        title, f"/d/{UIDS[name]}?{_TIME}&var-place={place or chosen(PLACE)}&var-level={chosen(LEVEL)}"
    )


def deeper(name: str) -> Link:
    """From a row to its place: rows have a column `place`."""
    return to_board(name, Words("进入", "go to"), "${__data.fields.place}")
