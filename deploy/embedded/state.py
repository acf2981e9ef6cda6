"""What the supervisor says about the stack: one file, replaced whole, readable by anybody at any time."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec

__all__ = ["PartState", "StackState", "is_running", "read_state", "write_state"]

Phase = Literal["waiting", "starting", "healthy", "unhealthy", "backing-off", "stopping", "stopped", "done"]
"""waiting = for what it needs; unhealthy = runs, but does not answer; done = a once part that ended well."""

_FILE: Final = "state.json"
LOCK: Final = "supervisor.lock"


@dataclass(frozen=True, slots=True)
class PartState:
    """One part now; `since_ms` = when it came into this phase (Unix, ms)."""

    name: str
    phase: Phase
    since_ms: int
    restarts: int = 0
    pid: int | None = None
    started_ms: int | None = None
    port: int | None = None
    rss_bytes: int = 0
    detail: str = ""
    log: str = ""

    @property
    def well(self) -> bool:
        """Serving, or ended as it should."""
        return self.phase in ("healthy", "done")


@dataclass(frozen=True, slots=True)
class StackState:
    """All parts in starting order, and the supervisor itself."""

    pid: int
    written_ms: int
    parts: tuple[PartState, ...]

    def part(self, name: str) -> PartState:
        """The part of that name; KeyError when the plan has none."""
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(name)

    @property
    def well(self) -> bool:
        """Whether every part is."""
        return all(part.well for part in self.parts)


def write_state(home: Path, state: StackState) -> None:
    """Replace the file atomically: a reader sees the old or the new, never half."""
    temporary = home / f".{_FILE}.new"
    temporary.write_bytes(msgspec.json.encode(state))
    temporary.replace(home / _FILE)


def read_state(home: Path) -> StackState | None:
    """The last state written, also after the supervisor ended; None when there never was one."""
    try:
        return msgspec.json.decode((home / _FILE).read_bytes(), type=StackState)
    except FileNotFoundError:
        return None


def is_running(home: Path) -> bool:
    """Whether a supervisor lives: it holds a lock that its death, however sudden, releases."""
    path = home / "pids" / LOCK
    if not path.exists():
        return False
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
