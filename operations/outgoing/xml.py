"""Building XML: elements with text, in a given order, and nothing that a parser would refuse. Pure."""

from __future__ import annotations

import re
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

__all__ = ["ATOM", "CAP", "added", "document", "root"]

CAP: Final = "urn:oasis:names:tc:emergency:cap:1.2"
ATOM: Final = "http://www.w3.org/2005/Atom"
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

register_namespace("cap", CAP)
register_namespace("atom", ATOM)


def root(namespace: str, name: str) -> Element:
    """The outermost element."""
    return Element(f"{{{namespace}}}{name}")


def added(parent: Element, name: str, text: str = "", **attributes: str) -> Element:
    """A further child in its parent's namespace; characters that XML cannot hold become U+FFFD."""
    namespace = parent.tag.partition("}")[0] + "}"
    child = SubElement(parent, namespace + name, attributes)
    if text:
        child.text = _FORBIDDEN.sub("\ufffd", text)
    return child


def document(element: Element) -> bytes:
    """UTF-8, with a declaration."""
    text: bytes = tostring(element, encoding="utf-8", xml_declaration=True)
    return text
