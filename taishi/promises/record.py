"""What became of each promised test the last time it ran: one file in the installation's home.

It is written at the end of a test session (tests/promises_plugin.py), by one replacement, under a lock:
sessions side by side keep each other's results, and a death at any moment leaves the old file or the new one,
whole.
"""

from __future__ import annotations

import fcntl
import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from schemas.errors import SettingsError

__all__ = ["FILE", "Outcome", "Result", "Stamp", "forget", "function_of", "keep", "read_record", "stamp_of"]

Outcome = Literal["passed", "failed", "skipped"]
FILE: Final = "promises.json"


class Stamp(msgspec.Struct, frozen=True):
    """On what a session of tests ran."""

    commit: str
    """Hash of the commit; empty outside of git."""
    modified: bool
    """Whether the tree held changes that the commit has not."""
    machine: str
    form: str = ""
    """What made it another than the short form (`TAISHI_FAULT_KILLS=30`)."""


class Result(msgspec.Struct, frozen=True):
    """The last run of one case of a test."""

    outcome: Outcome
    ended_at_ms: int
    took_s: float
    on: Stamp


def function_of(case: str) -> str:
    """The node id of the function a case is of: without its parameters."""
    return case.partition("[")[0]


def read_record(home: Path) -> dict[str, Result]:
    """Node id of each recorded case -> its last result; empty when nothing ran yet.

    SettingsError when the file holds something else.
    """
    path = home / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Result])
    except FileNotFoundError:
        return {}
    except msgspec.MsgspecError as error:
        raise SettingsError(
            f"{path}: {error}; allowed: what a test session wrote. Remove it: the next run makes it anew"
        ) from error


def keep(home: Path, results: Mapping[str, Result]) -> None:
    """Put these in the place of older results of the same cases; OSError when it cannot be written."""
    _change(home, lambda record: record | dict(results))


def forget(home: Path, functions: Iterable[str]) -> None:
    """Take out every case of these functions: they have not run."""
    gone = set(functions)
    _change(home, lambda record: {case: r for case, r in record.items() if function_of(case) not in gone})


def stamp_of(root: Path) -> Stamp:
    """The stamp of the work tree at `root`, now, on this machine."""
    commit = _git(root, "rev-parse", "HEAD")
    machine = f"{platform.node()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    kills = os.environ.get("TAISHI_FAULT_KILLS")
    form = f"TAISHI_FAULT_KILLS={kills}" if kills else ""
    return Stamp(commit, bool(commit and _git(root, "status", "--porcelain")), machine, form)


def _change(home: Path, by: Callable[[dict[str, Result]], dict[str, Result]]) -> None:
    home.mkdir(parents=True, exist_ok=True)
    with (home / f".{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        unfinished = home / f".{FILE}.part"
        with unfinished.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(by(read_record(home))), indent=1))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(home / FILE)


def _git(root: Path, *words: str) -> str:
    """What git says; empty where there is no repository or no git."""
    try:
        said = subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""
