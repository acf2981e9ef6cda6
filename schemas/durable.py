"""Files that are there also after a loss of power: bytes by `os.fsync`, a name by that of its folder."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["put_in_place", "sync"]


def put_in_place(unfinished: Path, path: Path) -> None:
    """Let a finished file, whose bytes are synced, take the place of `path`; then its name is synced too.

    A death before the end leaves the old one or the new one, whole; a loss of power does until this returns.
    """
    unfinished.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """What is written of a file, or which names a folder holds, is on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
