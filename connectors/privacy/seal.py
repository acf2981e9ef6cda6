"""Seals: the original bytes of what was refused, kept whole, readable only with the keys.

A refused message is refused because it is not understood, so nobody can say which of its bytes are
a name. All of it is sealed: AES-256-GCM (NIST SP 800-38D), a random 96-bit nonce a message, the key
derived from the newest version of `connectors.privacy.keys`.
"""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connectors.privacy.keys import Keys
from schemas.errors import TaishiError

__all__ = ["OVERHEAD_BYTES", "SealBroken", "Sealer", "is_sealed", "seal", "unseal"]

_MARK: Final = b"taishi-seal\x01"
_VERSION_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_HEAD_BYTES: Final = len(_MARK) + _VERSION_BYTES + _NONCE_BYTES
OVERHEAD_BYTES: Final = _HEAD_BYTES + 16
"""By how much sealed bytes are longer."""


class SealBroken(TaishiError):  # noqa: N818 - names what was found
    """Sealed bytes that cannot be opened: their key was forgotten, or they are not what was sealed."""


class Sealer:
    """Seals under the newest of these keys; what making it costs is paid once."""

    def __init__(self, keys: Keys) -> None:
        self._head = _MARK + keys.newest.to_bytes(_VERSION_BYTES, "big")
        self._cipher = AESGCM(keys.derived(keys.newest, "seal"))

    def __call__(self, payload: bytes) -> bytes:
        """The bytes, sealed."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._head + nonce + self._cipher.encrypt(nonce, payload, self._head)


def seal(keys: Keys, payload: bytes) -> bytes:
    """The bytes, sealed under the newest key."""
    return Sealer(keys)(payload)


def is_sealed(data: bytes) -> bool:
    """Whether it looks like sealed bytes."""
    return data.startswith(_MARK)


def unseal(keys: Keys, data: bytes) -> bytes:
    """What was sealed; SealBroken if that cannot be known."""
    head, nonce = data[: len(_MARK) + _VERSION_BYTES], data[len(_MARK) + _VERSION_BYTES : _HEAD_BYTES]
    if not is_sealed(data) or len(data) < OVERHEAD_BYTES:
        raise SealBroken("received bytes that were not sealed here")
    version = int.from_bytes(head[len(_MARK) :], "big")
    if version not in keys.versions:
        known = ", ".join(map(str, sorted(keys.versions)))
        raise SealBroken(f"sealed under key {version}, which is not in the keys file (it holds {known})")
    try:
        return AESGCM(keys.derived(version, "seal")).decrypt(nonce, data[_HEAD_BYTES:], head)
    except InvalidTag as error:
        raise SealBroken(f"sealed under key {version}, and changed since") from error
