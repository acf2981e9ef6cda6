"""Pseudonyms of people: one person is always the same under one key, and nobody without it knows who.

HMAC-SHA-256 (FIPS 198-1) of the identity, cut to 80 bits: of a million people two collide with
probability 4e-13. An unkeyed hash would not do: identities are few enough to try them all.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

from connectors.privacy.keys import Keys

__all__ = ["PSEUDONYM", "pseudonym", "pseudonyms"]

PSEUDONYM: Final = re.compile(r"p\d+-[0-9a-f]{20}")
"""How one looks: `p<key version>-<20 hex digits>`."""

_BYTES: Final = 10


def pseudonym(keys: Keys, identity: str, version: int | None = None) -> str:
    """The person's pseudonym under the newest key, or that of a version."""
    made_by = keys.newest if version is None else version
    digest = hmac.digest(keys.derived(made_by, "pseudonym"), identity.encode(), hashlib.sha256)
    return f"p{made_by}-{digest[:_BYTES].hex()}"


def pseudonyms(keys: Keys, identity: str) -> list[str]:
    """The person's pseudonyms under every key there is, newest first: registries may hold an older one."""
    return [pseudonym(keys, identity, version) for version in sorted(keys.versions, reverse=True)]
