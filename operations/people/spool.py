"""Where the record goes while its database takes nothing: a file of entries, chained like the record's own.

Only what must not wait is done on the word of this file: to tell a care worker who calls for help. What waits
here is written into the record, in its order, as soon as that takes something again. Dying between any two
lines: an entry is on the disk before it is told; one that is in the record and still here is found there by
what it says (`detail` holds a number of its own), so it is written once; half a line at the end was told to
nobody.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from operations.people.audit import BEGINNING, Entry, Said, chained, first_broken
from schemas.durable import put_in_place
from schemas.errors import TaishiError

__all__ = ["Record", "Spool"]

_ALIKE: Final = 10_000


class Record(Protocol):
    """The record, as far as the spool needs it."""

    def record(self, said: Said) -> Entry: ...  # noqa: D102 - as of `AuditRows`

    def newest(self, limit: int, who: str = "", what: str = "", of: str = "") -> list[Entry]: ...  # noqa: D102


class Spool:
    """Entries that wait for the record. May be used from any thread of one process."""

    def __init__(self, path: Path) -> None:
        self._path, self._turn = path, threading.Lock()

    def add(self, said: Said) -> None:
        """Keep it, on the disk before this returns; OSError where that is not to be had."""
        with self._turn:
            waiting = list(self._entries())
            detail = "; ".join(filter(None, (said.detail, f"spooled {uuid.uuid4().hex}")))
            last = waiting[-1].hash if waiting else BEGINNING
            entry = chained(len(waiting) + 1, replace(said, detail=detail), last)
            self._write([*waiting, entry])

    def waiting(self) -> int:
        """How many entries wait."""
        with self._turn:
            return sum(1 for _ in self._entries())

    def give(self, record: Record) -> int:
        """Write what waits into the record, once; returns how many. TaishiError if the file was changed."""
        with self._turn:
            entries = list(self._entries())
            if words := first_broken(entries):
                raise TaishiError(f"审计暂存 spool {self._path}: {words}")
            for entry in entries:
                if not _has(record, entry.said):
                    record.record(entry.said)
            if entries:
                self._write([])
            return len(entries)

    def _entries(self) -> Iterator[Entry]:
        """What is there, but for half a line at the end."""
        if not self._path.exists():
            return
        *lines, _half = self._path.read_bytes().split(b"\n")
        for line in lines:
            yield msgspec.json.decode(line, type=Entry)

    def _write(self, entries: list[Entry]) -> None:
        """All of them in the place of those before: there are few, and a file that is replaced is whole."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.writelines(msgspec.json.encode(each) + b"\n" for each in entries)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(beside, self._path)


def _has(record: Record, said: Said) -> bool:
    return any(each.said == said for each in record.newest(_ALIKE, said.who, said.what, said.of))
