"""Keys and registers of persons in a backup: sealed under a key of its own that is kept somewhere else.

Who finds the backup alone has pseudonyms and seals, as in the data; who finds both has everything.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from taishi.backup.manifest import BackupError

__all__ = ["FILE", "open_vault", "read_key", "seal_vault"]

FILE: Final = "vault.sealed"
_MARK: Final = b"taishi-vault\x01"
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32


def read_key(path: Path, *, make: bool = False) -> bytes:
    """The key of this file, 64 hexadecimal digits, its owner's only; `make` it where there is none."""
    if make and not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(os.urandom(_KEY_BYTES).hex() + "\n")
    try:
        mode, text = path.stat().st_mode & 0o077, path.read_text("ascii").strip()
        key = bytes.fromhex(text)
    except (OSError, ValueError) as error:
        raise BackupError(f"--vault-key {path}: {error}") from error
    if mode or len(key) != _KEY_BYTES:
        raise BackupError(
            f"--vault-key {path}: received permissions for others {mode:03o} and {len(key)} bytes, "
            f"allowed: 000 (chmod 600) and {_KEY_BYTES}"
        )
    return key


def seal_vault(key: bytes, files: dict[str, bytes]) -> bytes:
    """The files by name, sealed (AES-256-GCM, a random nonce)."""
    nonce = os.urandom(_NONCE_BYTES)
    return _MARK + nonce + AESGCM(key).encrypt(nonce, msgspec.msgpack.encode(files), _MARK)


def open_vault(key: bytes, data: bytes) -> dict[str, bytes]:
    """What was sealed; BackupError under another key, or if it was changed."""
    start = len(_MARK) + _NONCE_BYTES
    try:
        opened = AESGCM(key).decrypt(data[len(_MARK) : start], data[start:], _MARK)
    except (InvalidTag, ValueError) as error:
        raise BackupError(
            f"{FILE}: received a key that does not open it, or a vault that was changed"
        ) from error
    return msgspec.msgpack.decode(opened, type=dict[str, bytes])
