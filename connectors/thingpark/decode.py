"""ThingPark reports: the envelope of an uplink here, the device's bytes in `connectors.lorawan`."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from connectors.base import Decoded, Devices, Message, Rejected
from connectors.encoded import bytes_of_hex
from connectors.fields import Unreadable, as_object, field, moment_ms, parse_json, reads, whole
from connectors.lorawan.frame import Frame
from connectors.lorawan.uplink import decode_uplink, eui
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["CODEC", "PERSONAL", "ThingParkCodec"]

PERSONAL: Final = ("name", "tags")
"""Of `CustomerData`: what an operator writes by hand of a device."""

_UPLINK: Final = "DevEUI_uplink"
_REPORT: Final = "DevEUI_"
_DIGITS_MAX: Final = 16


class ThingParkCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Decodes by the model the registry names for the device's EUI."""

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded | Rejected:
        """What the device said; `payload` and `points`, the server's own decoding, are not read."""
        report = as_object(parse_json(message.payload), "report")
        if _UPLINK in report:
            return decode_uplink(_frame(as_object(report[_UPLINK], _UPLINK)), registry)
        if any(name.startswith(_REPORT) for name in report):
            return Decoded()
        raise Unreadable(Reason.MISSING_FIELD, _UPLINK)


CODEC: Final = ThingParkCodec


def _frame(uplink: dict[str, Any]) -> Frame:
    if _number(uplink, "PayloadEncryption"):
        detail = received_allowed("PayloadEncryption", 1, (0,))
        raise Unreadable(Reason.UNSUPPORTED, detail)
    return Frame(
        device=eui(field(uplink, "DevEUI"), "DevEUI"),
        port=_number(uplink, "FPort"),
        data=bytes_of_hex(uplink.get("payload_hex") or "", "payload_hex"),
        observed_at_ms=moment_ms(field(uplink, "Time"), "Time"),
        seq=_number(uplink, "FCntUp"),
    )


def _number(uplink: dict[str, Any], name: str) -> int:
    """A whole number, written as text or (by newer releases) as a number; 0 when it is missing."""
    value = uplink.get(name) or 0
    if isinstance(value, str) and len(value) <= _DIGITS_MAX and value.isascii() and value.isdigit():
        return int(value)
    return whole(value, name)
