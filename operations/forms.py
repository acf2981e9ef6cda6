"""TOML text to a form (a msgspec struct), and what is wrong with it by file, line and field. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec

from schemas.errors import SettingsError
from schemas.lines import Lines

__all__ = ["Checking", "FormRefused", "filled"]

_PATH: Final = re.compile(r"^(.*?)(?: - at `\$\.?(.*?)`)?$")
_Form = TypeVar("_Form", bound=msgspec.Struct)
_Field = tuple[str | int, ...]


class FormRefused(SettingsError):  # noqa: N818 - names what was done
    """The text is wrong; `problems` are all there are: (line, words)."""

    def __init__(self, source: str, problems: Iterable[tuple[int, str]]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(f"{source}:{line}: {words}" for line, words in self.problems))


def filled(text: str, source: str, form: type[_Form]) -> tuple[_Form, Checking]:
    """The form as the text fills it, and who gathers what is wrong beyond its types.

    FormRefused for the first field of a wrong type, SettingsError for what is no TOML.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{source}: {error}") from error
    checking = Checking(source, Lines.of(text))
    try:
        return msgspec.convert(document, form), checking
    except msgspec.ValidationError as error:
        raise FormRefused(source, [checking.of_form(str(error))]) from error


class Checking:
    """The problems of one text as they are found."""

    def __init__(self, source: str, lines: Lines) -> None:
        self._source, self._lines = source, lines
        self.problems: list[tuple[int, str]] = []

    def ask(self, good: object, at: _Field, received: object, allowed: str) -> None:
        """Note a problem of the field unless it is good."""
        if not good:
            named = ".".join(f"[{part}]" if isinstance(part, int) else part for part in at).replace(".[", "[")
            words = f"{named}: received {received!r}, allowed: {allowed}"
            self.problems.append((self._lines.line(*at), words))

    def one_of(self, at: _Field, given: str, allowed: Iterable[str]) -> None:
        """Note a problem unless it is one of these."""
        allowed = list(allowed)
        self.ask(given in allowed, at, given, ", ".join(allowed) or "none, as there is none")

    def refuse(self) -> None:
        """FormRefused with everything that was found; nothing where nothing was."""
        if self.problems:
            raise FormRefused(self._source, self.problems)

    def of_form(self, words: str) -> tuple[int, str]:
        """What msgspec says, with the line of the field it names."""
        found = _PATH.match(words)
        said, at = (found[1], found[2] or "") if found else (words, "")
        path = tuple(int(part) if part.isdigit() else part for part in re.findall(r"\w+", at))
        if unknown := re.search(r"unknown field `(\w+)`", said):
            path = (*path, unknown[1])
        return self._lines.line(*path), f"{at or 'file'}: {said}"
