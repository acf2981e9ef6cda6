"""A secret in a file of its own: there whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["write_secret"]


def write_secret(file: Path, secret: str, mode: int = 0o600) -> None:
    """Write it beside its place, put it to the disk, and rename it; folders are made.

    Dying between any two lines leaves the file as it was, and beside it at most what the next run replaces.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as opened:
        opened.write(secret)
        opened.flush()
        os.fchmod(opened.fileno(), mode)
        os.fsync(opened.fileno())
    part.replace(file)
