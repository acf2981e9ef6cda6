"""A multipart stream cut into its parts as the bytes come. Pure; bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

__all__ = ["PART_MAX", "BrokenStream", "Parts"]

PART_MAX: Final = 16 * 1024 * 1024
_HEAD_MAX: Final = 16 * 1024
_LENGTH: Final = re.compile(rb"(?im)^content-length[ \t]*:[ \t]*(\d{1,9})[ \t]*\r?$")
_TYPE: Final = re.compile(rb"(?im)^content-type[ \t]*:([^\r\n]*)")
_TYPE_MAX: Final = 200
_BLANK: Final = re.compile(rb"\r?\n\r?\n")


class BrokenStream(Exception):  # noqa: N818 - names what came
    """What came is no multipart stream, or a part of it is too large: the connection must begin anew."""


class Parts:
    """Feed it bytes; it gives (content type, body) of every part that is whole.

    A part ends after its Content-Length, so a picture may contain the boundary; without a length it ends
    where the boundary comes next.
    """

    def __init__(self, boundary: str) -> None:
        self._delimiter = b"--" + boundary.encode("latin-1", "replace").removeprefix(b"--")
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """The parts that these bytes complete; BrokenStream if no part can come of them."""
        self._rest += data
        while (cut := self._next()) is not None:
            kind, body, self._rest = cut
            yield kind, body

    def _next(self) -> tuple[str, bytes, bytes] | None:
        begin = self._rest.find(self._delimiter)
        if begin < 0:
            if len(self._rest) > _HEAD_MAX:
                raise BrokenStream(f"no boundary in {len(self._rest)} bytes")
            return None
        after = begin + len(self._delimiter)
        blank = _BLANK.search(self._rest, after)
        if blank is None:
            if len(self._rest) - begin > _HEAD_MAX:
                raise BrokenStream(f"headers of a part longer than {_HEAD_MAX} bytes")
            return None
        head = self._rest[after : blank.start() + 1]
        length = _LENGTH.search(head)
        end = blank.end() + int(length[1]) if length else self._rest.find(self._delimiter, blank.end())
        if (length and int(length[1]) > PART_MAX) or len(self._rest) > 2 * PART_MAX:
            raise BrokenStream(f"a part of more than {PART_MAX} bytes")
        if end < 0 or end > len(self._rest):
            return None
        body = self._rest[blank.end() : end]
        return (
            _type_in(head),
            body if length else body.removesuffix(b"\n").removesuffix(b"\r"),
            self._rest[end:],
        )


def _type_in(head: bytes) -> str:
    """The content type of a part's headers; "" without one, or with one that is too long to be one.

    Its blanks are stripped here: a pattern that tries where they end takes minutes for a thousand of them.
    """
    found = _TYPE.search(head)
    said = found[1].strip(b" \t") if found else b""
    return said.decode("latin-1") if len(said) <= _TYPE_MAX else ""
