"""What a backup says of itself: one file, written last, so that a backup without it is none."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from schemas.durable import put_in_place, sync
from schemas.errors import TaishiError

__all__ = [
    "FILE",
    "FORMAT",
    "UNFINISHED",
    "BackupError",
    "Entry",
    "Manifest",
    "described",
    "read_manifest",
    "write_manifest",
]

FILE: Final = "manifest.json"
UNFINISHED: Final = ".manifest.json.new"
FORMAT: Final = 1


class BackupError(TaishiError):
    """A backup that cannot be taken or restored; the message says why, and what to do."""


class Entry(msgspec.Struct, frozen=True):
    """One file: how long it is, and its SHA-256."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What was accepted after `taken_at_ms` is not in it; `left_out` says what is not ours to copy."""

    format: int
    district: str
    taken_at_ms: int
    files: dict[str, Entry]
    left_out: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(entry.bytes for entry in self.files.values())


def described(folder: Path) -> dict[str, Entry]:
    """Every file of a folder but the manifest, by its path in it."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / FILE]
    return {path.relative_to(folder).as_posix(): _entry(path) for path in paths}


def _entry(path: Path) -> Entry:
    with path.open("rb") as data:
        return Entry(path.stat().st_size, hashlib.file_digest(data, "sha256").hexdigest())


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace it atomically, once every file it names is on the disk: where it is, the backup is whole."""
    temporary = folder / UNFINISHED
    files = [folder / name for name in manifest.files]
    for each in {*files, *(path.parent for path in files)}:
        sync(each)
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    sync(temporary)
    put_in_place(temporary, folder / FILE)


def read_manifest(folder: Path) -> Manifest:
    """BackupError if the folder holds no backup that is whole, or one of another form."""
    try:
        manifest = msgspec.json.decode((folder / FILE).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise BackupError(
            f"{folder}: received a folder without {FILE}, allowed: a backup that was finished"
        ) from None
    except msgspec.DecodeError as error:
        raise BackupError(f"{folder / FILE}: {error}") from error
    if manifest.format != FORMAT:
        raise BackupError(f"{folder}: received a backup of form {manifest.format}, allowed: {FORMAT}")
    found = described(folder)
    wrong = [
        name for name in manifest.files.keys() | found.keys() if manifest.files.get(name) != found.get(name)
    ]
    if wrong:
        raise BackupError(
            f"{folder}: {len(wrong)} files are missing, changed or not of the backup, first {min(wrong)}; "
            "take another backup"
        )
    return manifest
