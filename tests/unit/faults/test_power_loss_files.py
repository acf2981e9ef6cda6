"""T18: what our own files acknowledged is there, and whole, after a loss of power at every step."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.privacy.keys import create_keys, read_keys, rotate_keys
from operations.people.audit import Said
from operations.people.spool import Spool
from operations.scenarios.photos import Photos
from taishi.backup.manifest import FILE, FORMAT, Manifest, described, read_manifest, write_manifest
from taishi.resident_vault import Vault
from taishi.senders import editing, new_entry, read
from tests.faults.power import Disk

Lives = tuple[int, Callable[[Path, int], None], Callable[[Path], int]]
"""How often something is acknowledged; how; and how much of it a folder holds."""


def spool(folder: Path, number: int) -> None:
    Spool(folder / "spool.jsonl").add(
        Said(at_ms=number, who="desk", terminal="pc", what="read", of=f"s{number}")
    )


def spooled(folder: Path) -> int:
    return Spool(folder / "spool.jsonl").waiting()


def key(folder: Path, _number: int) -> None:
    rotate_keys(folder / "keys.json")


def newest(folder: Path) -> int:
    return read_keys(folder / "keys.json").newest - 1


def resident(folder: Path, number: int) -> None:
    Vault(folder / "residents.jsonl", folder / "keys.json").change([{"name": f"n{number}"}])


def residents(folder: Path) -> int:
    return len(list(Vault(folder / "residents.jsonl", folder / "keys.json").rows()))


def sender(folder: Path, number: int) -> None:
    with editing(folder / "senders.toml") as entries:
        entries.append(new_entry(f"camera-{number}", paths=["/hikvision"])[0])


def senders(folder: Path) -> int:
    return len(read(folder / "senders.toml")) if (folder / "senders.toml").exists() else 0


def photo(folder: Path, number: int) -> None:
    Photos(folder, 1_000).keep(b"\xff\xd8\xff" + struct.pack(">I", number))


def photos(folder: Path) -> int:
    found = [path for path in folder.rglob("*") if path.is_file() and len(path.name) == 64]
    for path in found:
        Photos(folder, 1_000).read(path.name)
        assert len(path.read_bytes()) == 7, "a photograph is whole"
    return len(found)


LIVES: dict[str, Lives] = {
    "spool of the record": (6, spool, spooled),
    "keys of pseudonyms": (6, key, newest),
    "residents": (6, resident, residents),
    "senders": (6, sender, senders),
    "photographs": (6, photo, photos),
}


@pytest.mark.parametrize("what", LIVES)
def test_what_was_acknowledged_is_there_after_a_loss_of_power_at_any_step(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    often, says, holds = LIVES[what]
    folder, acknowledged = tmp_path / "disk", 0
    folder.mkdir()
    if what == "keys of pseudonyms":
        create_keys(folder / "keys.json")

    def lost(image: Path) -> None:
        assert acknowledged <= holds(image) <= acknowledged + 1

    disk = Disk(folder, tmp_path / "after", lost)
    disk.watch(monkeypatch)
    for number in range(often):
        says(folder, number)
        acknowledged += 1
        disk.fails()
    assert disk.cases >= 4 * often, "it synced nothing"


def test_who_was_erased_with_a_receipt_stays_so_after_a_loss_of_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, erased = tmp_path / "disk", set[str]()
    folder.mkdir()
    vault = Vault(folder / "residents.jsonl", folder / "keys.json")
    made = vault.change([{"name": f"n{number}"} for number in range(5)])
    under_way = ""

    def lost(image: Path) -> None:
        left = {each for each, _ in Vault(image / "residents.jsonl", image / "keys.json").rows()}
        assert not left & erased
        assert left >= set(made) - erased - {under_way}

    disk = Disk(folder, tmp_path / "after", lost)
    disk.watch(monkeypatch)
    for under_way in made:
        vault.change([], drop=[under_way])
        erased.add(under_way)
        disk.fails()


def test_a_backup_whose_manifest_is_there_is_whole_after_a_loss_of_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "disk"
    (folder / "data").mkdir(parents=True)

    def lost(image: Path) -> None:
        if (image / FILE).exists():
            assert read_manifest(image).files

    disk = Disk(folder, tmp_path / "after", lost)
    disk.watch(monkeypatch)
    for name in ("desk.db", "data/00000.log"):
        (folder / name).write_bytes(os.urandom(100))
    made = Manifest(format=FORMAT, district="370202", taken_at_ms=0, files=described(folder))
    write_manifest(folder, made)
    disk.fails()
    assert (folder / FILE).exists()


@pytest.mark.parametrize("garbage", [b"", b"\0" * 40, b"\xff{" * 20])
def test_a_spool_cut_at_any_byte_gives_every_whole_entry_or_says_that_it_was_changed(
    garbage: bytes, tmp_path: Path
) -> None:
    for number in range(3):
        spool(tmp_path, number)
    path = tmp_path / "spool.jsonl"
    whole = path.read_bytes()
    for cut in range(whole[:-1].rindex(b"\n"), len(whole) + 1):  # the last entry
        path.write_bytes(whole[:cut] + garbage)
        assert spooled(tmp_path) == whole[:cut].count(b"\n")
