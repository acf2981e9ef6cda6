"""Frames of GB/T 26875.3 in a byte stream, as pure functions: what is a frame, what noise, what not over yet.

`40 40` serial LE16, version 2, time `ss mm hh DD MM YY`, source 6, destination 6, ADU length LE16, command 1,
ADU, sum of all bytes from serial to the end of the ADU modulo 256, `23 23`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

__all__ = ["ADU_MAX", "FRAME_MAX", "SEND_DATA", "Frame", "Split", "confirmation", "moment", "parse", "split"]

ADU_MAX: Final = 1024
"""Longest application data unit that is taken; the standard's own bound is unconfirmed."""

SEND_DATA: Final = 2
"""Command of a frame that reports something and wants a confirmation."""

_CONFIRM: Final = 3
_START: Final = b"\x40\x40"
_END: Final = b"\x23\x23"
_HEAD: Final = struct.Struct("<2sHH6s6s6sHB")
_TAIL: Final = 3
FRAME_MAX: Final = _HEAD.size + ADU_MAX + _TAIL
"""Longest frame, in bytes."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame whose length, sum and end are right; `at` are the six bytes of its time."""

    serial: int
    version: int
    at: bytes
    source: bytes
    destination: bytes
    command: int
    adu: bytes


@dataclass(frozen=True, slots=True)
class Split:
    """What a buffer holds: frames in order (right or damaged), bytes of none, what is not over yet.

    A damaged frame has its start, length and end, and a wrong sum.
    """

    frames: tuple[bytes, ...]
    noise: int
    rest: bytes


def split(buffer: bytes) -> Split:
    """Cut frames out of a stream; `rest` is to be put before what comes next, and is at most one frame long.

    Finds its way after garbage: at every `40 40` a frame may begin. One that is not over yet is waited for,
    unless a whole right frame begins after it.
    """
    frames: list[bytes] = []
    noise = at = 0
    while (start := buffer.find(_START, at)) >= 0:
        noise += start - at
        end = _end(buffer, start)
        if end is None:
            later = _next_right(buffer, start + 1)
            if later is None:
                return Split(tuple(frames), noise, buffer[start:])
            noise, at = noise + later - start, later
        elif end < 0:
            noise, at = noise + 1, start + 1
        else:
            frames.append(buffer[start:end])
            at = end
    rest = buffer[-1:] if at < len(buffer) and buffer.endswith(_START[:1]) else b""
    return Split(tuple(frames), noise + len(buffer) - at - len(rest), rest)


def parse(frame: bytes) -> Frame | str:
    """The fields of exactly one frame, or why it is none."""
    if len(frame) < _HEAD.size + _TAIL:
        return f"received {len(frame)} bytes, allowed: at least {_HEAD.size + _TAIL}"
    start, serial, version, at, source, destination, length, command = _HEAD.unpack_from(frame)
    announced = _HEAD.size + length + _TAIL
    if start != _START or not frame.endswith(_END):
        return "received no 40 40 at its start or no 23 23 at its end"
    if length > ADU_MAX:
        return f"ADU length: received {length}, allowed: at most {ADU_MAX}"
    if len(frame) != announced:
        return f"received {len(frame)} bytes, announced: {announced}"
    if not _sum_is_right(frame):
        return f"sum: received 0x{frame[-3]:02x}, allowed: 0x{_sum(frame):02x}"
    return Frame(serial, version, at, source, destination, command, frame[_HEAD.size : -_TAIL])


def confirmation(frame: Frame, now: datetime) -> bytes:
    """The frame that says this one was taken: command 3, same serial and version, no ADU; `now` is local."""
    at = bytes((now.second, now.minute, now.hour, now.day, now.month, now.year % 100))
    head = _HEAD.pack(_START, frame.serial, frame.version, at, frame.destination, frame.source, 0, _CONFIRM)
    return head + bytes((sum(head[2:]) % 256,)) + _END


def moment(at: bytes, zone: tzinfo | None) -> datetime | None:
    """`ss mm hh DD MM YY` of this century, None where it is no moment (zeros: no clock)."""
    second, minute, hour, day, month, year = at
    try:
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None


def _end(buffer: bytes, start: int) -> int | None:
    """Where the frame at `start` ends; -1 if it is none, None if that cannot be told yet."""
    if len(buffer) < start + _HEAD.size:
        return None
    length = int.from_bytes(buffer[start + _HEAD.size - 3 : start + _HEAD.size - 1], "little")
    if length > ADU_MAX:
        return -1
    end = start + _HEAD.size + length + _TAIL
    if len(buffer) < end:
        return None
    return end if buffer[end - 2 : end] == _END else -1


def _next_right(buffer: bytes, at: int) -> int | None:
    """Where the next whole frame with a right sum begins."""
    while (start := buffer.find(_START, at)) >= 0:
        end = _end(buffer, start)
        if end is not None and end > 0 and _sum_is_right(buffer[start:end]):
            return start
        at = start + 1
    return None


def _sum(frame: bytes) -> int:
    return sum(frame[2:-_TAIL]) % 256


def _sum_is_right(frame: bytes) -> bool:
    return _sum(frame) == frame[-_TAIL]
