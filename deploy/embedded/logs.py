"""One log a part, of bounded size: the newest two files of each."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["KEPT", "LIMIT_BYTES", "RotatingLog", "last_line"]

LIMIT_BYTES: Final = 8 * 1024 * 1024
KEPT: Final = 2
"""Older files kept beside the current one: part.log.1 (newer), part.log.2."""


class RotatingLog:
    """Appends bytes to `path`; at the limit the file moves to `.1` and a new one begins."""

    def __init__(self, path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("ab", buffering=0)

    def write(self, data: bytes) -> None:
        """Append, rotating first when the data would not fit."""
        if self._file.tell() and self._file.tell() + len(data) > self._limit_bytes:
            self._rotate()
        self._file.write(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(KEPT, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
            if newer.exists():
                newer.replace(older)
        self._file = self._path.open("ab", buffering=0)


def last_line(path: Path) -> str:
    """The last line with text in it, for an error message; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            lines = [line for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    except FileNotFoundError:
        return ""
    return lines[-1].strip()[:300] if lines else ""
