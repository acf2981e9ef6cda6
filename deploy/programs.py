"""Where a program of the system is, also those that Debian keeps off a user's PATH."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from schemas.errors import SettingsError, received_allowed

__all__ = ["find_program", "need_program"]

_SYSTEM_FOLDERS: Final = ("/usr/sbin", "/usr/local/sbin")
_POSTGRESQL: Final = Path("/usr/lib/postgresql")


def find_program(
    name: str, environment: Mapping[str, str] = os.environ, postgresql: Path = _POSTGRESQL
) -> Path | None:
    """The program by this name: on the PATH, among system programs, or the newest PostgreSQL's."""
    folders = [environment.get("PATH", ""), *_SYSTEM_FOLDERS, *map(str, _newest_first(postgresql))]
    found = shutil.which(name, path=os.pathsep.join(folders))
    return Path(found) if found else None


def need_program(name: str, environment: Mapping[str, str] = os.environ) -> Path:
    """The same, or SettingsError with what brings it."""
    found = find_program(name, environment)
    if found is None:
        allowed = ["a program on the PATH (scripts/system-packages installs what tests and figures need)"]
        raise SettingsError(received_allowed(name, "no such program", allowed))
    return found


def _newest_first(postgresql: Path) -> list[Path]:
    """The `bin` of each PostgreSQL that Debian installed side by side: 17 before 15 before 9.6."""
    folders = [path for path in postgresql.glob("*/bin") if re.fullmatch(r"[\d.]+", path.parent.name)]
    return sorted(folders, key=lambda path: [int(n) for n in path.parent.name.split(".")], reverse=True)
