"""A disk that loses what was not synced: what a loss of power may leave of a folder, for files of our own.

Two of the ways in which a disk may be unkind, after every step: a rename that was not synced did not happen;
or it did, and of the file's bytes only what was synced is there. A name that is new counts with the first
sync of its bytes, as Linux's file systems have it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Disk"]


@dataclass
class Disk:
    """What is synced of a folder: file -> bytes. `renamed`: from, to and bytes of renames that are not.

    `lost` is called with a folder as it may be after a loss of power, at every step from `watch` on.
    """

    folder: Path
    images: Path
    lost: Callable[[Path], None]
    held: dict[Path, bytes] = field(default_factory=dict)
    renamed: list[tuple[Path, Path, bytes]] = field(default_factory=list)
    cases: int = 0

    def watch(self, patch: Any) -> None:
        """From now on; what is in the folder is on the disk."""
        self.held = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        sync, replace = os.fsync, Path.replace

        def synced(descriptor: int) -> None:
            sync(descriptor)
            self._sync(Path(f"/proc/self/fd/{descriptor}").readlink())

        def replaced(path: Path, target: Path) -> Path:
            self.renamed.append((path, target, self.held.get(path, b"")))
            found = replace(path, target)
            self.fails()
            return found

        patch.setattr(os, "fsync", synced)
        patch.setattr(Path, "replace", replaced)

    def _sync(self, path: Path) -> None:
        if path.is_dir():
            for begun, target, data in [each for each in self.renamed if each[1].parent == path]:
                self.held.pop(begun, None)
                self.held[target] = data
            self.renamed = [each for each in self.renamed if each[1].parent != path]
        elif path.is_relative_to(self.folder) and path.exists():
            self.held[path] = path.read_bytes()
        self.fails()

    def fails(self) -> None:
        """The power fails here: both unkind disks, and the second with half of a file that is not synced."""
        done = dict(self.held)
        for begun, target, data in self.renamed:
            done.pop(begun, None)
            done[target] = data
        for image in (self.held, done):
            self.cases += 1
            where = self.images / str(self.cases)
            for path, data in image.items():
                copy = where / path.relative_to(self.folder)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(data)
                copy.chmod(0o600)
            where.mkdir(parents=True, exist_ok=True)
            self.lost(where)
            shutil.rmtree(where)
