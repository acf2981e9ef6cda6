"""No message takes a reader long (T10): what grows faster than its length is found by a bound on the time.

Decoding runs no code of users and waits for nothing, so a message that hangs would have to be one whose
reading is more than linear: a pattern that tries again and again, nesting, a number of many digits.
Decision 0024 says why there is no watchdog beside this.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from connectors.base import Decoded, Message, Rejected
from connectors.cloudevents.event import events_of
from connectors.codecs import codec_names, load_codecs
from connectors.fields import Unreadable
from connectors.hikvision.multipart import event_parts
from connectors.poll.parts import BrokenStream, Parts
from connectors.privacy.mask import mask
from connectors.sip.message import Request, parse, reply_port, user_of
from taishi.quarantine.records import EXCERPT_BYTES
from tests.contract.test_codec_hostile import AnyDevice

CODECS = load_codecs(codec_names(), {"fiware": {"crs": "WGS-84"}})
LIMIT_S = 3.0
"""Of processor time, on a busy machine; what backtracks takes minutes for a message of a mebibyte."""
MIB = 2**20
NOW_MS = 1_795_392_000_000


def cpu_s(run: Callable[[], object]) -> float:
    began_s = time.thread_time()
    run()
    return time.thread_time() - began_s


def filled(piece: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    return before + piece * (MIB // len(piece)) + after


LONG = {
    "brackets": filled(b"["),
    "braces": filled(b'{"a":'),
    "nested and whole": b"[" * (MIB // 2) + b"]" * (MIB // 2),
    "digits": filled(b"9", b'{"device":"d","value":', b"}"),
    "exponent": filled(b"9", b'{"device":"d","value":1e', b"}"),
    "escapes": filled(b'\\"', b'{"device":"', b'"}'),
    "surrogates": filled(b"\\ud800", b'{"device":"', b'"}'),
    "blanks": filled(b" ", b'{"device":', b'"d"}'),
    "same key": filled(b'"device":"d",', b"{", b'"value":1}'),
    "elements": filled(b"<a>", b"<?xml version='1.0'?>"),
    "attributes": filled(b" a='1'", b"<a", b"/>"),
    "declaration": filled(b" encoding", b"<?xml", b"?><a/>"),
    "entities": filled(b"&amp;", b"<a>", b"</a>"),
    "delimiters": filled(b"--b\r\n\r\n<", b"--b\r\n"),
    "part header": filled(b" ", b"--b\r\nContent-Length:", b"x\r\n\r\n<a/>"),
    "array of small": filled(b"{},", b"[", b"{}]"),
}


@pytest.mark.parametrize("payload", LONG.values(), ids=LONG)
@pytest.mark.parametrize("codec", CODECS)
def test_a_codec_reads_a_long_message_in_time(codec: str, payload: bytes) -> None:
    message = Message(payload, f"/{codec}", NOW_MS)

    def decode() -> None:
        assert isinstance(CODECS[codec].decode(message, AnyDevice()), Decoded | Rejected)

    assert cpu_s(decode) < LIMIT_S


HEADS = {
    "type": b"content-type:" + b" " * 8_000 + b"x" * 300,
    "types": (b"content-type:" + b" " * 100 + b"\r\n") * 100,
    "length": b"content-length:" + b" " * 8_000 + b"x",
    "length after blanks": b"content-length" + b"\t " * 4_000 + b": 1x",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_headers_of_a_part_are_read_in_time(head: bytes) -> None:
    stream = b"--b\r\n" + head + b"\r\n\r\n<a/>\r\n--b\r\n"
    assert cpu_s(lambda: list(Parts("b").feed(stream))) < LIMIT_S
    assert cpu_s(lambda: event_parts(stream, "multipart/mixed; boundary=b")) < LIMIT_S


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (b"application/xml", "application/xml"),
        (b" \tapplication/json \t", "application/json"),
        (b"x" * 200, "x" * 200),
        (b"x" * 201, ""),
        (b"", ""),
    ],
)
def test_the_type_of_a_part_is_what_stands_between_blanks(said: bytes, read: str) -> None:
    stream = b"--b\r\nContent-Type:" + said + b"\r\nContent-Length: 4\r\n\r\n<a/>"
    assert list(Parts("b").feed(stream)) == [(read, b"<a/>")]


def test_a_stream_that_never_becomes_a_part_ends() -> None:
    def feed() -> None:
        parts = Parts("b")
        for _ in range(16):
            assert not list(parts.feed(b" " * 1024))
        with pytest.raises(BrokenStream):
            list(parts.feed(b" "))

    assert cpu_s(feed) < LIMIT_S


@pytest.mark.parametrize(
    "via",
    [
        "SIP/2.0/UDP " + " " * 1_900 + "x",
        "SIP/2.0/UDP h;rport" + " " * 900 + "=" + " " * 900 + "x",
        "SIP/2.0/UDP " + "h:" * 900,
        "; rport" * 280 + " x",
    ],
)
def test_a_sip_header_is_read_in_time(via: str) -> None:
    head = f"MESSAGE sip:a@b SIP/2.0\r\nVia: {via}\r\nFrom: {'sip:' * 480}\r\nTo: <sip:a@b>\r\n"
    datagram = f"{head}Call-ID: 1\r\nCSeq: 1 MESSAGE\r\n\r\n".encode()

    def read() -> None:
        request = parse(datagram)
        assert isinstance(request, Request)
        reply_port(request, 5060)
        user_of(request.header("from"))

    assert cpu_s(read) < LIMIT_S


@pytest.mark.parametrize("value", ['"' + '\\"' * 30_000, '"' + "\\" * 60_001, "%" * 60_000])
def test_a_header_of_a_cloudevent_is_read_in_time(value: str) -> None:
    message = Message(b"{}", "/x", NOW_MS, headers=(("ce-type", value), ("ce-specversion", "1.0")))

    def read() -> None:
        with pytest.raises(Unreadable):
            events_of(message)

    assert cpu_s(read) < LIMIT_S


@pytest.mark.parametrize("piece", ["<name ", ' "name":', " name=", '"name":"\\"', "<a:", " name" + " " * 40])
def test_an_excerpt_is_masked_in_time(piece: str) -> None:
    text = piece * (EXCERPT_BYTES // len(piece))
    assert cpu_s(lambda: mask(text, ["name", "phone"])) < LIMIT_S
