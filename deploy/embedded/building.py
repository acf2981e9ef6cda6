"""Building into the cache: whole or not at all, once for all checkouts, offline afterwards."""

from __future__ import annotations

import errno
import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from schemas.errors import TaishiError

__all__ = ["DATA_BYTES", "NEEDED_BYTES", "BuildError", "built", "check_space"]

NEEDED_BYTES: Final = 2 * 1024**3
"""Free space a first start needs: sources and build cache of two Go programs, jars, first data."""

DATA_BYTES: Final = 512 * 1024**2
"""Free space below which nothing is started: Kafka and InfluxDB would fail soon after, less clearly."""


class BuildError(TaishiError):
    """A part could not be fetched or built; the message says what to do."""


def check_space(folder: Path, needed_bytes: int = NEEDED_BYTES) -> None:
    """BuildError when the disk of `folder` has less free than needed."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise BuildError(
            f"disk full: {free / 1024**3:.1f} GiB free at {folder}, {needed_bytes / 1024**3:.1f} GiB needed; "
            "free some space, or set TAISHI_CACHE (programs) or TAISHI_HOME (data) to a larger disk"
        )


def built(cache: Path, name: str, build: Callable[[Path], None]) -> Path:
    """`cache/name`, made by `build(temporary folder)` and renamed into place when it is not there yet.

    A killed build leaves no half-made folder under the final name; two starts at once build it once.
    """
    final = cache / name
    if final.is_dir():
        return final
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / f".{name}.lock"):
            if not final.is_dir():
                _build(cache, final, build)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise BuildError(f"disk full while building {final}; free space on it and start again") from error
        raise BuildError(f"cannot build {final}: {error}") from error
    return final


def _build(cache: Path, final: Path, build: Callable[[Path], None]) -> None:
    temporary = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=cache))
    try:
        build(temporary)
        temporary.chmod(0o755)
        temporary.rename(final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
