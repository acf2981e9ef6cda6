"""What the door does with people: pseudonyms for who they are, a seal on what was not understood."""

from __future__ import annotations

from typing import Protocol

from connectors.privacy.keys import KeyFile
from connectors.privacy.pseudonyms import PSEUDONYM, pseudonym, pseudonyms
from connectors.privacy.seal import Sealer

__all__ = ["Guard", "KeyedGuard"]


class Guard(Protocol):
    """Stands between what a message says and what is kept of it."""

    def name_of(self, identity: str) -> str:
        """The pseudonym of a person; a pseudonym is its own."""
        ...

    def names_of(self, identity: str) -> list[str]:
        """Every pseudonym a registry may know the person by, newest first."""
        ...

    def seal(self, payload: bytes) -> bytes:
        """Bytes that only the keys open."""
        ...


class KeyedGuard:
    """The guard of an installation, by the keys of its file. May be used from any thread."""

    def __init__(self, file: KeyFile) -> None:
        self._file = file
        self._sealing = (file.keys, Sealer(file.keys))

    def name_of(self, identity: str) -> str:
        """Under the newest key."""
        return identity if PSEUDONYM.fullmatch(identity) else pseudonym(self._file.keys, identity)

    def names_of(self, identity: str) -> list[str]:
        """Under every key there is."""
        return pseudonyms(self._file.keys, identity)

    def seal(self, payload: bytes) -> bytes:
        """Under the newest key."""
        keys, sealer = self._sealing
        if keys is not self._file.keys:  # rotated, or one was forgotten
            keys = self._file.keys
            sealer = Sealer(keys)
            self._sealing = (keys, sealer)
        return sealer(payload)
