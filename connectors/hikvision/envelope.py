"""From the bytes of a Hikvision post to plain nested objects: XML or JSON, alone or in a multipart body.

Namespaces differ by device and age (three are known, and none), so only local names are read.
"""

from __future__ import annotations

import re
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from connectors.fields import Unreadable, as_object, parse_json, text_of
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["event_of"]

_ROOT: Final = "EventNotificationAlert"
_DEEPEST: Final = 16
_PARTS_MAX: Final = 16
_DECLARATION: Final = re.compile(rb"^\s*<\?xml[^>]*\?>")
_ENCODING: Final = re.compile(rb"""encoding\s*=\s*["']([\w.-]+)["']""")
_CHINESE: Final = {b"gb2312", b"gbk", b"gb18030"}
_LENGTH: Final = re.compile(rb"(?im)^content-length:\s*(\d{1,9})\s*$")


def event_of(payload: bytes) -> dict[str, Any]:
    """The event's fields by local name; repeated elements of XML become a list."""
    body = _event_part(payload).removeprefix(b"\xef\xbb\xbf").lstrip()
    if body.startswith(b"<"):
        root = _element(body)
        if _local(root) != _ROOT:
            raise Unreadable(
                Reason.UNSUPPORTED, received_allowed("root element", _local(root)[:80], (_ROOT,))
            )
        return as_object(_plain(root, 0), _ROOT)
    event = as_object(parse_json(body), "event")
    return as_object(event.get(_ROOT, event), _ROOT)


def _event_part(payload: bytes) -> bytes:
    """The first part of a multipart body that holds an event; pictures are left alone.

    Split by Content-Length where it is given: a picture may contain the boundary.
    """
    if not payload.startswith(b"--"):
        return payload
    boundary, _, rest = payload.partition(b"\n")
    boundary = boundary.rstrip(b"\r")
    for _ in range(_PARTS_MAX):
        head, blank, rest = rest.replace(b"\r\n\r\n", b"\n\n", 1).partition(b"\n\n")
        if not blank:
            break
        length = _LENGTH.search(head)
        end = int(length[1]) if length else rest.find(boundary)
        part, rest = (rest, b"") if end < 0 else (rest[:end], rest[end:])
        if part.lstrip()[:1] in {b"<", b"{"}:
            return part
        _, _, rest = rest.partition(b"\n")
        rest = rest.removeprefix(boundary).lstrip(b"\r\n")
    raise Unreadable(Reason.MALFORMED, "received a multipart body without an XML or JSON part")


def _element(body: bytes) -> Element:
    declaration = _DECLARATION.match(body)
    declared = _ENCODING.search(declaration[0]) if declaration else None
    # Devices that say GB2312 mean GB18030, and expat can read neither: decode first, drop the label.
    encoding = "gb18030" if declared and declared[1].lower() in _CHINESE else "utf-8"
    text = text_of(body[declaration.end() :] if declaration else body, encoding)
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except ParseError as error:
        raise Unreadable(Reason.MALFORMED, f"XML: {error}") from error
    except (DefusedXmlException, ValueError) as error:
        raise Unreadable(Reason.MALFORMED, f"XML: {type(error).__name__}") from error
    return root


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _plain(element: Element, depth: int) -> Any:
    if depth > _DEEPEST:
        raise Unreadable(Reason.MALFORMED, f"XML: received a nesting of more than {_DEEPEST} levels")
    if not len(element):
        return (element.text or "").strip()
    values: dict[str, Any] = {}
    for child in element:
        name, value = _local(child), _plain(child, depth + 1)
        if name not in values:
            values[name] = value
        elif isinstance(values[name], list):
            values[name].append(value)
        else:
            values[name] = [values[name], value]
    return values
