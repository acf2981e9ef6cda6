"""A multipart stream, however its bytes are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.poll.parts import PART_MAX, BrokenStream, Parts

PICTURE = b"\xff\xd8--edge\r\nContent-Type: text/plain\r\n\r\nnot a part\r\n--edge\xff\xd9"
EVENT = b"<EventNotificationAlert>1</EventNotificationAlert>"


def part(kind: str, body: bytes, *, length: bool = True) -> bytes:
    said = f"Content-Length: {len(body)}\r\n" if length else ""
    return f"--edge\r\nContent-Type: {kind}\r\n{said}\r\n".encode() + body + b"\r\n"


STREAM = part("application/xml", EVENT) + part("image/jpeg", PICTURE) + part("application/json", b"{}")
WANTED = [("application/xml", EVENT), ("image/jpeg", PICTURE), ("application/json", b"{}")]


@given(st.lists(st.integers(1, len(STREAM) - 1), max_size=12))
def test_the_parts_are_the_same_however_the_bytes_are_cut(cuts):
    parts, found, at = Parts("edge"), [], 0
    for cut in [*sorted(cuts), len(STREAM)]:
        found += parts.feed(STREAM[at:cut])
        at = cut
    assert found == WANTED


def test_a_part_without_a_length_ends_where_the_next_begins():
    parts = Parts("edge")
    assert list(parts.feed(part("application/xml", EVENT, length=False))) == []
    assert list(parts.feed(b"--edge\r\n")) == [("application/xml", EVENT)]


def test_a_boundary_that_is_said_with_its_dashes_is_the_same():
    assert list(Parts("--edge").feed(STREAM)) == WANTED


def test_noise_before_the_first_part_is_passed_over():
    assert list(Parts("edge").feed(b"\r\nhello\r\n" + STREAM)) == WANTED


@pytest.mark.parametrize(
    "data",
    [
        b"x" * 20_000,
        b"--edge\r\n" + b"x" * 20_000,
        f"--edge\r\nContent-Length: {PART_MAX + 1}\r\n\r\n".encode(),
    ],
)
def test_what_no_part_can_come_of_ends_the_connection(data):
    with pytest.raises(BrokenStream):
        list(Parts("edge").feed(data))
