"""The workflows that come with Taishi; a folder of one's own adds others, or replaces them by name."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from operations.cases.workflow import Workflow
from operations.cases.workflow_check import load_workflow
from schemas.errors import SettingsError

__all__ = ["load_workflows", "shipped_workflows"]


def shipped_workflows() -> dict[str, Workflow]:
    """Name -> workflow."""
    files = sorted(resources.files(__name__).iterdir(), key=lambda file: file.name)
    found = (load_workflow(f.read_text("utf-8"), f.name) for f in files if f.name.endswith(".toml"))
    return {workflow.name: workflow for workflow in found}


def load_workflows(folder: Path | None) -> dict[str, Workflow]:
    """The shipped ones and those of the folder; SettingsError lists what is wrong with a file."""
    found = shipped_workflows()
    for workflow in _own(folder) if folder is not None else ():
        found[workflow.name] = workflow
    return found


def _own(folder: Path) -> Iterator[Workflow]:
    if not folder.is_dir():
        raise SettingsError(f"workflows_folder: received {str(folder)!r}, allowed: a folder of TOML files")
    for path in sorted(folder.glob("*.toml")):
        yield load_workflow(path.read_text("utf-8"), str(path))
