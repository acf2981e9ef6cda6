"""The answer that GB/T 28181 wants to an alarm: a `Response` of the same command and serial number."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

from connectors.fields import Unreadable
from connectors.xml_fields import local_name, text_in, xml_root

__all__ = ["alarm_response"]

_LONGEST: Final = 40


def alarm_response(body: bytes) -> bytes | None:
    """The `Response` body to an alarm `Notify`; None for everything else, and for what cannot be read."""
    try:
        root = xml_root(body, unlabelled="gb18030")
    except Unreadable:
        return None
    if local_name(root) != "Notify" or text_in(root, "CmdType").lower() != "alarm":
        return None
    said = (("CmdType", "Alarm"), ("SN", text_in(root, "SN")), ("DeviceID", text_in(root, "DeviceID")))
    if any(not 0 < len(value) <= _LONGEST for _, value in said):
        return None
    elements = [f"<{name}>{escape(value)}</{name}>" for name, value in (*said, ("Result", "OK"))]
    lines = ['<?xml version="1.0" encoding="GB2312"?>', "<Response>", *elements, "</Response>", ""]
    return "\r\n".join(lines).encode("gb18030")
