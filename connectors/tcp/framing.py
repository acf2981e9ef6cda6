"""How a codec's frames stand in a byte stream, and what confirms one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connectors.base import Codec
from connectors.fields import zone_named
from connectors.gb26875 import frame as gb26875
from connectors.gb26875.decode import Gb26875Codec
from schemas.errors import SettingsError, received_allowed

__all__ = ["Framing", "Split", "framing_of"]

Split = gb26875.Split
"""Frames, the number of bytes that belong to none, and the bytes to put before what comes next."""


@dataclass(frozen=True, slots=True)
class Framing:
    """Pure: `split` cuts a buffer, `confirm` gives the bytes that say a frame was taken (b"": none wanted).

    `confirm` is given the moment in milliseconds since 1970 UTC.
    """

    split: Callable[[bytes], Split]
    confirm: Callable[[bytes, int], bytes]


def framing_of(name: str, codec: Codec) -> Framing:
    """The framing of a codec; SettingsError for a codec whose messages do not come over TCP."""
    make = _FRAMINGS.get(name)
    if make is None:
        raise SettingsError(received_allowed("tcp_codec", name, _FRAMINGS))
    return make(codec)


def _gb26875(codec: Codec) -> Framing:
    zone = zone_named(codec.zone) if isinstance(codec, Gb26875Codec) else None

    def confirm(frame: bytes, at_ms: int) -> bytes:
        """Nothing for a damaged frame, so that it is sent again, nor for what reports nothing."""
        parsed = gb26875.parse(frame)
        if isinstance(parsed, str) or parsed.command != gb26875.SEND_DATA:
            return b""
        return gb26875.confirmation(parsed, datetime.fromtimestamp(at_ms / 1000, zone))

    return Framing(gb26875.split, confirm)


_FRAMINGS: Final[Mapping[str, Callable[[Codec], Framing]]] = {"gb26875": _gb26875}
