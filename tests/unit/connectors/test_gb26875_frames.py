"""Frames in a byte stream: found whole whatever the pieces and the garbage between them."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.gb26875.frame import ADU_MAX, FRAME_MAX, Frame, confirmation, moment, parse, split

HEX = Path(__file__).resolve().parents[4] / "shared" / "data" / "payloads" / "gb26875_frame.hex"
AT = bytes((0, 0, 8, 23, 11, 26))


def frame(adu: bytes, command: int = 2, serial: int = 7) -> bytes:
    head = struct.pack("<2sHH6s6s6sHB", b"@@", serial, 257, AT, b"\1" * 6, b"\2" * 6, len(adu), command) + adu
    return head + bytes((sum(head[2:]) % 256,)) + b"##"


FRAMES = [frame(b"\x02\x00"), frame(b"", 3, 0x4040), frame(bytes(range(100))), frame(b"\x23\x23" * 20)]


def fed(pieces: list[bytes]) -> tuple[list[bytes], int, bytes]:
    """As a connection does it: the rest goes before the next piece."""
    frames, noise, rest = [], 0, b""
    for piece in pieces:
        result = split(rest + piece)
        assert len(result.rest) < FRAME_MAX
        frames += result.frames
        noise += result.noise
        rest = result.rest
    return frames, noise, rest


@pytest.mark.skipif(not HEX.is_file(), reason="no ../shared/data/payloads beside the repository")
def test_a_published_frame_is_read() -> None:
    published = bytes.fromhex(HEX.read_text())
    read = parse(published)
    assert isinstance(read, Frame)
    assert (read.serial, read.command, read.adu[:2]) == (0, 2, b"\x96\x01")
    assert moment(read.at, UTC) == datetime(2019, 7, 25, 14, 34, 15, tzinfo=UTC)
    assert split(published * 2).frames == (published, published)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_frames_are_found_whatever_the_pieces_and_the_garbage(data: st.DataObject) -> None:
    garbage = st.binary(max_size=30).map(lambda raw: raw.replace(b"\x40", b"\x41"))
    sent = data.draw(st.lists(st.sampled_from(FRAMES), max_size=5))
    between = [data.draw(garbage) for _ in range(len(sent) + 1)]
    stream = between[0] + b"".join(each + noise for each, noise in zip(sent, between[1:], strict=True))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    frames, noise, rest = fed(pieces)
    assert frames == sent
    assert noise == sum(map(len, between))
    assert rest == b""


def test_byte_by_byte_gives_the_same() -> None:
    stream = b"garbage" + FRAMES[0] + b"\x00" + FRAMES[2]
    assert fed([bytes((each,)) for each in stream]) == ([FRAMES[0], FRAMES[2]], 8, b"")


@pytest.mark.parametrize(
    "garbage",
    [
        b"@",
        b"@@",
        b"@@@@@@@",
        FRAMES[2][:40],
        FRAMES[2][:-1],
        b"@@" + b"\x00" * 22 + b"\xff\x03" + b"\x02",  # announces 1023 bytes that never come
        b"@@" + b"\xff" * 40,
    ],
)
def test_a_right_frame_is_not_held_back_by_a_wrong_start_before_it(garbage: bytes) -> None:
    frames, noise, rest = fed([garbage, FRAMES[0]])
    assert frames == [FRAMES[0]]
    assert (noise, rest) == (len(garbage), b"")


def test_a_frame_with_a_wrong_sum_is_handed_on_for_quarantine_and_the_next_is_found() -> None:
    damaged = FRAMES[2][:50] + bytes((FRAMES[2][50] ^ 1,)) + FRAMES[2][51:]
    assert split(damaged + FRAMES[0]).frames == (damaged, FRAMES[0])
    assert isinstance(parse(damaged), str)


@given(st.binary(max_size=3_000))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_frames_noise_or_rest_and_nothing_is_lost(stream: bytes) -> None:
    result = split(stream)
    assert sum(map(len, result.frames)) + result.noise + len(result.rest) == len(stream)
    assert len(result.rest) < FRAME_MAX
    assert all(isinstance(parse(each), Frame | str) for each in (*result.frames, stream))


def test_what_is_too_long_is_no_frame() -> None:
    assert split(frame(bytes(ADU_MAX))).frames
    long = frame(bytes(ADU_MAX + 1))
    assert split(long).frames == ()
    assert "1025" in str(parse(long))


def test_the_confirmation_mirrors_serial_and_addresses() -> None:
    read = parse(FRAMES[0])
    assert isinstance(read, Frame)
    said = parse(confirmation(read, datetime(2026, 11, 23, 8, 0, 5, tzinfo=UTC)))
    assert isinstance(said, Frame)
    assert (said.serial, said.version, said.command, said.adu) == (7, 257, 3, b"")
    assert (said.source, said.destination) == (read.destination, read.source)
    assert said.at == bytes((5, 0, 8, 23, 11, 26))
