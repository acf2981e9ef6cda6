"""ChirpStack v4 events: the envelope of an uplink here, the device's bytes in `connectors.lorawan`."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from connectors.base import Decoded, Devices, Message, Rejected
from connectors.encoded import bytes_of_base64
from connectors.fields import as_object, field, moment_ms, parse_json, reads, whole
from connectors.lorawan.frame import Frame
from connectors.lorawan.uplink import decode_uplink, eui

__all__ = ["CODEC", "PERSONAL", "ChirpStackCodec"]

PERSONAL: Final = ("deviceName", "tags")
"""What an operator writes by hand, and may write a resident's name into."""

_NO_READINGS: Final = {"join", "status", "ack", "txack", "log", "location", "integration"}
"""Events of the network about the device: battery, radio, downlinks, its own estimate of a place."""


class ChirpStackCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Decodes by the model the registry names for the device's EUI."""

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded | Rejected:
        """What the device said; `object`, the server's own decoding, is not read.

        Which event it is says the topic's last level: those that say nothing of a sensor are not opened.
        """
        _, is_event, event = message.address.rpartition("/event/")
        if is_event and event in _NO_READINGS:
            return Decoded()
        return decode_uplink(_frame(as_object(parse_json(message.payload), "event")), registry)


CODEC: Final = ChirpStackCodec


def _frame(up: dict[str, Any]) -> Frame:
    return Frame(
        device=eui(field(up, "deviceInfo", "devEui"), "deviceInfo.devEui"),
        port=whole(up.get("fPort", 0), "fPort"),  # zero fields are absent in protobuf's JSON
        data=bytes_of_base64(up.get("data") or "", "data"),
        observed_at_ms=moment_ms(field(up, "time"), "time"),
        seq=whole(up.get("fCnt", 0), "fCnt"),
    )
