"""Bytes written as text inside a message."""

from __future__ import annotations

import base64
import binascii

from connectors.fields import Unreadable
from schemas.quarantine import Reason

__all__ = ["bytes_of_base64", "bytes_of_hex"]


def bytes_of_base64(value: object, what: str) -> bytes:
    """The bytes of base64 text, `malformed` if it is none."""
    try:
        return base64.b64decode(_text(value, what, "base64"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable(Reason.MALFORMED, f"{what}: {error}; allowed: base64") from error


def bytes_of_hex(value: object, what: str) -> bytes:
    """The bytes of hex text, `malformed` if it is none."""
    try:
        return binascii.unhexlify(_text(value, what, "hex"))
    except (binascii.Error, ValueError) as error:
        raise Unreadable(Reason.MALFORMED, f"{what}: {error}; allowed: hex digits") from error


def _text(value: object, what: str, allowed: str) -> str:
    if isinstance(value, str):
        return value
    raise Unreadable(Reason.WRONG_TYPE, f"{what}: received {type(value).__name__}, allowed: {allowed} text")
