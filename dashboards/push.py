"""What putting a board into a Grafana would change, and whether somebody's work would be lost by it. Pure.

A push ends its version note with `taishi` and a fingerprint of what it wrote. So the newest note says whether
what stands there is a push of ours and of what, or was saved by somebody else since, by whom and when.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

__all__ = ["Change", "Held", "change_of", "fingerprint", "note_of"]

Kind = Literal["new", "same", "changed", "conflict"]
_OURS: Final = re.compile(r"\btaishi ([0-9a-f]{12})$")
_OF_GRAFANA: Final = ("id", "version")
"""What Grafana adds to a board by itself."""


@dataclass(frozen=True, slots=True)
class Held:
    """A board as a Grafana holds it; of its newest version who saved it, when, with what note."""

    model: Mapping[str, Any]
    folder: str = ""
    note: str = ""
    by: str = ""
    at: str = ""

    @property
    def version(self) -> int:
        """Which one it is."""
        return int(self.model.get("version", 0))


@dataclass(frozen=True, slots=True)
class Change:
    """What a push does to one board; `diff` are lines as `diff -u` prints them."""

    uid: str
    title: str
    kind: Kind
    diff: tuple[str, ...] = ()
    why: str = ""


def _plain(model: Mapping[str, Any]) -> str:
    told = {name: value for name, value in model.items() if name not in _OF_GRAFANA}
    return json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True)


def fingerprint(model: Mapping[str, Any]) -> str:
    """12 hex digits of what a board says, whatever Grafana numbered it."""
    return hashlib.blake2b(_plain(model).encode(), digest_size=6).hexdigest()


def note_of(message: str, model: Mapping[str, Any]) -> str:
    """The version note of a push."""
    return f"{message} · taishi {fingerprint(model)}"


def change_of(wanted: Mapping[str, Any], held: Held | None, folder: str) -> Change:
    """What pushing `wanted` into `folder` does to what the Grafana holds (None: nothing of that uid)."""
    uid, title = str(wanted["uid"]), str(wanted["title"])
    if held is None:
        return Change(uid, title, "new")
    moved = () if held.folder == folder else (f"-folder {held.folder}", f"+folder {folder}")
    before, after, ours = _plain(held.model), _plain(wanted), _OURS.search(held.note)
    if not moved and (before == after or (ours is not None and ours[1] == fingerprint(wanted))):
        return Change(uid, title, "same")
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "grafana", "taishi", "", "", 2, "")
    diff = (*moved, *lines)
    return Change(uid, title, "changed", diff) if ours else Change(uid, title, "conflict", diff, _whose(held))


def _whose(held: Held) -> str:
    who, when = held.by or "somebody", held.at or "an unknown time"
    return f"version {held.version} was saved by {who} at {when} with the note {held.note!r}"
