"""What a place is, and how codes are built.

Codes are text, always: a number would lose a leading zero and invite arithmetic, and the codes of
streets and communities have holes (NBS 2023: 370202 has no street 003). A code's parent is a
prefix of it. The default scheme is 2 province + 2 city + 2 county + 3 street + 3 community (NBS)
+ 3 grid; the three digits of the grid are practice, not a published standard, so the segments are
configurable. Whether a grid is base or dedicated is a column of its own, never part of the number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

from schemas.errors import SettingsError, received_allowed

__all__ = ["DEFAULT_SCHEME", "GRID_KINDS", "LEVELS", "CodeScheme", "GridKind", "Level", "Place"]

Level = Literal["district", "street", "community", "grid"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
GridKind = Literal["base", "dedicated"]
GRID_KINDS: Final[tuple[GridKind, ...]] = get_args(GridKind)


@dataclass(frozen=True, slots=True)
class CodeScheme:
    """Length of a code at each level, district first; digits throughout."""

    lengths: tuple[int, int, int, int] = (6, 9, 12, 15)

    def __post_init__(self) -> None:
        if list(self.lengths) != sorted(set(self.lengths)) or self.lengths[0] < 1:
            raise SettingsError(f"code lengths: received {self.lengths}, allowed: four growing lengths")

    def length(self, level: Level) -> int:
        """Digits of a code of that level."""
        return self.lengths[LEVELS.index(level)]

    def level(self, code: str) -> Level:
        """The level of a code; SettingsError if it is none."""
        if re.fullmatch(r"[0-9]+", code, re.ASCII) and len(code) in self.lengths:
            return LEVELS[self.lengths.index(len(code))]
        raise SettingsError(received_allowed("code", code, (f"{n} digits" for n in self.lengths)))

    def parent(self, code: str) -> str | None:
        """The code one level up; None above the district."""
        at = LEVELS.index(self.level(code))
        return code[: self.lengths[at - 1]] if at else None

    def ancestor(self, code: str, level: Level) -> str:
        """The code of that level that `code` begins with."""
        return code[: self.length(level)]


DEFAULT_SCHEME: Final = CodeScheme()


@dataclass(frozen=True, slots=True)
class Place:
    """One place; `kind` only for grids."""

    code: str
    name: str
    level: Level
    kind: GridKind | None = None
