"""The residents' register: whose a pseudonym is, by the key that made it; read anew, its owner's only."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from connectors.privacy.keys import KeyFile, create_keys, rotate_keys
from connectors.privacy.pseudonyms import pseudonym
from operations.scenarios.identity import Resident
from schemas.errors import SettingsError
from taishi.resident_vault import Vault
from taishi.residents import COLUMNS, Imported, Residents, read_csv

HEAD = "identity,name,telephone,address,contact\n"
ROW = "370202194001011234,周奶奶,139,香港中路 1 号,女儿\n"
NOBODY: frozenset[str] = frozenset()


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    create_keys(tmp_path / "keys.json")
    return KeyFile(tmp_path / "keys.json")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def register(tmp_path: Path, keys: KeyFile, text: str = HEAD + ROW) -> Residents:
    made = Residents(Vault(tmp_path / "residents", tmp_path / "residents.keys.json"), keys)
    made.take(rows(text), NOBODY)
    return made


def test_a_pseudonym_is_of_the_resident_whose_identity_makes_it_also_after_the_key_was_changed(
    tmp_path, keys
):
    known = register(tmp_path, keys)
    theirs = pseudonym(keys.keys, "370202194001011234")
    zhou = Resident(name="周奶奶", telephone="139", address="香港中路 1 号", contact="女儿")
    assert known(theirs) == zhou
    assert known("p1-" + "0" * 20) is None
    rotate_keys(tmp_path / "keys.json")
    assert (
        known(theirs) == known(pseudonym(KeyFile(tmp_path / "keys.json").keys, "370202194001011234")) == zhou
    )


def test_who_is_taken_out_of_the_register_is_unknown_at_once(tmp_path, keys):
    known = register(tmp_path, keys)
    theirs = pseudonym(keys.keys, "370202194001011234")
    assert known(theirs) is not None
    Vault(tmp_path / "residents", tmp_path / "residents.keys.json").change((), {known.find(theirs)[0]})
    assert known(theirs) is None


def test_an_import_again_changes_what_differs_and_nothing_else(tmp_path, keys):
    known = register(tmp_path, keys)
    before = (tmp_path / "residents").read_bytes()
    assert known.take(rows(HEAD + ROW), NOBODY) == Imported(0, 1, 0, 0)
    assert (tmp_path / "residents").read_bytes() == before
    moved = ROW.replace("1 号", "2 号") + "370202193505054321,王爷爷,138,福州南路 9 号,儿子\n"
    assert known.take(rows(HEAD + moved), NOBODY) == Imported(1, 0, 1, 0)
    assert known(pseudonym(keys.keys, "370202194001011234")).address == "香港中路 2 号"
    assert len(known.names()) == 2


def test_nothing_of_anybody_is_on_the_disk_in_clear(tmp_path, keys):
    register(tmp_path, keys)
    for path in (tmp_path / "residents", tmp_path / "residents.keys.json"):
        assert path.stat().st_mode & 0o777 == 0o600
        data = path.read_bytes()
        assert not [cell for cell in ROW.strip().split(",") if len(cell) > 3 and cell.encode() in data]


@pytest.mark.parametrize("which", ["residents", "residents.keys.json"])
def test_a_file_that_others_can_read_is_said_at_the_start(tmp_path, keys, which):
    known = register(tmp_path, keys)
    (tmp_path / which).chmod(0o644)
    with pytest.raises(SettingsError, match=r"permissions for others \(044\), allowed: chmod 600"):
        Residents(known.vault, keys)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + ROW, "received no register, allowed: what `taishi residents import` makes of a CSV"),
        ('{"id":"a","sealed":"AAAA"}\n', "record a was changed"),
    ],
)
def test_what_is_wrong_with_the_file_is_said_at_the_start(tmp_path, keys, text, words):
    known = register(tmp_path, keys)
    (tmp_path / "residents.keys.json").write_text(f'{{"a": "{"A" * 43}="}}')
    (tmp_path / "residents").write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=words):
        Residents(known.vault, keys)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,name\n", r"residents.csv:1: received the columns \['id', 'name'\], allowed: identity"),
        (HEAD + "7,王\n", "residents.csv:2: received another number of cells"),
        (HEAD + ROW.strip() + ",x\n", "residents.csv:2: received another number of cells"),
        (HEAD + ROW[18:], "residents.csv:2: .*no identity"),
    ],
)
def test_what_is_wrong_with_a_csv_is_said_by_line(tmp_path, text, words):
    path = tmp_path / "residents.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=words):
        read_csv(path)
    assert len(COLUMNS) == 5
