"""Looks for planted names in every byte of a folder: as they are, coded, compressed, and in tables of SQLite.

Each canary holds one of a few marks. A mark is looked for first, in every form; where one is, that is a hit,
whichever canary it is of: so the marks must be texts that chance does not make.
"""

from __future__ import annotations

import base64
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote_from_bytes

import numpy as np

from tests.security.unpack import unpacked

__all__ = ["Hunt", "forms"]

_CHARACTERS: Final = ("utf-8", "gb18030", "utf-16-le", "utf-16-be")
_SQLITE: Final = b"SQLite format 3\0"
_PIECE: Final = 2**20
_DEEPEST: Final = 3
_PAIRS: Final = (0, 2, 4, 6)


def forms(text: str) -> set[bytes]:
    """Every way a text may lie on a disk uncompressed; base64 in its three alignments, both alphabets."""
    made: set[bytes] = set()
    for coding in _CHARACTERS:
        raw = text.encode(coding)
        every = "".join(f"%{byte:02X}" for byte in raw)
        made |= {raw, raw.hex().encode(), raw.hex().upper().encode(), every.encode(), every.lower().encode()}
        made |= {quote_from_bytes(raw).encode(), quote_from_bytes(raw).lower().encode()}
        for shift in range(3):
            made |= set(_base64(raw, shift))
    escaped = text.encode("ascii", "backslashreplace")
    return made | {escaped, escaped.upper().replace(b"\\U", b"\\u")}


def _base64(raw: bytes, shift: int) -> Iterator[bytes]:
    """The characters that do not depend on what stands before and behind."""
    coded = base64.b64encode(b"\0" * shift + raw)
    first = -(-shift * 8 // 6)
    last = (shift + len(raw)) * 8 // 6
    yield coded[first:last]
    yield coded[first:last].translate(bytes.maketrans(b"+/", b"-_"))


class Hunt:
    """Finds any of the marks; each form of them has at least eight bytes."""

    def __init__(self, marks: tuple[str, ...]) -> None:
        self._needles = sorted({form for mark in marks for form in forms(mark)})
        self._pairs = [_table(needle[at : at + 2] for needle in self._needles) for at in _PAIRS]

    def within(self, data: bytes, depth: int = 0) -> list[bytes]:
        """The forms that are in the data, or in what is packed in it."""
        found = [needle for needle in self._needles if needle in data] if self._may_be_in(data) else []
        if depth < _DEEPEST:
            for inner in unpacked(data):
                found += self.within(inner, depth + 1)
        return found

    def _may_be_in(self, data: bytes) -> bool:
        """Whether eight bytes are, pair by pair, those that forms begin with: 200 MB/s, searches make 40."""
        every = np.frombuffer(data, np.uint8)
        for start in range(0, len(every) - 7, _PIECE):
            piece = every[start : start + _PIECE + 7].astype(np.uint16)
            pairs = piece[:-1] << 8 | piece[1:]
            spots = np.flatnonzero(self._pairs[0][pairs[:-6]])
            for at, table in zip(_PAIRS[1:], self._pairs[1:], strict=True):
                spots = spots[table[pairs[spots + at]]]
            if spots.size:
                return True
        return False

    def on(self, folder: Path) -> dict[str, list[bytes]]:
        """File -> what was found, of every file that is there; holes of sparse files are not read."""
        told: dict[str, list[bytes]] = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                with suppress(FileNotFoundError):  # gone before its turn came: on no disk any more
                    data = _bytes(path)
                    found = self._in_tables(path) if data.startswith(_SQLITE) else []
                    told[str(path)] = self.within(str(path).encode() + data) + found
        return {path: found for path, found in told.items() if found}

    def _in_tables(self, path: Path) -> list[bytes]:
        """A value may lie on several pages: so each is read as SQLite reads it, its log included."""
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            rows = (row for (name,) in tables for row in database.execute(f'SELECT * FROM "{name}"'))  # noqa: S608
            return self.within("\n".join(str(value) for row in rows for value in row).encode())


def _table(pairs: Iterable[bytes]) -> np.ndarray:
    """Pair of bytes as a number -> whether it is one of these."""
    table = np.zeros(2**16, bool)
    table[[first << 8 | second for first, second in pairs]] = True
    return table


def _bytes(path: Path) -> bytes:
    """What lies on the disk: every extent with data, of zeros at the end one (UTF-16 may need it)."""
    read, at = list[bytes](), 0
    with path.open("rb") as file:
        end = os.fstat(file.fileno()).st_size
        while at < end:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # nothing but a hole to the end
                break
            hole = os.lseek(file.fileno(), at, os.SEEK_HOLE)
            read.append(os.pread(file.fileno(), hole - at, at))
            at = hole
    return b"".join(read).rstrip(b"\0") + b"\0"
