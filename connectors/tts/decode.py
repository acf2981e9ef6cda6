"""The Things Stack v3 messages: the envelope here, the bytes of the device in `connectors.lorawan`."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from connectors.base import Decoded, Devices, Message, Rejected
from connectors.encoded import bytes_of_base64
from connectors.fields import Unreadable, as_object, field, moment_ms, parse_json, reads, whole
from connectors.lorawan.frame import Frame
from connectors.lorawan.uplink import decode_uplink, eui
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["CODEC", "PERSONAL", "ThingsStackCodec"]

PERSONAL: Final = ("attributes", "locations")
"""What an operator writes by hand of a device, and where it is: of a worn one, where a person is."""

_UPLINK: Final = "uplink_message"
_NO_READINGS: Final = (
    "join_accept",
    "uplink_normalized",  # the same uplink once more, decoded by the server
    "downlink_queued",
    "downlink_sent",
    "downlink_ack",
    "downlink_nack",
    "downlink_failed",
    "downlink_queue_invalidated",
    "location_solved",
    "service_data",
)


class ThingsStackCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Decodes by the model the registry names for the device's EUI."""

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded | Rejected:
        """What the device said; `decoded_payload`, the server's own decoding, is not read.

        Which message it is says its one key, on MQTT and by webhook alike.
        """
        said = as_object(parse_json(message.payload), "message")
        if _UPLINK in said:
            # The console can make up an uplink: nothing was measured, and an alarm in it is none.
            return Decoded() if said.get("simulated") is True else decode_uplink(_frame(said), registry)
        if any(name in said for name in _NO_READINGS):
            return Decoded()
        detail = received_allowed("message", "none of those known", (_UPLINK, *_NO_READINGS))
        raise Unreadable(Reason.MISSING_FIELD, detail)


CODEC: Final = ThingsStackCodec


def _frame(said: dict[str, Any]) -> Frame:
    """Fields equal to "", 0 or false are left out by the server."""
    uplink = as_object(said[_UPLINK], _UPLINK)
    # The network server's time of reception, else the application server's: never a gateway's clock.
    time = uplink.get("received_at") or field(said, "received_at")
    return Frame(
        device=eui(field(said, "end_device_ids", "dev_eui"), "end_device_ids.dev_eui"),
        port=whole(uplink.get("f_port", 0), "f_port"),
        data=bytes_of_base64(uplink.get("frm_payload") or "", "frm_payload"),
        observed_at_ms=moment_ms(time, "received_at"),
        seq=whole(uplink.get("f_cnt", 0), "f_cnt"),
    )
