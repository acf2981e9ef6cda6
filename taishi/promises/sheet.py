"""PROMISES.md as data: its lines, the tests each names, and the test functions those are.

The file is the only source; this reads it and changes nothing. A line begins with `- ` and goes on indented;
what it names in backticks below `tests/` shows it: a file, or a function of one (`tests/x.py::test_y`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.errors import SettingsError, received_allowed

__all__ = ["Promise", "functions", "promises_of", "read_promises", "selected"]

_LINE: Final = re.compile(r"^- (.*(?:\n  .*)*)", re.MULTILINE)
_TEST: Final = re.compile(r"\s*`(tests/[^`]+)`")
_FUNCTION: Final = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Promise:
    """One line of the sheet; `tests` are node ids of pytest, none for a line that only explains."""

    number: int
    """Its place on the sheet, from 1."""
    part: str
    """The heading above it."""
    text: str
    tests: tuple[str, ...]


def promises_of(text: str) -> tuple[Promise, ...]:
    """Every line of the sheet's text, in its order."""
    found: list[Promise] = []
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        part, _, body = section.partition("\n")
        for line in _LINE.findall(body):
            words = " ".join(_TEST.sub("", line).replace("**", "").split())
            found.append(Promise(len(found) + 1, part.strip(), words, tuple(_TEST.findall(line))))
    return tuple(found)


def read_promises(root: Path) -> tuple[Promise, ...]:
    """The sheet of the work tree at `root`; SettingsError where there is none."""
    path = root / "PROMISES.md"
    if not path.is_file():
        raise SettingsError(
            f"promises: received {root}, allowed: a work tree, which has PROMISES.md and tests/"
        )
    return promises_of(path.read_text("utf-8"))


def selected(promises: Sequence[Promise], asked: str | None) -> tuple[Promise, ...]:
    """All, or the line of that number, or those that hold these words (in text, part or tests)."""
    if asked is None:
        return tuple(promises)
    if asked.isdecimal():
        found = tuple(each for each in promises if each.number == int(asked))
    else:
        found = tuple(each for each in promises if asked.casefold() in _all_words(each))
    if not found:
        raise SettingsError(
            f"promise: received {asked!r}, allowed: a number from 1 to {len(promises)}, or words of a line"
        )
    return found


def functions(tests: Iterable[str], root: Path) -> tuple[str, ...]:
    """The node ids of the functions that `tests` are, each once; SettingsError for one that is not there."""
    return tuple(dict.fromkeys(each for test in tests for each in _functions_of(test, root)))


def _functions_of(test: str, root: Path) -> tuple[str, ...]:
    path, _, name = test.partition("::")
    if not (root / path).is_file():
        raise SettingsError(f"PROMISES.md: received {test}, allowed: a file of tests/ that exists")
    there = _FUNCTION.findall((root / path).read_text("utf-8"))
    if name and name not in there:
        raise SettingsError("PROMISES.md: " + received_allowed(path, name, there))
    return tuple(f"{path}::{each}" for each in ([name] if name else there))


def _all_words(promise: Promise) -> str:
    return " ".join((promise.part, promise.text, *promise.tests)).casefold()
