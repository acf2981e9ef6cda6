"""Restoring a backup into a home that has nothing; the backup is verified before anything is written.

Dies the process in the middle, there are no data yet but a folder `data.restoring`, and what else was put
back is the backup's: the next restore begins anew.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.state import is_running
from taishi.backup import vault
from taishi.backup.manifest import BackupError, Manifest, read_manifest
from taishi.backup.mirror import Mirror
from taishi.backup.take import HOME_FILES
from taishi.keys import key_file
from taishi.settings import Settings

__all__ = ["Restored", "restore"]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, how long it took, and the secret files that were put back."""

    manifest: Manifest
    took_s: float
    opened: tuple[Path, ...]


def restore(
    settings: Settings, source: Path, vault_key: bytes | None, *, without_vault: bool = False
) -> Restored:
    """Put the backup's files where an installation has them.

    BackupError, and nothing changed: the installation runs or has data; the backup is not whole, or of
    another district; it has a vault and neither its key nor `without_vault` was given.
    """
    began_s = time.monotonic()
    _refuse_unless_empty(settings)
    manifest = read_manifest(source)
    if manifest.district != settings.district:
        raise BackupError(
            f"{source}: received a backup of district {manifest.district}, allowed: {settings.district}"
        )
    secrets = _secrets(source, vault_key, without_vault=without_vault)
    _refuse_other_files(settings, source)
    settings.home.mkdir(parents=True, exist_ok=True)
    for name in HOME_FILES:
        _put(source / name, settings.home / name)
    opened = tuple(_put_secret(path, data) for path, data in _placed(settings, secrets))
    unfinished = settings.home / "data.restoring"
    shutil.rmtree(unfinished, ignore_errors=True)
    Mirror(source / "data", unfinished).follow()
    if (settings.home / "data").is_dir():
        (settings.home / "data").rmdir()  # empty, as was asked first
    unfinished.replace(settings.home / "data")
    return Restored(manifest, time.monotonic() - began_s, opened)


def _refuse_unless_empty(settings: Settings) -> None:
    if is_running(settings.home):
        raise BackupError(
            f"{settings.home}: received a running installation; `taishi down`, and move it away"
        )
    data = settings.home / "data"
    if data.is_dir() and any(data.iterdir()):
        raise BackupError(f"{data}: received a folder that is not empty; move it away to restore")


def _refuse_other_files(settings: Settings, source: Path) -> None:
    for name in HOME_FILES:
        here, backed_up = settings.home / name, source / name
        if here.exists() and backed_up.exists() and _content(here) != _content(backed_up):
            raise BackupError(f"{here}: received other content than the backup's; move it away to restore")


def _content(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return {each.relative_to(path).as_posix(): each.read_bytes() for each in files}


def _secrets(source: Path, key: bytes | None, *, without_vault: bool) -> dict[str, bytes]:
    sealed = source / vault.FILE
    if not sealed.is_file() or without_vault:
        return {}
    if key is None:
        raise BackupError(
            f"{source}: received a backup with sealed keys, allowed: --vault-key FILE, or --without-vault, "
            "and then nobody can say who a pseudonym is of, nor open what was sealed"
        )
    return vault.open_vault(key, sealed.read_bytes())


def _placed(settings: Settings, secrets: dict[str, bytes]) -> list[tuple[Path, bytes]]:
    """Where each secret file goes: where the settings have it, else into the home."""
    places = {
        "keys.json": key_file(settings),
        "residents.csv": settings.residents_file or settings.home / "residents.csv",
        "senders.toml": settings.senders_file or settings.home / "senders.toml",
    }
    there = [name for name in secrets if places[name].exists() and places[name].read_bytes() != secrets[name]]
    if there:
        raise BackupError(
            f"{places[there[0]]}: received a file other than the backup's; move it away to restore"
        )
    return [(places[name], data) for name, data in secrets.items()]


def _put(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.is_file():
        shutil.copyfile(source, target)


def _put_secret(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    return path
