"""The keys of pseudonyms and seals: versioned, in a file of their own, outside the data.

The file is JSON, `{"1": "<base64 of 32 bytes>", "2": ...}`, readable by its owner only. The highest
version makes, every version reads. Whoever has the data and not this file has no name and no
original. A version taken out of the file makes what was sealed under it unreadable for good, and
unlinks its pseudonyms (crypto-shredding, NIST SP 800-88 Rev. 1, 2.5).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from schemas.durable import put_in_place, sync
from schemas.errors import SettingsError, received_allowed

__all__ = ["KEY_BYTES", "KeyFile", "Keys", "create_keys", "forget_key", "read_keys", "rotate_keys"]

KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys by version; at least one."""

    versions: Mapping[int, bytes] = field(repr=False)

    @property
    def newest(self) -> int:
        """The version that makes."""
        return max(self.versions)

    def derived(self, version: int, use: str) -> bytes:
        """The key of one use; KeyError for a version that is not there (any more)."""
        return hmac.digest(self.versions[version], f"taishi {use}".encode(), hashlib.sha256)


class KeyFile:
    """The keys of a file; `refresh` reads it again when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = _stamp(path)
        self.keys = read_keys(path)

    def refresh(self) -> bool:
        """True if the file was another one; what was read before stays if it cannot be read."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return False
        self.keys, self._stamp = read_keys(self._path), stamp
        return True


def create_keys(path: Path) -> None:
    """Make the file with a first key, if there is none; of two that try at once one wins, whole."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = _written(path, {1: secrets.token_bytes(KEY_BYTES)})
        try:
            with contextlib.suppress(FileExistsError):  # another process was first, and its keys hold
                os.link(unfinished, path)
                sync(path.parent)
        finally:
            unfinished.unlink()


def read_keys(path: Path) -> Keys:
    """The keys; SettingsError for a file that is not there, not ours alone, or holds something else."""
    try:
        mode = path.stat().st_mode & 0o077
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"keys_file {path}: {error}; allowed: what `taishi keys create` makes") from error
    if mode:
        raise SettingsError(
            f"keys_file {path}: received permissions for others ({mode:03o}), allowed: chmod 600"
        )
    return _parsed(text, path)


def rotate_keys(path: Path) -> int:
    """Add a newer version, which makes from now on; returns it."""
    held = dict(read_keys(path).versions)
    newest = max(held) + 1
    held[newest] = secrets.token_bytes(KEY_BYTES)
    put_in_place(_written(path, held), path)
    return newest


def forget_key(path: Path, version: int) -> None:
    """Take a version out of the file for good; SettingsError for the newest and for one not there."""
    keys = read_keys(path)
    others = [each for each in keys.versions if each != keys.newest]
    if version not in others:
        raise SettingsError(received_allowed("version", version, others or ["none: rotate first"]))
    put_in_place(_written(path, {v: key for v, key in keys.versions.items() if v != version}), path)


def _parsed(text: str, path: Path) -> Keys:
    try:
        rows = json.loads(text).items()
        held = {int(version): base64.b64decode(key, validate=True) for version, key in rows}
    except (ValueError, AttributeError, TypeError) as error:
        raise SettingsError(
            f"keys_file {path}: {type(error).__name__}; allowed: version -> base64"
        ) from error
    if not held or min(held) < 1 or any(len(key) != KEY_BYTES for key in held.values()):
        raise SettingsError(
            f"keys_file {path}: allowed: versions from 1, each with {KEY_BYTES} bytes in base64"
        )
    return Keys(held)


def _written(path: Path, held: Mapping[int, bytes]) -> Path:
    """A finished file beside `path`, readable by its owner only, ready to take its place."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({str(version): base64.b64encode(key).decode() for version, key in held.items()}, file)
        file.flush()
        os.fsync(file.fileno())
    return unfinished


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        stat = path.stat()
    except OSError as error:
        raise SettingsError(f"keys_file {path}: {error}") from error
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
