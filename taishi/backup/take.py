"""Taking a backup of a running, or a stopped, embedded installation.

The desk's database first: what it knows from the log is in the log that is copied after it. Then log and
store, followed while they run until little is left, and for the rest frozen. Dies the process before the
manifest is written, the folder holds no backup; frozen parts go on when the supervisor asks them in vain.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.embedded.state import is_running, read_state
from operations.oncall.clock import now_ms
from taishi.backup import vault
from taishi.backup.frozen import frozen
from taishi.backup.manifest import FILE, FORMAT, UNFINISHED, BackupError, Manifest, described, write_manifest
from taishi.backup.mirror import Mirror
from taishi.keys import key_file
from taishi.settings import Settings

__all__ = ["DATA", "HOME_FILES", "Taken", "secrets_of", "take"]

DATA: Final = ("kafka", "influxdb", "photos")
HOME_FILES: Final = ("devices.csv", "devices.auto.csv", "places")
"""Beside the data, in the installation's home."""
_LITTLE_BYTES: Final = 32 << 20
_ROUNDS: Final = 6


@dataclass(frozen=True, slots=True)
class Taken:
    """What a backup took: its manifest, how long it took, and how long log and store stood still for it."""

    manifest: Manifest
    took_s: float
    stood_s: float


def secrets_of(settings: Settings) -> dict[str, Path]:
    """Files of keys and persons by the name they have in the vault; those that there are."""
    files = {
        "keys.json": key_file(settings),
        "residents.csv": settings.residents_file,
        "senders.toml": settings.senders_file,
    }
    return {name: path for name, path in files.items() if path is not None and path.is_file()}


def take(settings: Settings, target: Path, vault_key: bytes | None) -> Taken:
    """Make `target` a backup of the installation as it is now; an earlier one there is replaced.

    BackupError if there is nothing to back up, or the folder holds something else.
    """
    began_s = time.monotonic()
    data = settings.home / "data"
    if not data.is_dir():
        raise BackupError(f"{settings.home}: received a home without data, allowed: an installation's")
    _prepare(target)
    _database(settings, target / "data")
    stood_s, taken_at_ms = _log_and_store(settings, data, target / "data")
    for name in HOME_FILES:
        _single(settings.home / name, target / name)
    if vault_key is not None:
        secrets = {name: path.read_bytes() for name, path in secrets_of(settings).items()}
        (target / vault.FILE).write_bytes(vault.seal_vault(vault_key, secrets))
    manifest = Manifest(
        format=FORMAT,
        district=settings.district,
        taken_at_ms=taken_at_ms,
        files=described(target),
        left_out=tuple(_left_out(settings, sealed=vault_key is not None)),
    )
    write_manifest(target, manifest)
    return Taken(manifest, time.monotonic() - began_s, stood_s)


def _prepare(target: Path) -> None:
    known = {"data", vault.FILE, FILE, UNFINISHED, *HOME_FILES}
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    strange = sorted(path.name for path in target.iterdir() if path.name not in known)
    if strange:
        raise BackupError(
            f"{target}: received a folder with {strange[0]}, allowed: an empty one, or a backup"
        )
    for name in (FILE, UNFINISHED, vault.FILE):  # from here on it is no backup until it is whole
        (target / name).unlink(missing_ok=True)


def _database(settings: Settings, target: Path) -> None:
    """SQLite's own online copy: of one moment, whoever writes."""
    source, image = settings.home / "data" / "operations.db", target / "operations.db"
    image.parent.mkdir(parents=True, exist_ok=True)
    image.unlink(missing_ok=True)
    if settings.operations_database or not source.exists():
        return
    with sqlite3.connect(source) as live, sqlite3.connect(image) as copy:
        live.backup(copy)
    live.close()
    copy.close()


def _log_and_store(settings: Settings, data: Path, target: Path) -> tuple[float, int]:
    """How long both stood still, and when."""
    mirrors = [Mirror(data / name, target / name) for name in DATA]
    pids = _pids(settings)
    for _ in range(_ROUNDS):
        if sum(mirror.follow() for mirror in mirrors) < _LITTLE_BYTES:
            break
    began_s = time.monotonic()
    with frozen(pids):
        taken_at_ms = now_ms()
        for mirror in mirrors:
            mirror.follow()
    return (time.monotonic() - began_s if pids else 0.0), taken_at_ms


def _pids(settings: Settings) -> list[int]:
    state = read_state(settings.home) if is_running(settings.home) else None
    parts = {part.name: part for part in state.parts} if state else {}
    return [parts[n].pid or 0 for n in ("kafka", "influxdb") if n in parts and parts[n].pid]


def _single(source: Path, image: Path) -> None:
    if source.is_dir():
        Mirror(source, image).follow()
    elif source.is_file():
        image.write_bytes(source.read_bytes())


def _left_out(settings: Settings, *, sealed: bool) -> list[str]:
    addresses = {
        "the log": settings.kafka_address,
        "the store": settings.influxdb_address,
        "the desk's database": settings.operations_database and "operations_database",
    }
    own = [f"{what} ({where}): back it up by its own means" for what, where in addresses.items() if where]
    return own if sealed else [*own, "keys, residents, senders: give --vault-key to take them, sealed"]
