"""The residents' register: whose a pseudonym is, by the key that made it; read anew, its owner's only."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.privacy.keys import KeyFile, create_keys, rotate_keys
from connectors.privacy.pseudonyms import pseudonym
from operations.scenarios.identity import Resident
from schemas.errors import SettingsError
from taishi.residents import Residents

HEAD = "identity,name,telephone,address,contact\n"
ROW = "370202194001011234,周奶奶,139,香港中路 1 号,女儿\n"


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    create_keys(tmp_path / "keys.json")
    return KeyFile(tmp_path / "keys.json")


def register(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "residents.csv"
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def test_a_pseudonym_is_of_the_resident_whose_identity_makes_it_also_after_the_key_was_changed(
    tmp_path, keys
):
    known = Residents(register(tmp_path, HEAD + ROW), keys)
    theirs = pseudonym(keys.keys, "370202194001011234")
    zhou = Resident(name="周奶奶", telephone="139", address="香港中路 1 号", contact="女儿")
    assert known(theirs) == zhou
    assert known("p1-" + "0" * 20) is None
    rotate_keys(tmp_path / "keys.json")
    assert (
        known(theirs) == known(pseudonym(KeyFile(tmp_path / "keys.json").keys, "370202194001011234")) == zhou
    )


def test_who_is_taken_out_of_the_register_is_unknown_at_once(tmp_path, keys):
    known = Residents(register(tmp_path, HEAD + ROW), keys)
    register(tmp_path, HEAD)
    assert known(pseudonym(keys.keys, "370202194001011234")) is None


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (HEAD, 0o644, r"permissions for others \(044\), allowed: chmod 600"),
        (
            "id,name\n",
            0o600,
            r"residents.csv:1: received the columns \['id', 'name'\], allowed: identity",
        ),
    ],
)
def test_what_is_wrong_with_the_file_is_said_at_the_start(tmp_path, keys, text, mode, words):
    with pytest.raises(SettingsError, match=words):
        Residents(register(tmp_path, text, mode), keys)
