"""S9: who asks for it is erased for good, also in every copy of the register; figures of places stay.

The key of one record is destroyed; what is sealed under it stays noise, wherever it lies. What a restored
copy of the keys brings back is found by the record and erased again.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connectors.privacy.keys import KeyFile, create_keys
from connectors.privacy.pseudonyms import pseudonym
from operations.people.audit import first_broken
from operations.scenarios.care import at_risk, by_place
from schemas.alerts import Alert, alert_id
from schemas.errors import SettingsError
from taishi.cli.residents import residents
from taishi.people import opened
from taishi.resident_vault import Vault
from taishi.residents import Residents
from tests.contract.desk_client import GRID, NOW

HEAD = "identity,name,telephone,address,contact"
WHOLE = 120


class Register:
    """A home with a register of many, and the commands on it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.csv = home / "residents.csv"
        rows = [
            f"37020219400101{n:04},金丝雀{n:03},1390000{n:04},福州南路 {n} 号,女儿{n}" for n in range(WHOLE)
        ]
        self.csv.write_text("\n".join([HEAD, *rows]) + "\n", "utf-8")
        create_keys(home / "keys.json")
        self.keys = KeyFile(home / "keys.json")
        self.vault = Vault(home / "residents", home / "residents.keys.json")
        self.run("import", str(self.csv))

    def run(self, *words: str, text: str | None = None) -> Result:
        return CliRunner().invoke(residents, words, input=text, catch_exceptions=False)

    def name(self, number: int) -> str:
        return pseudonym(self.keys.keys, f"37020219400101{number:04}")

    def who(self, number: int) -> object:
        return Residents(self.vault, self.keys)(self.name(number))

    def erase(self, number: int) -> dict[str, object]:
        told = self.run("erase", self.name(number), "--why", "本人申请 asked by themselves").stdout
        receipt: dict[str, object] = json.loads(told)
        return receipt


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Register:
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path))
    monkeypatch.setenv("TAISHI_RESIDENTS_FILE", str(tmp_path / "residents"))
    return Register(tmp_path)


def alert(name: str) -> Alert:
    return Alert(
        id=alert_id("rule.vitals", GRID, NOW, name), rule="rule.vitals", severity="high", domain="care",
        level="grid", place=GRID, onset_ms=NOW, active=True, title="体征", revision=1, subject=name,
    )  # fmt: skip


def test_who_is_erased_is_unreadable_everywhere_and_figures_of_places_stay(
    register: Register, sized: Callable[[int], int]
) -> None:
    """While others ask for others: none of them is disturbed, and none who is gone comes back."""
    count, copy = sized(100), register.home / "backup"
    shutil.copy(register.vault.file, copy)
    alerts = [alert(register.name(n)) for n in range(WHOLE)]
    before = by_place(at_risk(alerts, NOW, 0))
    asked, stop = [], threading.Event()

    def asks() -> None:
        while not stop.is_set():
            asked.append(register.who(WHOLE - 1))

    with_others = threading.Thread(target=asks)
    with_others.start()
    receipts = [register.erase(number) for number in range(count)]
    stop.set()
    with_others.join()
    assert asked
    assert None not in asked
    assert [register.who(n) for n in range(count)] == [None] * count
    assert None not in [register.who(n) for n in range(count, WHOLE)]
    assert by_place(at_risk(alerts, NOW, 0)) == before
    shutil.copy(copy, register.vault.file)  # a copy of the register from before
    assert [register.who(n) for n in range(count)] == [None] * count
    with opened() as record:
        entries = {each.number: each for each in record.entries()}
        assert first_broken(entries.values()) == ""
    assert [entries[each["entry"]["number"]].hash for each in receipts] == [
        each["entry"]["hash"] for each in receipts
    ]
    assert {each["subject"] for each in receipts} == {register.name(n) for n in range(count)}


def test_of_who_is_erased_no_byte_is_left_but_the_plain_file_that_was_imported(register: Register) -> None:
    register.csv.unlink()
    keys = json.loads(register.vault.keys.read_text("utf-8"))
    receipt = register.erase(7)
    gone = {keys[receipt["record"]], "金丝雀007", "13900000007", "370202194001010007"}
    files = [path for path in register.home.rglob("*") if path.is_file()]
    assert len(files) >= 4
    assert [path for path in files for token in gone if token.encode() in path.read_bytes()] == []


def test_a_restored_copy_of_the_keys_is_erased_again_by_the_record(register: Register) -> None:
    files = (register.vault.keys, register.vault.file)
    for path in files:
        shutil.copy(path, path.with_suffix(".copy"))
    register.erase(3)
    for path in files:
        shutil.copy(path.with_suffix(".copy"), path)
    assert register.who(3) is not None
    assert f"erased again 1: {register.name(3)}" in register.run("check").stdout
    assert register.who(3) is None
    assert "erased again 0" in register.run("check").stdout


@pytest.mark.parametrize("step", ["_replace_keys", "_replace_lines"])
def test_a_death_amid_an_erasure_is_finished_and_tells_nobody_meanwhile(
    register: Register, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def dies(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(Vault, step, dies)
        with pytest.raises(RuntimeError, match="killed"):
            register.erase(5)
    assert (register.who(5) is None) is (step == "_replace_lines")
    assert register.name(5) in register.run("check").stdout
    assert register.who(5) is None
    assert len(register.vault._lines()) == WHOLE - 1


def test_who_was_erased_is_not_taken_in_again_and_others_are(register: Register) -> None:
    register.erase(9)
    told = register.run("import", str(register.csv)).stdout
    assert f"same {WHOLE - 1}" in told
    assert "left out 1" in told
    assert register.who(9) is None


def test_nobody_is_erased_by_mistake_and_an_identity_is_read_from_standard_input(register: Register) -> None:
    with pytest.raises(SettingsError, match="allowed: a pseudonym, or - for standard input"):
        register.run("erase", "370202194001010001", "--why", "x")
    with pytest.raises(SettingsError, match="allowed: one of taishi residents list"):
        register.run("erase", "p1-" + "0" * 20, "--why", "x")
    receipt = json.loads(register.run("erase", "-", "--why", "家属申请", text="370202194001010001\n").stdout)
    assert (receipt["subject"], receipt["why"]) == (register.name(1), "家属申请")
    assert register.name(1) not in register.run("list", "--json").stdout
