"""Reading XML out of untrusted messages: bytes to elements, elements to plain nested values.

Namespaces differ by device and age, so only local names are read. Document types and entities are
refused. Bytes are decoded here, not by the XML parser: devices that say GB2312 mean GB18030, and expat
can read neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from connectors.fields import Unreadable, field, text_of, whole
from schemas.quarantine import Reason

__all__ = ["child", "children", "local_name", "plain", "text_in", "whole_in", "xml_root"]

_BOM: Final = b"\xef\xbb\xbf"
_DEEPEST: Final = 16
_DIGITS_MAX: Final = 15
_DECLARATION: Final = re.compile(rb"^\s*<\?xml[^>]*\?>")
_ENCODING: Final = re.compile(rb"""encoding\s*=\s*["']([\w.-]+)["']""")
_CHINESE: Final = {b"gb2312", b"gbk", b"gb18030"}


def xml_root(payload: bytes, unlabelled: str = "utf-8") -> Element:
    """The root element; `unlabelled` is the encoding of bytes that name none.

    A label of the GB family is read as GB18030, any other as UTF-8. `encoding` for bytes that are not
    such text, `malformed` for what is not XML or brings a document type.
    """
    body = payload.removeprefix(_BOM).lstrip()
    declaration = _DECLARATION.match(body)
    declared = _ENCODING.search(declaration[0]) if declaration else None
    encoding = unlabelled
    if declared:
        encoding = "gb18030" if declared[1].lower() in _CHINESE else "utf-8"
    text = text_of(body[declaration.end() :] if declaration else body, encoding)
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except ParseError as error:
        raise Unreadable(Reason.MALFORMED, f"XML: {error}") from error
    except (DefusedXmlException, ValueError) as error:
        raise Unreadable(Reason.MALFORMED, f"XML: {type(error).__name__}") from error
    return root


def local_name(element: Element) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: Element, name: str) -> Iterator[Element]:
    """The direct children of that local name, in order."""
    return (each for each in element if local_name(each) == name)


def child(element: Element | None, *path: str) -> Element | None:
    """The first element along the path of local names; None where it ends early."""
    for name in path:
        if element is None:
            return None
        element = next(children(element, name), None)
    return element


def text_in(element: Element | None, *path: str) -> str:
    """The trimmed text of the first element along the path; "" without one."""
    found = child(element, *path)
    return (found.text or "").strip() if found is not None else ""


def plain(element: Element, depth: int = 0) -> Any:
    """Nested objects by local name, text at the leaves; repeated elements become a list."""
    if depth > _DEEPEST:
        raise Unreadable(Reason.MALFORMED, f"XML: received a nesting of more than {_DEEPEST} levels")
    if not len(element):
        return (element.text or "").strip()
    values: dict[str, Any] = {}
    for each in element:
        name, value = local_name(each), plain(each, depth + 1)
        if name not in values:
            values[name] = value
        elif isinstance(values[name], list):
            values[name].append(value)
        else:
            values[name] = [values[name], value]
    return values


def whole_in(values: dict[str, Any], name: str) -> int:
    """A whole number of a field; XML holds it as text, JSON as a number."""
    value = field(values, name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS_MAX:
        return int(value)
    return whole(value, name)
