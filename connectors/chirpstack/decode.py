"""ChirpStack v4 `up` events: the envelope here, the device's bytes in `connectors.lorawan`."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

import msgspec

from connectors.base import Decoded, Devices, Message, Rejected
from connectors.fields import Unreadable, as_object, as_text, field, moment_ms, parse_json, reads, whole
from connectors.lorawan.frame import Frame, decode_frame
from schemas.quarantine import Reason

__all__ = ["CODEC", "ChirpStackCodec"]

_EUI: Final = re.compile(r"[0-9a-f]{16}")


class ChirpStackCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Decodes by the model the registry names for the device's EUI."""

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded | Rejected:
        """What the device said; `object`, the server's own decoding, is not read."""
        up = as_object(parse_json(message.payload), "event")
        frame = _frame(up)
        device = registry.get(frame.device)
        if device is None:
            raise Unreadable(
                Reason.UNKNOWN_DEVICE, f"received devEui {frame.device}, allowed: a registered one"
            )
        if not frame.data:
            return Decoded()  # a frame of commands for the network only
        return decode_frame(device.model, frame)


CODEC: Final = ChirpStackCodec


def _frame(up: dict[str, Any]) -> Frame:
    eui = as_text(field(up, "deviceInfo", "devEui"), "deviceInfo.devEui").lower()
    if not _EUI.fullmatch(eui):
        raise Unreadable(Reason.WRONG_TYPE, f"deviceInfo.devEui: received {eui!r}, allowed: 16 hex digits")
    return Frame(
        device=eui,
        port=whole(up.get("fPort", 0), "fPort"),  # zero fields are absent in protobuf's JSON
        data=_bytes(up.get("data") or ""),
        observed_at_ms=moment_ms(field(up, "time"), "time"),
        seq=whole(up.get("fCnt", 0), "fCnt"),
    )


def _bytes(text: object) -> bytes:
    if not isinstance(text, str):
        raise Unreadable(Reason.WRONG_TYPE, f"data: received {type(text).__name__}, allowed: base64 text")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable(Reason.MALFORMED, f"data: {error}; allowed: base64") from error
