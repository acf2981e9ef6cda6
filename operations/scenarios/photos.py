"""Photographs people send: kept by the desk under the hash of what they are.

Dying between any two lines: a photograph is written beside its place, put to the disk, and renamed, so
it is there whole or not. Sent again (a phone that was offline) it is the same file: it is there once.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.durable import put_in_place, sync
from schemas.errors import Refused, SettingsError

__all__ = ["Photo", "Photos", "media_type"]

_NAME: Final = re.compile(r"[0-9a-f]{64}")
_TYPES: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """What is kept: its name is the SHA-256 of its bytes. `reference`: how evidence of a case names it."""

    name: str
    reference: str
    media_type: str
    size_bytes: int


def media_type(data: bytes) -> str:
    """What it is by its first bytes, whatever its sender calls it; "" for nothing we keep."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""


class Photos:
    """A folder of photographs, two letters of the hash a folder."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self.max_bytes = folder, max_bytes

    def keep(self, data: bytes) -> Photo:
        """Keep it; Refused for what is too large or no photograph."""
        kind = media_type(data)
        if not kind:
            began, kinds = data[:8].hex() or "nothing", ", ".join(_TYPES.values())
            raise Refused(f"照片 photo: received bytes that begin {began}, allowed: {kinds}")
        if len(data) > self.max_bytes:
            raise Refused(f"照片 photo: received {len(data)} bytes, allowed: up to {self.max_bytes}")
        name = hashlib.sha256(data).hexdigest()
        path = self._path(name)
        if not path.exists():
            self._write(path, data)
        return Photo(name=name, reference=f"photo:{name}", media_type=kind, size_bytes=len(data))

    def read(self, name: str) -> tuple[bytes, str]:
        """Its bytes and type; SettingsError where there is none of that name."""
        try:
            data = self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise SettingsError(f"照片 photo: received {name!r}, which the desk does not keep") from error
        return data, media_type(data)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise SettingsError(f"照片 photo: received {name!r}, allowed: 64 hex digits")
        return self._folder / name[:2] / name

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(beside, path)
        sync(self._folder)  # which may have got a folder just now
