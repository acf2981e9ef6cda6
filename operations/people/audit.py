"""The record of who did what: append-only, each entry holds the hash of the one before. Pure.

What is changed, taken out or put in later breaks the chain from there on. What is cut off at the end leaves
a chain that is whole, so its head is worth keeping elsewhere: `verify` takes it as an anchor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

__all__ = ["BEGINNING", "Anchor", "Entry", "Said", "chained", "first_broken"]

BEGINNING: Final = "0" * 64


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to record. `what` is a verb of ours (`alerts.acknowledge`), `of` what it was done to."""

    at_ms: int
    who: str
    terminal: str
    what: str
    of: str = ""
    detail: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What was recorded as number `number`, from 1."""

    number: int
    said: Said
    previous: str
    hash: str


class Anchor(msgspec.Struct, frozen=True):
    """An entry's number and hash, kept where the database's owner cannot change it."""

    number: int
    hash: str


def chained(number: int, said: Said, previous: str) -> Entry:
    """The entry that follows the hash `previous`."""
    return Entry(number=number, said=said, previous=previous, hash=_hash(number, said, previous))


def first_broken(entries: Iterable[Entry], anchor: Anchor | None = None) -> str:
    """What is wrong with the first entry that does not fit, in words; "" if the whole chain holds."""
    expected, previous = 1, BEGINNING
    anchored = anchor is None
    for entry in entries:
        if entry.number != expected:
            return f"entry {expected} is missing: the next is {entry.number}"
        if entry.previous != previous or entry.hash != _hash(entry.number, entry.said, previous):
            return f"entry {entry.number} is not what was written"
        if anchor is not None and entry.number == anchor.number:
            if entry.hash != anchor.hash:
                return f"entry {entry.number} is not the anchored one: the chain was made anew"
            anchored = True
        expected, previous = expected + 1, entry.hash
    if anchor is not None and not anchored:
        return f"entries after {expected - 1} are missing: the anchor is entry {anchor.number}"
    return ""


def _hash(number: int, said: Said, previous: str) -> str:
    return hashlib.sha256(msgspec.json.encode([number, said, previous])).hexdigest()
