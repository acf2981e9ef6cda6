"""What every network server's uplink has in common: an EUI, and a device registered with a model."""

from __future__ import annotations

import re
from typing import Final

from connectors.base import Decoded, Devices, Rejected
from connectors.fields import Unreadable, as_text
from connectors.lorawan.frame import Frame, decode_frame
from schemas.quarantine import Reason

__all__ = ["decode_uplink", "eui"]

_EUI: Final = re.compile(r"[0-9a-f]{16}")


def decode_uplink(frame: Frame, registry: Devices) -> Decoded | Rejected:
    """What the frame means by the model its device is registered with; `unknown_device` without one."""
    device = registry.get(frame.device)
    if device is None:
        detail = f"received devEui {frame.device}, allowed: a registered one"
        return Rejected(Reason.UNKNOWN_DEVICE, detail)
    if not frame.data:
        return Decoded()  # a frame of commands for the network only
    return decode_frame(device.model, frame)


def eui(value: object, what: str) -> str:
    """An EUI-64 in lower-case hex, as the registry has it; `wrong_type` for anything else."""
    text = as_text(value, what).lower()
    if not _EUI.fullmatch(text):
        raise Unreadable(Reason.WRONG_TYPE, f"{what}: received {text!r}, allowed: 16 hex digits")
    return text
