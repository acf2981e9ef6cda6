"""A LoRaWAN frame, and finding the codec of its device's model.

Raw bytes are decoded here, never a network server's `object`: the same fall radar's differs from one
version of the vendor's script to the next. A new model is a folder with a `decode.py` that names its
`MODEL` (as the registry's column says) and has `decode_frame(frame) -> Decoded | Rejected`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from connectors.base import Decoded, Rejected
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["Frame", "FrameCodec", "answers", "decode_frame", "frame_models", "tlv_blocks"]

_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Frame:
    """One uplink: the device's EUI (lower-case hex), its port, the bytes, its time and frame counter."""

    device: str
    port: int
    data: bytes
    observed_at_ms: int
    seq: int = 0


FrameCodec = Callable[[Frame], Decoded | Rejected]


@cache
def frame_models() -> Mapping[str, FrameCodec]:
    """Every model there is, with its codec."""
    names = sorted(path.parent.name for path in _FOLDER.glob("*/decode.py"))
    modules = [importlib.import_module(f"connectors.lorawan.{name}.decode") for name in names]
    return {module.MODEL: module.decode_frame for module in modules}


def decode_frame(model: str, frame: Frame) -> Decoded | Rejected:
    """What the frame means; `unsupported` for a model without a codec."""
    codec = frame_models().get(model)
    if codec is None:
        detail = received_allowed("registered model", model, frame_models())
        return Rejected(Reason.UNSUPPORTED, detail)
    return codec(frame)


def answers(lengths: Mapping[int, int]) -> dict[bytes, int]:
    """Milesight's answers to downlinks, on both channels, by type: to be passed over, an alarm may follow."""
    return {bytes((channel, kind)): length for kind, length in lengths.items() for channel in (0xFE, 0xFF)}


def tlv_blocks(
    data: bytes, lengths: Mapping[bytes, int]
) -> tuple[list[tuple[bytes, bytes]], tuple[Rejected, ...]]:
    """Milesight's blocks: two bytes of channel and type, then as many bytes as that pair has.

    And what stopped the reading, if anything: `unsupported` for a pair not in `lengths` (what follows
    cannot be told apart), `malformed` for a cut one. What was read before it counts: it may be an alarm.
    """
    blocks: list[tuple[bytes, bytes]] = []
    at = 0
    while at < len(data):
        pair = data[at : at + 2]
        if len(pair) == 2 and pair not in lengths:
            detail = f"channel and type: received {pair.hex(' ')} at byte {at}"
            return blocks, (Rejected(Reason.UNSUPPORTED, detail),)
        end = at + 2 + lengths.get(pair, 0)
        if len(pair) < 2 or end > len(data):
            detail = f"frame: received {len(data)} bytes, cut in the block at {at}"
            return blocks, (Rejected(Reason.MALFORMED, detail),)
        blocks.append((pair, data[at + 2 : end]))
        at = end
    return blocks, ()
