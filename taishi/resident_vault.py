"""The residents' register as it lies on the disk: each record sealed under a key of its own.

Two files, their owner's only: the register (JSON lines: id, sealed record) may be backed up like anything;
the keys (JSON: id -> base64) lie apart, and not in those backups. Whose key is gone is noise in every copy
of the register (crypto-shredding, NIST SP 800-88 Rev. 1, 2.5).

What a death between any two lines leaves: a new key before its record is written (the next change drops it);
an erased record whose line is still there (unreadable without its key; the next change drops it).
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.durable import put_in_place
from schemas.errors import SettingsError

__all__ = ["Sealed", "Vault"]

_KEY_BYTES, _NONCE_BYTES = 32, 12
_MODE: Final = 0o600


class Sealed(msgspec.Struct, frozen=True):
    """A line of the register: nothing in it tells who it is."""

    id: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Vault:
    """The register and its keys. Read anew at each call; while one changes it nobody reads."""

    file: Path
    keys: Path

    def rows(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Each record by its id, opened; those without a key are gone. SettingsError for what is none."""
        with self._locked(fcntl.LOCK_SH):
            keys, lines = self._keys(), self._lines()
        for line in lines:
            if line.id in keys:
                yield line.id, self._opened(line, keys[line.id])

    def change(self, new: Sequence[dict[str, str]], drop: Collection[str] = ()) -> list[str]:
        """Seal the new records, and drop those of these ids with their keys; returned are the new ids."""
        for path in (self.keys, self.file):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._locked(fcntl.LOCK_EX):
            keys = {each: key for each, key in self._keys().items() if each not in drop}
            made = {secrets.token_hex(8): row for row in new}
            keys |= {each: secrets.token_bytes(_KEY_BYTES) for each in made}
            lines = [line for line in self._lines() if line.id in keys]
            lines += [_sealed(each, keys[each], row) for each, row in made.items()]
            kept = {line.id for line in lines}
            self._replace_keys({each: key for each, key in keys.items() if each in kept})
            self._replace_lines(lines)
        return list(made)

    def _opened(self, line: Sealed, key: bytes) -> dict[str, str]:
        try:
            nonce, sealed = line.sealed[:_NONCE_BYTES], line.sealed[_NONCE_BYTES:]
            row: dict[str, str] = json.loads(AESGCM(key).decrypt(nonce, sealed, line.id.encode()))
        except (InvalidTag, ValueError) as error:
            raise SettingsError(f"residents_file {self.file}: record {line.id} was changed") from error
        return row

    def _lines(self) -> list[Sealed]:
        if not self.file.exists():
            return []
        text = _read(self.file, "residents_file")
        try:
            return [msgspec.json.decode(line, type=Sealed) for line in text.splitlines()]
        except msgspec.DecodeError as error:
            words = "received no register, allowed: what `taishi residents import` makes of a CSV"
            raise SettingsError(f"residents_file {self.file}: {words}") from error

    def _keys(self) -> dict[str, bytes]:
        if not self.keys.exists():
            return {}
        text = _read(self.keys, "residents_keys_file")
        try:
            held: dict[str, str] = json.loads(text)
            return {each: base64.b64decode(key, validate=True) for each, key in held.items()}
        except (ValueError, AttributeError, TypeError) as error:
            raise SettingsError(f"residents_keys_file {self.keys}: allowed: id -> base64") from error

    def _replace_keys(self, keys: Mapping[str, bytes]) -> None:
        """The old file's bytes are overwritten, which a disk that writes in place does not undo."""
        held = {each: base64.b64encode(key).decode() for each, key in sorted(keys.items())}
        old = self.keys.open("r+b") if self.keys.exists() else None
        _replace(self.keys, json.dumps(held).encode())
        if old is not None:
            with old:
                old.write(bytes(os.fstat(old.fileno()).st_size))
                old.flush()
                os.fsync(old.fileno())

    def _replace_lines(self, lines: Sequence[Sealed]) -> None:
        _replace(self.file, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Nobody reads what is being changed: a file that is overwritten is noise to who has it open."""
        try:
            folder = os.open(self.keys.parent, os.O_RDONLY)
        except OSError as error:
            raise SettingsError(f"residents_keys_file {self.keys}: {error}") from error
        try:
            fcntl.flock(folder, how)
            yield
        finally:
            os.close(folder)


def _sealed(each: str, key: bytes, row: Mapping[str, str]) -> Sealed:
    nonce = os.urandom(_NONCE_BYTES)
    plain = json.dumps(row, ensure_ascii=False).encode()
    return Sealed(each, nonce + AESGCM(key).encrypt(nonce, plain, each.encode()))


def _read(path: Path, setting: str) -> bytes:
    try:
        mode = path.stat().st_mode & 0o077
        if mode:
            words = f"received permissions for others ({mode:03o}), allowed: chmod 600"
            raise SettingsError(f"{setting} {path}: {words}")
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{setting} {path}: {error}") from error


def _replace(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    put_in_place(beside, path)
