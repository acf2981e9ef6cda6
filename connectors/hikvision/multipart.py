"""The parts of a multipart body that hold events. Pictures are skipped by their length, never searched."""

from __future__ import annotations

import re
from typing import Final

from connectors.fields import Unreadable
from schemas.quarantine import Reason

__all__ = ["event_parts"]

_PARTS_MAX: Final = 64
_BOUNDARY: Final = re.compile(r"""boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;]{1,200}))""", re.IGNORECASE)
_LENGTH: Final = re.compile(rb"(?im)^content-length[ \t]*:[ \t]*(\d{1,9})[ \t]*\r?$")
_BLANK: Final = re.compile(rb"\r?\n\r?\n")


def event_parts(payload: bytes, content_type: str) -> list[bytes]:
    """Every part that is XML or JSON; the payload itself where it is not multipart.

    Split by Content-Length where a part says it: a picture may contain the boundary. The boundary is the
    header's, else the first line's. `malformed` for a multipart body without an event.
    """
    delimiter = _delimiter(payload, content_type)
    if delimiter is None:
        return [payload]
    parts = []
    at = payload.find(delimiter)
    for _ in range(_PARTS_MAX):
        blank = _BLANK.search(payload, at + len(delimiter)) if at >= 0 else None
        if blank is None:
            break
        length = _LENGTH.search(payload[at + len(delimiter) : blank.start() + 1])
        end = blank.end() + int(length[1]) if length else payload.find(delimiter, blank.end())
        end = len(payload) if end < 0 else end
        part = payload[blank.end() : end]
        if part.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"<", b"{"}:
            parts.append(part)
        at = payload.find(delimiter, end)
    if not parts:
        raise Unreadable(Reason.MALFORMED, "received a multipart body without an XML or JSON part")
    return parts


def _delimiter(payload: bytes, content_type: str) -> bytes | None:
    """The line between parts; None if the body is none of several parts, whatever its header says."""
    if content_type.lower().lstrip().startswith("multipart/"):
        named = _BOUNDARY.search(content_type)
        said = named[1] or named[2] if named else ""
        delimiter = b"--" + said.encode("latin-1", "replace")
        if said and delimiter in payload:
            return delimiter
    if not payload.startswith(b"--"):
        return None
    return payload.partition(b"\n")[0].rstrip(b"\r")
