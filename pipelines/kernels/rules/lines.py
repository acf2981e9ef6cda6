"""Where a rule's field stands in its file: TOML readers forget the line, people need it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Lines"]

_RULE: Final = re.compile(r"\s*\[\[\s*rules\s*\]\]")
_TABLE: Final = re.compile(r"\s*\[\s*rules\s*\.\s*([\w-]+)\s*\]")
_KEY: Final = re.compile(r"\s*([\w-]+)\s*[.=]")
_LONG_TEXT: Final = re.compile(r'"""|\'\'\'')


@dataclass(slots=True)
class Lines:
    """Line of each rule's head and of each of its fields; rule -1 is what stands above the first."""

    heads: list[int] = field(default_factory=list)
    fields: dict[tuple[int, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Lines:
        """Found by the form of each line; the text is valid TOML."""
        lines = cls()
        inside = False
        for number, line in enumerate(text.splitlines(), start=1):
            if not inside:
                lines._take(number, line)
            inside ^= len(_LONG_TEXT.findall(line)) % 2 == 1
        return lines

    def _take(self, number: int, line: str) -> None:
        if _RULE.match(line):
            self.heads.append(number)
        elif key := _TABLE.match(line) or _KEY.match(line):
            self.fields.setdefault((len(self.heads) - 1, key[1]), number)

    def line(self, rule: int, name: str) -> int:
        """The field's line; of one that is not there, or cannot be told, its rule's."""
        head = self.heads[rule] if 0 <= rule < len(self.heads) else self.fields.get((-1, "rules"), 1)
        return self.fields.get((rule, name), head)
