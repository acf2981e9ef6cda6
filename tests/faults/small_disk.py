"""A disk of a few MiB for one folder, and what fills it to the last byte."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

_PIECES: Final = (2**20, 2**12, 1)


@contextmanager
def small_disk(folder: Path, size_mib: int) -> Iterator[None]:
    """Of memory; the test is skipped where nothing may be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ("mount", "-t", "tmpfs", "-o", f"size={size_mib}m,mode=0755", "tmpfs", str(folder))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing may be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(("umount", "--lazy", str(folder)), check=True)


@contextmanager
def ballast(folder: Path) -> Iterator[Callable[[], None]]:
    """Each call takes what is free on the folder's disk; at the end all is given back."""
    path = folder / ".ballast"
    with path.open("wb", buffering=0) as file:

        def fill() -> None:
            for size in _PIECES:
                piece = bytes(size)
                try:
                    while file.write(piece) == size:
                        pass
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

        try:
            yield fill
        finally:
            path.unlink()
