"""From the bytes of a Hikvision event to plain nested objects: XML or JSON.

Namespaces differ by device and age (three are known, and none), so only local names are read.
"""

from __future__ import annotations

from typing import Any, Final

from connectors.fields import Unreadable, as_object, parse_json
from connectors.xml_fields import local_name, plain, xml_root
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["event_of"]

_ROOT: Final = "EventNotificationAlert"


def event_of(part: bytes) -> dict[str, Any]:
    """The event's fields by local name; repeated elements of XML become a list."""
    body = part.removeprefix(b"\xef\xbb\xbf").lstrip()
    if body.startswith(b"<"):
        root = xml_root(body)
        if local_name(root) != _ROOT:
            raise Unreadable(
                Reason.UNSUPPORTED, received_allowed("root element", local_name(root)[:80], (_ROOT,))
            )
        return as_object(plain(root), _ROOT)
    event = as_object(parse_json(body), "event")
    return as_object(event.get(_ROOT, event), _ROOT)
