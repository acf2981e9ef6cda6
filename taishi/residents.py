"""The residents' register (`residents_file`): who a pseudonym is of, by the key that made it; who is erased.

It lies outside the data, sealed record by record (`taishi/resident_vault.py`). It is read each time somebody
asks, so that who is taken out is unknown at once; nothing of it is kept in the desk's database or its logs.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.privacy.keys import KeyFile
from connectors.privacy.pseudonyms import pseudonym, pseudonyms
from operations.people.audit import Entry, Said
from operations.scenarios.identity import Resident
from operations.store.audit import AuditRows
from schemas.errors import SettingsError
from taishi.keys import key_file
from taishi.resident_vault import Vault
from taishi.settings import Settings

__all__ = ["BEGUN", "COLUMNS", "DONE", "Imported", "Residents", "erased", "finish", "read_csv", "vault_of"]

COLUMNS = ("identity", "name", "telephone", "address", "contact")
"""`identity` is what the devices' vendors send: the number that becomes a pseudonym at the door."""
BEGUN: Final = "residents.erase"
DONE: Final = "residents.erased"
"""Verbs of the record: `of` is the pseudonym, `detail` begins with the id of what was erased."""
_ERASURES_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: how many are new, as they were, changed, and left out because they were erased."""

    new: int
    same: int
    changed: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Residents:
    """A register and the keys of the pseudonyms; called with a pseudonym it says who that is."""

    vault: Vault
    keys: KeyFile

    def __post_init__(self) -> None:
        for _ in self.vault.rows():  # what is wrong with it is said at the start
            break

    def __call__(self, name: str) -> Resident | None:
        """The resident of that pseudonym; None: the register has nobody of it."""
        found = self.find(name)
        return Resident(**{key: found[1][key] for key in COLUMNS if key != "identity"}) if found else None

    def find(self, name: str) -> tuple[str, dict[str, str]] | None:
        """The id and the record of a pseudonym."""
        self.keys.refresh()
        for each, row in self.vault.rows():
            if name in pseudonyms(self.keys.keys, row["identity"]):
                return each, row
        return None

    def names(self) -> list[str]:
        """The newest pseudonym of everybody, sorted."""
        self.keys.refresh()
        return sorted(pseudonym(self.keys.keys, row["identity"]) for _, row in self.vault.rows())

    def take(self, rows: Sequence[dict[str, str]], gone: frozenset[str]) -> Imported:
        """Enter these records, each in the place of that of the same identity; `gone`: erased pseudonyms."""
        self.keys.refresh()
        known = {row["identity"]: (each, row) for each, row in self.vault.rows()}
        wanted = [row for row in rows if not gone & set(pseudonyms(self.keys.keys, row["identity"]))]
        fresh = [row for row in wanted if known.get(row["identity"], ("", {}))[1] != row]
        old = [known[row["identity"]][0] for row in fresh if row["identity"] in known]
        self.vault.change(fresh, old)
        new = len(fresh) - len(old)
        return Imported(new, len(wanted) - len(fresh), len(old), len(rows) - len(wanted))


def vault_of(settings: Settings) -> Vault:
    """The register of these settings; SettingsError where there is none."""
    if settings.residents_file is None:
        raise SettingsError(
            "residents_file: not set, allowed: a path of your choice, in taishi.toml or TAISHI_RESIDENTS_FILE"
        )
    beside = key_file(settings).with_name("residents.keys.json")
    return Vault(settings.residents_file, settings.residents_keys_file or beside)


def read_csv(path: Path) -> list[dict[str, str]]:
    """The records of a CSV with these columns; SettingsError for anything else."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                words = f"received the columns {reader.fieldnames}, allowed: {', '.join(COLUMNS)}"
                raise SettingsError(f"{path}:1: {words}")
            return list(_whole(reader, path))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error


def _whole(reader: csv.DictReader[str], path: Path) -> Iterator[dict[str, str]]:
    for row in reader:
        if set(row) != set(COLUMNS) or None in row.values() or not row["identity"]:
            words = "received another number of cells, or no identity, allowed: one cell a column"
            raise SettingsError(f"{path}:{reader.line_num}: {words}")
        yield row


def erased(record: AuditRows) -> dict[str, str]:
    """Ids of the register that were erased or were to be, and the pseudonym of each."""
    return {_id(each): each.said.of for each in record.newest(_ERASURES_MAX, what=BEGUN)}


def finish(record: AuditRows, vault: Vault, said: Said) -> list[str]:
    """Erase what an interrupted erasure or a restored copy left; returned are its pseudonyms.

    `said`: who did it and when; it becomes an entry for each.
    """
    begun = record.newest(_ERASURES_MAX, what=BEGUN)
    done = {_id(each) for each in begun if each.said.what == DONE}
    back = {each for each, _ in vault.rows()} & {_id(each) for each in begun}
    open_ = {_id(each): each.said.of for each in begun if _id(each) in back or _id(each) not in done}
    if open_:
        vault.change((), frozenset(open_))
    for each, name in open_.items():
        record.record(
            Said(at_ms=said.at_ms, who=said.who, terminal=said.terminal, what=DONE, of=name, detail=each)
        )
    return list(open_.values())


def _id(entry: Entry) -> str:
    return entry.said.detail.partition(";")[0]
