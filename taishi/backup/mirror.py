"""A folder made like another that goes on changing; called again, it copies only what has changed since.

Files that are only added to (segments of the log, the store's write-ahead log) are copied from where they
ended last. What a file is, its inode tells: a new file under an old name is copied whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["Mirror"]

_ADDED_TO: Final = frozenset({".log", ".wal", ".tsl"})
_LEFT_OUT: Final = frozenset({".lock"})
_BLOCK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class _Seen:
    inode: int
    size: int
    changed_ns: int


@dataclass(slots=True)
class Mirror:
    """`source` and its image `target`, which is this one's alone."""

    source: Path
    target: Path
    _seen: dict[Path, _Seen] = field(default_factory=dict)

    def follow(self) -> int:
        """Make the image like the source; returns how many bytes were copied.

        A file that goes away meanwhile is none. Torn is what is written to meanwhile: whole is the image of a
        source that stands still during the last call.
        """
        found, copied = set(), 0
        for path in _files(self.source):
            name = path.relative_to(self.source)
            try:
                copied += self._copy(name)
            except FileNotFoundError:
                continue
            found.add(name)
        for name in [name for name in self._seen if name not in found]:
            (self.target / name).unlink(missing_ok=True)
            del self._seen[name]
        for gone in [each for each in _files(self.target) if each.relative_to(self.target) not in found]:
            gone.unlink()  # left by an earlier backup
        return copied

    def _copy(self, name: Path) -> int:
        path, image, before = self.source / name, self.target / name, self._seen.get(name)
        stat = path.stat()
        now = _Seen(stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if now == before:
            return 0
        longer = before is not None and before.inode == now.inode and before.size <= now.size
        start = before.size if before and longer and path.suffix in _ADDED_TO else 0
        image.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as said, image.open("r+b" if start else "wb") as copy:
            said.seek(start)
            copy.seek(start)
            _pour(said, copy)
        self._seen[name] = now  # from before the copy: what came meanwhile is copied again
        return now.size - start


def _pour(said: BinaryIO, copy: BinaryIO) -> None:
    """What is left of a file; blocks of zeros stay holes, of which the log's indexes ahead are made."""
    while block := said.read(_BLOCK_BYTES):
        if block.count(0) == len(block):
            copy.seek(len(block), os.SEEK_CUR)
        else:
            copy.write(block)
    copy.truncate()


def _files(folder: Path) -> Iterator[Path]:
    """Regular files, whatever is made or goes away meanwhile."""
    for parent, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(parent, name)
            if name not in _LEFT_OUT and path.is_file():
                yield path
