"""Boards into a Grafana: looked at first, all of them, then saved one after the other.

Nothing is saved while one of them would overwrite somebody's work. Dying between two boards leaves those
before it saved and the others as they were; pushing again finds the saved ones the same and does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dashboards.push import Change, Held, change_of, note_of
from schemas.errors import Refused
from taishi.grafana.client import Conflict, Grafana

__all__ = ["FOLDER", "FOLDER_TITLE", "Plan", "plan", "push"]

FOLDER: Final = "taishi"
FOLDER_TITLE: Final = "态势 Taishi"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a push would do: a change a board, and whether the folder is to be made."""

    release: str
    makes_folder: bool
    changes: list[Change] = field(default_factory=list)
    models: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    held: dict[str, Held | None] = field(default_factory=dict)

    @property
    def conflicts(self) -> list[Change]:
        """Boards that somebody else changed."""
        return [change for change in self.changes if change.kind == "conflict"]


def plan(grafana: Grafana, models: Iterable[Mapping[str, Any]], folder: str = FOLDER) -> Plan:
    """Look at everything and change nothing."""
    planned = Plan(grafana.release(), grafana.folder(folder) is None)
    for model in models:
        held = grafana.board(str(model["uid"]))
        change = change_of(model, held, folder)
        planned.changes.append(change)
        planned.models[change.uid] = model
        planned.held[change.uid] = held
    return planned


def push(
    grafana: Grafana, planned: Plan, message: str, folder: str = FOLDER, *, overwrite: bool = False
) -> dict[str, int]:
    """Do what was planned; returns the version of each board that was saved.

    Refused, with nothing saved, where somebody else changed a board and `overwrite` is not wanted; Conflict
    where somebody saves one between the look and the save.
    """
    if planned.conflicts and not overwrite:
        told = "\n".join(f"  {change.uid}: {change.why}" for change in planned.conflicts)
        raise Refused(f"nothing was pushed; --overwrite would replace these:\n{told}")
    if planned.makes_folder:
        grafana.make_folder(folder, FOLDER_TITLE)
    saved: dict[str, int] = {}
    for change in planned.changes:
        if change.kind == "same":
            continue
        model, held = planned.models[change.uid], planned.held[change.uid]
        how = {"folderUid": folder, "message": note_of(message, model), "overwrite": overwrite}
        try:
            saved[change.uid] = grafana.save(model, held, how)
        except Conflict as error:
            done = ", ".join(saved) or "none"
            raise Conflict(
                f"{error}; look at it and push again, or --overwrite. Pushed before it: {done}"
            ) from error
    return saved
