"""The residents' register (`residents_file`, CSV): who a pseudonym is of, by the key that made it.

The file is outside the data, its owner's only. It is read each time somebody asks, so that who is taken out
is unknown at once; nothing of it is kept in the desk's database or its logs.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connectors.privacy.keys import KeyFile
from connectors.privacy.pseudonyms import pseudonyms
from operations.scenarios.identity import Resident
from schemas.errors import SettingsError

__all__ = ["COLUMNS", "Residents"]

COLUMNS = ("identity", "name", "telephone", "address", "contact")
"""`identity` is what the devices' vendors send: the number that becomes a pseudonym at the door."""


@dataclass(frozen=True, slots=True)
class Residents:
    """A register and the keys of the pseudonyms; called with a pseudonym it says who that is."""

    file: Path
    keys: KeyFile

    def __post_init__(self) -> None:
        for _ in self._rows():  # what is wrong with it is said at the start
            break

    def __call__(self, pseudonym: str) -> Resident | None:
        """The resident; None: the register has nobody of that pseudonym."""
        self.keys.refresh()
        for row in self._rows():
            if pseudonym in pseudonyms(self.keys.keys, row["identity"]):
                return Resident(**{name: row[name] for name in COLUMNS if name != "identity"})
        return None

    def _rows(self) -> Iterator[dict[str, str]]:
        try:
            mode = self.file.stat().st_mode & 0o077
            if mode:
                words = f"received permissions for others ({mode:03o}), allowed: chmod 600"
                raise SettingsError(f"residents_file {self.file}: {words}")
            with self.file.open(encoding="utf-8-sig", newline="") as lines:
                reader = csv.DictReader(lines)
                if tuple(reader.fieldnames or ()) != COLUMNS:
                    words = f"received the columns {reader.fieldnames}, allowed: {', '.join(COLUMNS)}"
                    raise SettingsError(f"residents_file {self.file}:1: {words}")
                yield from reader
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"residents_file {self.file}: {error}") from error
