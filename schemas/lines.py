"""Where a field stands in a TOML file: TOML readers forget the line, people need it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Lines"]

_NAME: Final = r"""[\w-]+|"[^"]*"|'[^']*'"""
_DOTTED: Final = rf"(?:{_NAME})(?:\s*\.\s*(?:{_NAME}))*"
_HEAD: Final = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_KEY: Final = re.compile(rf"\s*({_DOTTED})\s*=")
_PART: Final = re.compile(_NAME)
_LONG_TEXT: Final = re.compile(r'"""|\'\'\'')

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Lines:
    """Line of each table and each field, by path: `("rules", 3, "above")`, `("clocks", "filing")`."""

    at: dict[Path, int] = field(default_factory=dict)
    _tables: dict[Path, int] = field(default_factory=dict)
    _inside: Path = ()

    @classmethod
    def of(cls, text: str) -> Lines:
        """Found by the form of each line; the text is valid TOML."""
        lines = cls()
        long_text = False
        for number, line in enumerate(text.splitlines(), start=1):
            if not long_text:
                lines._take(number, line)
            long_text ^= len(_LONG_TEXT.findall(line)) % 2 == 1
        return lines

    def line(self, *path: str | int) -> int:
        """The line of what is there; of what is not, that of the table it would be in; else the first."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.at:
                return self.at[path[:length]]
        return 1

    def _take(self, number: int, line: str) -> None:
        if head := _HEAD.match(line):
            self._begin(number, _parts(head[2]), several=head[1] == "[[")
        elif key := _KEY.match(line):
            path = self._inside
            for part in _parts(key[1]):
                path = (*path, part)
                self.at.setdefault(path, number)

    def _begin(self, number: int, parts: list[str], *, several: bool) -> None:
        path: Path = ()
        for part in parts[:-1]:
            path = (*path, part)
            path = (*path, self._tables[path]) if path in self._tables else path
        path = (*path, parts[-1])
        self.at.setdefault(path, number)
        if several:
            self._tables[path] = self._tables.get(path, -1) + 1
            path = (*path, self._tables[path])
        self.at.setdefault(path, number)
        self._inside = path


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(dotted)]
