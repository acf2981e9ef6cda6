"""One log a part: kept for so many days as far as so many bytes hold them; what must go sooner is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import structlog

__all__ = ["LogLimits", "RotatingLog", "last_line", "spared"]

_LOG = structlog.get_logger(__name__)
_DAY_S: Final = 86_400
_LARGEST_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LogLimits:
    """How long a part's log is kept, and how much of it there may be in all its files."""

    keep_days: float = 183.0
    limit_bytes: int = 512 * 1024 * 1024

    @property
    def file_bytes(self) -> int:
        """How large one file grows: a third at most, so that two older ones stand beside the current one."""
        return min(_LARGEST_BYTES, self.limit_bytes // 3)


def spared(older: Sequence[tuple[int, float]], limits: LogLimits, now_s: float) -> tuple[int, int]:
    """(how many of the older files stay, how many of the others are younger than `keep_days`).

    `older`: bytes and last change of each, newest first; beside them one more file grows.
    """
    room, stay = limits.limit_bytes - limits.file_bytes, 0
    young = [now_s - changed_s < limits.keep_days * _DAY_S for _, changed_s in older]
    for (size, _), is_young in zip(older, young, strict=True):
        room -= size
        if room < 0 or not is_young:
            break
        stay += 1
    return stay, sum(young[stay:])


class RotatingLog:
    """Appends bytes to `path`; a file that is full moves to `.1`, `.1` to `.2` and so on, and another begins.

    What goes for want of room before its days is told in the supervisor's log. A process that dies between
    two renames leaves a number out: the next rotation takes what is there, in order.
    """

    def __init__(self, path: Path, limits: LogLimits, clock: Callable[[], float] = time.time) -> None:
        self._path, self._limits, self._clock = path, limits, clock
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("ab", buffering=0)

    def write(self, data: bytes) -> None:
        """Append, rotating first when the data would not fit."""
        if self._file.tell() and self._file.tell() + len(data) > self._limits.file_bytes:
            self._rotate()
        self._file.write(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        files = [self._path, *self._older()]
        told = [(path.stat().st_size, path.stat().st_mtime) for path in files]
        stay, young = spared(told, self._limits, self._clock())
        for path in files[stay:]:
            path.unlink()
        for number in range(stay, 0, -1):
            files[number - 1].replace(self._path.with_name(f"{self._path.name}.{number}"))
        if young:
            _LOG.warning(
                "log dropped before its days: log_limit_mib is too small for log_keep_days",
                log=self._path.name,
                files=young,
                keep_days=self._limits.keep_days,
                limit_mib=self._limits.limit_bytes >> 20,
            )
        self._file = self._path.open("ab", buffering=0)

    def _older(self) -> list[Path]:
        """The files that were rotated, newest first."""
        found = {
            int(path.name.rpartition(".")[2]): path
            for path in self._path.parent.glob(f"{self._path.name}.*")
            if path.name.rpartition(".")[2].isdecimal()
        }
        return [found[number] for number in sorted(found)]


def last_line(path: Path) -> str:
    """The last line with text in it, for an error message; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            lines = [line for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    except FileNotFoundError:
        return ""
    return lines[-1].strip()[:300] if lines else ""
