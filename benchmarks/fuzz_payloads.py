"""Payloads that no device should send: twelve classes, made of good ones by a seeded generator. Pure."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable
from typing import Final

__all__ = ["CLASSES", "spoiled"]

_TEXTS: Final = (
    b'";DROP',
    b"a,b=c d\\ne",
    b"${jndi:x}",
    b"../../x",
    "反\u202e".encode(),
    b"\\u0000",
    b"<x/>",
)
_TIMES: Final = (b"1970-01-01T00:00:00Z", b"2038-01-19T03:14:08Z", b"9999-12-31T23:59:59Z", b"-1", b"soon")
_NUMBER: Final = re.compile(rb"-?\d+(?:\.\d+)?")
_TEXT: Final = re.compile(rb'"[^"\\]{1,60}"|>[^<>]{1,60}<')
_STAMP: Final = re.compile(rb"\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:?\d{2})?|\d{13}")
_FIELD: Final = re.compile(rb'"[^"\\]{1,40}"\s*:\s*[^,{}\[\]]{1,60},?|<(\w+)>[^<]{0,60}</\1>')


def _noise(_good: bytes, rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(400))


def _cut(good: bytes, rng: random.Random) -> bytes:
    return good[: rng.randrange(len(good))]


def _bad_utf8(good: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(good))
    return good[:at] + rng.choice((b"\xff", b"\xc3\x28", b"\xed\xa0\x80")) + good[at + 1 :]


def _odd_number(good: bytes, rng: random.Random) -> bytes:
    return _swapped(good, _NUMBER, rng.choice((b"NaN", b"1e999", b"-Infinity", b"0x10", b"1e-400")), rng)


def _huge_number(good: bytes, rng: random.Random) -> bytes:
    return _swapped(good, _NUMBER, str(rng.choice((2**63, -(2**63), 10**400))).encode(), rng)


def _deep(good: bytes, rng: random.Random) -> bytes:
    depth = rng.choice((100, 10_000))
    return rng.choice((b"[" * depth, b'{"a":' * depth, b"<a>" * depth)) + good


def _twice(good: bytes, rng: random.Random) -> bytes:
    field = _picked(good, _FIELD, rng)
    return good if field is None else good[: field.end()] + field[0] + good[field.end() :]


def _without(good: bytes, rng: random.Random) -> bytes:
    field = _picked(good, _FIELD, rng)
    return good if field is None else good[: field.start()] + good[field.end() :]


def _other_type(good: bytes, rng: random.Random) -> bytes:
    return _swapped(good, _NUMBER, rng.choice((b"null", b"true", b"{}", b"[]", b'"text"')), rng)


def _injected(good: bytes, rng: random.Random) -> bytes:
    found = _picked(good, _TEXT, rng)
    if found is None:
        return good
    edge = found[0][:1], found[0][-1:]
    return good[: found.start()] + edge[0] + rng.choice(_TEXTS) + edge[1] + good[found.end() :]


def _odd_time(good: bytes, rng: random.Random) -> bytes:
    return _swapped(good, _STAMP, rng.choice(_TIMES), rng)


def _zipped(good: bytes, rng: random.Random) -> bytes:
    return gzip.compress(good * rng.choice((1, 1_000)), mtime=0)


CLASSES: Final[dict[str, Callable[[bytes, random.Random], bytes]]] = {
    "random bytes": _noise,
    "cut": _cut,
    "bad UTF-8": _bad_utf8,
    "NaN, 1e999": _odd_number,
    "huge numbers": _huge_number,
    "nesting": _deep,
    "field twice": _twice,
    "field missing": _without,
    "wrong type": _other_type,
    "injection": _injected,
    "odd times": _odd_time,
    "compressed": _zipped,
}
"""Name of the class -> the good payload, spoiled."""


def spoiled(good: bytes, kind: str, rng: random.Random) -> bytes:
    """One payload of a class; where the good one holds nothing to spoil, itself."""
    return CLASSES[kind](good, rng)


def _picked(good: bytes, pattern: re.Pattern[bytes], rng: random.Random) -> re.Match[bytes] | None:
    found = list(pattern.finditer(good))
    return rng.choice(found) if found else None


def _swapped(good: bytes, pattern: re.Pattern[bytes], new: bytes, rng: random.Random) -> bytes:
    found = _picked(good, pattern, rng)
    return good if found is None else good[: found.start()] + new + good[found.end() :]
