"""MQTT's bytes: any stream in any pieces gives the same packets, and what is none ends the connection."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mqtt import packets
from connectors.mqtt.packets import Packets, ProtocolError


def publish(topic: bytes, payload: bytes, packet_id: bytes = b"\x00\x07", first: int = 0x32) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + packet_id + payload
    size = bytearray()
    left = len(body)
    while not size or left:
        left, low = divmod(left, 128)
        size.append(low | (0x80 if left else 0))
    return bytes((first,)) + bytes(size) + body


def read(stream: bytes, *cuts: int) -> list[tuple[int, bytes]]:
    reader, found, at = Packets(), [], 0
    for cut in (*sorted(cuts), len(stream)):
        reader.feed(stream[at:cut])
        found += [(first, bytes(body)) for first, body in reader]
        at = cut
    return found


@given(
    st.lists(st.binary(max_size=300), max_size=8),
    st.lists(st.integers(min_value=0, max_value=3000), max_size=9),
)
def test_a_stream_gives_the_same_packets_however_it_is_cut(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(publish(b"a/b", payload) for payload in payloads) + b"\xd0\x00"
    found = read(stream, *(cut for cut in cuts if cut < len(stream)))
    assert [first >> 4 for first, _ in found] == [packets.PUBLISH] * len(payloads) + [packets.PINGRESP]
    assert [packets.published(*each)[2] for each in found[:-1]] == payloads


@pytest.mark.parametrize("size", [0, 120, 121, 16_376, 16_377, 2_097_144, 2_097_145])
def test_lengths_of_one_to_four_bytes_are_read(size: int) -> None:
    ((first, body),) = read(publish(b"t", b"x" * size), 1, 2, 3, 4, 5)
    assert packets.published(first, bytearray(body)) == (b"t", b"\x00\x07", b"x" * size)


def test_what_is_not_asked_for_yet_is_kept() -> None:
    reader = Packets()
    reader.feed(publish(b"t", b"1") + publish(b"t", b"2"))
    for _first, _body in reader:
        break
    reader.feed(publish(b"t", b"3"))
    assert [packets.published(*each)[2] for each in reader] == [b"2", b"3"]


def test_qos_0_has_no_packet_id() -> None:
    ((first, body),) = read(publish(b"t", b"x", b"", 0x31))
    assert packets.published(first, bytearray(body)) == (b"t", b"", b"x")


@pytest.mark.parametrize(
    ("first", "body"),
    [(0x32, b""), (0x32, b"\x00\x05ab"), (0x32, b"\x00\x01a\x00"), (0x34, b"\x00\x01a\x00\x01")],
)
def test_a_publish_that_is_none_is_an_error(first: int, body: bytes) -> None:
    with pytest.raises(ProtocolError):
        packets.published(first, bytearray(body))


def test_a_length_without_an_end_is_an_error() -> None:
    with pytest.raises(ProtocolError):
        read(b"\x30\xff\xff\xff\xff\x01")


def test_what_we_say_is_what_the_standard_says() -> None:
    assert packets.connect("id", 60) == bytes.fromhex("100e00044d51545404 00 003c 0002") + b"id"
    said = packets.connect("id", 60, "u", "p")
    assert said == bytes.fromhex("101400044d51545404 c0 003c 0002") + b"id\x00\x01u\x00\x01p"
    assert packets.connect("id", 60, "", "p") == packets.connect("id", 60)
    assert packets.subscribe(2, ["a", "b/#"]) == b"\x82\x0c\x00\x02\x00\x01a\x01\x00\x03b/#\x01"
    assert packets.unsubscribe(1, ["a"]) == b"\xa2\x05\x00\x01\x00\x01a"
    assert packets.puback(b"\x00\x07") == b"\x40\x02\x00\x07"
