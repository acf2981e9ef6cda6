"""Passwords: what is taken for one, and how it is kept (Argon2id, RFC 9106).

The rules are those of NIST SP 800-63B, section 5.1.1.2: long enough, not known to attackers, not the
person's own name; nothing about digits and capitals, and no change by date.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import argon2

from operations.people.samples import is_sample
from schemas.errors import SettingsError

__all__ = ["Passwords", "refuse_weak"]

_LENGTH: Final = (12, 128)
_UNKNOWN: Final = "whoever this is, a hash is computed for them"


def refuse_weak(password: str, *names: str) -> None:
    """SettingsError in words if this is no password for somebody of these names."""
    low, high = _LENGTH
    if not low <= len(password) <= high:
        raise SettingsError(f"密码 password: received {len(password)} characters, allowed: {low} to {high}")
    if len(set(password.lower())) < 5:
        raise SettingsError("密码 password: received few different characters, allowed: at least 5")
    if is_sample(password, *names):
        raise SettingsError("密码 password: received a word that everybody tries first, allowed: another")
    steps = [abs(ord(after) - ord(before)) for before, after in pairwise(password)]
    if steps.count(1) * 4 >= len(steps) * 3:
        raise SettingsError("密码 password: received a run of the alphabet or of digits, allowed: another")


class Passwords:
    """Hashes and checks; the costs are in each hash, so they may be raised later."""

    def __init__(self, hasher: argon2.PasswordHasher | None = None) -> None:
        self._hasher = hasher or argon2.PasswordHasher()
        self._of_nobody = self._hasher.hash(_UNKNOWN)

    def hashed(self, password: str) -> str:
        """What is kept."""
        return self._hasher.hash(password)

    def right(self, kept: str, password: str) -> bool:
        """Whether it is the password. For nobody (`kept` is "") it takes as long, and is not."""
        try:
            self._hasher.verify(kept or self._of_nobody, password)
        except argon2.exceptions.VerificationError:
            return False
        return bool(kept)

    def outdated(self, kept: str) -> bool:
        """Whether the hash was made with lower costs than today's."""
        return self._hasher.check_needs_rehash(kept)
