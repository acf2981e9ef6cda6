"""SIP as pure functions: what is read, what is answered, and that no bytes break either."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sip.manscdp import alarm_response
from connectors.sip.message import (
    Malformed,
    Request,
    Response,
    answer,
    message_to,
    parse,
    reply_port,
    user_of,
)

PEER = ("192.0.2.7", 5080)
BODY = (
    '<?xml version="1.0" encoding="GB2312"?>\r\n<Notify><CmdType>Alarm</CmdType><SN>3</SN>'
    "<DeviceID>37020200001320000011</DeviceID><AlarmMethod>5</AlarmMethod><AlarmDescription>动检"
    "</AlarmDescription></Notify>"
).encode("gb18030")


def message(body: bytes = BODY, head: str = "", **changed: str | None) -> bytes:
    headers: dict[str, str | None] = {
        "Via": "SIP/2.0/UDP 192.0.2.7:5060;rport;branch=z9hG4bK776",
        "From": "<sip:37020200001320000011@3702020000>;tag=a1",
        "To": "<sip:37020200002000000001@3702020000>",
        "Call-ID": "12345@192.0.2.7",
        "CSeq": "20 MESSAGE",
        "Max-Forwards": "70",
        "Content-Type": "Application/MANSCDP+xml",
        "Content-Length": str(len(body)),
    } | {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [head or "MESSAGE sip:37020200002000000001@3702020000 SIP/2.0"]
    lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def request(datagram: bytes) -> Request:
    parsed = parse(datagram)
    assert isinstance(parsed, Request), parsed
    return parsed


def test_a_message_is_read_with_its_body_to_the_byte() -> None:
    read = request(message())
    assert (read.method, read.body, user_of(read.header("from"))) == ("MESSAGE", BODY, "37020200001320000011")


def test_compact_and_folded_headers_are_read_as_the_long_ones() -> None:
    datagram = (
        b"MESSAGE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z\r\nf: <sip:1@b>;\r\n  tag=x\r\n"
        b"t: <sip:2@b>\r\ni: c\r\nCSeq: 1   MESSAGE\r\nl: 2\r\n\r\nhello"
    )
    read = request(datagram)
    assert read.header("from") == "<sip:1@b>; tag=x"
    assert (read.header("call-id"), read.body) == ("c", b"he")


@pytest.mark.parametrize(
    ("datagram", "why"),
    [
        (b"", "empty line"),
        (b"\r\n\r\n\r\n", "empty line"),
        (b"hello\r\n\r\n", "request line"),
        (message(head="MESSAGE sip:a@b SIP/3.0"), "request line"),
        (message(head="message sip:a@b SIP/2.0"), "request line"),
        (message(Via=None), "via"),
        (message(From=None, To=None), "from, to"),
        (message(Call_ID=""), "call-id"),
        (message(CSeq="20 INVITE"), "CSeq"),
        (message(CSeq="x MESSAGE"), "CSeq"),
        (message(Content_Length="99999"), "announced"),
        (message(Content_Length="-1"), "Content-Length"),
        (message(From="<sip:1@b>\x0bInjected: yes"), "no header"),
        (message(**{f"X{number}": "y" for number in range(70)}), "headers"),
        (message(Max_Forwards="7" * 3_000), "no header"),
        (b"SIP/2.0 OK\r\n\r\n", "status"),
    ],
)
def test_what_is_no_message_says_why(datagram: bytes, why: str) -> None:
    parsed = parse(datagram)
    assert isinstance(parsed, Malformed)
    assert why in parsed.why


def test_a_response_to_our_own_request_is_told_apart() -> None:
    assert parse(b"SIP/2.0 200 OK\r\nVia: x\r\n\r\n") == Response(200)


def test_the_answer_mirrors_the_request_and_is_the_same_each_time() -> None:
    read = request(message())
    said = answer(read, "200 OK", PEER)
    assert said == answer(request(message()), "200 OK", PEER)
    lines = said.decode("latin-1").split("\r\n")
    assert lines[0] == "SIP/2.0 200 OK"
    assert "Via: SIP/2.0/UDP 192.0.2.7:5060;rport=5080;received=192.0.2.7;branch=z9hG4bK776" in lines
    assert "From: <sip:37020200001320000011@3702020000>;tag=a1" in lines
    assert any(line.startswith("To: <sip:37020200002000000001@3702020000>;tag=") for line in lines)
    assert {"Call-ID: 12345@192.0.2.7", "CSeq: 20 MESSAGE", "Content-Length: 0"} <= set(lines)


def test_every_via_comes_back_and_only_the_topmost_is_completed() -> None:
    two = message(Via="SIP/2.0/UDP p:5060;branch=z1, SIP/2.0/UDP q;branch=z2")
    said = answer(request(two), "200 OK", PEER).decode()
    assert "Via: SIP/2.0/UDP p:5060;branch=z1;received=192.0.2.7, SIP/2.0/UDP q;branch=z2\r\n" in said


@pytest.mark.parametrize(
    ("via", "port"),
    [
        ("SIP/2.0/UDP 192.0.2.7:5061;branch=z", 5061),
        ("SIP/2.0/UDP 192.0.2.7;branch=z", 5060),
        ("SIP/2.0/UDP 192.0.2.7:5061;rport;branch=z", 5080),
        ("SIP/2.0/UDP 192.0.2.7:5061;rport=9;branch=z", 5080),
        ("SIP/2.0/UDP [2001:db8::1]:5062;branch=z", 5062),
        ("SIP/2.0/UDP 192.0.2.7:99999;branch=z", 5080),
    ],
)
def test_the_answer_goes_to_rport_or_the_port_of_via(via: str, port: int) -> None:
    assert reply_port(request(message(Via=via)), PEER[1]) == port


def test_our_own_message_is_one_that_a_device_can_read() -> None:
    read = request(message())
    body = alarm_response(read.body)
    assert body is not None
    sent = request(message_to(read, body, ("192.0.2.1", 15060), PEER, "0123456789abcdef01234567"))
    assert sent.uri == "sip:37020200001320000011@192.0.2.7:5080"
    assert user_of(sent.header("from")) == "37020200002000000001"
    assert user_of(sent.header("to")) == "37020200001320000011"
    assert "branch=z9hG4bK0123456789abcdef01234567" in sent.header("via")
    assert sent.header("call-id") != read.header("call-id")
    assert sent.body == body
    text = body.decode("gb18030")
    assert "<CmdType>Alarm</CmdType>" in text
    assert "<SN>3</SN>" in text
    assert "<DeviceID>37020200001320000011</DeviceID>" in text
    assert "<Result>OK</Result>" in text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a",
        b"<Notify><CmdType>Keepalive</CmdType><SN>1</SN><DeviceID>1</DeviceID></Notify>",
        b"<Response><CmdType>Alarm</CmdType><SN>1</SN><DeviceID>1</DeviceID></Response>",
        b"<Notify><CmdType>Alarm</CmdType><DeviceID>1</DeviceID></Notify>",
        b"<Notify><CmdType>Alarm</CmdType><SN>" + b"1" * 100 + b"</SN><DeviceID>1</DeviceID></Notify>",
        b"<!DOCTYPE x><Notify/>",
    ],
)
def test_only_an_alarm_asks_for_a_response(body: bytes) -> None:
    assert alarm_response(body) is None


def test_what_a_device_says_cannot_add_elements_to_the_response() -> None:
    body = alarm_response(
        b"<Notify><CmdType>Alarm</CmdType><SN>&lt;x/&gt;</SN><DeviceID>1</DeviceID></Notify>"
    )
    assert body is not None
    assert b"<SN>&lt;x/&gt;</SN>" in body


def answers(datagram: bytes) -> None:
    parsed = parse(datagram)
    if isinstance(parsed, Request):
        said = answer(parsed, "200 OK", PEER)
        assert said.count(b"\r\n\r\n") == 1
        assert 0 < reply_port(parsed, 5080) < 65_536
        again = parse(message_to(parsed, b"x", ("192.0.2.1", 5060), PEER, "0" * 24))
        assert isinstance(again, Request | Malformed)


@given(st.binary(max_size=300))
@settings(max_examples=500, deadline=None)
def test_any_bytes_are_answered_or_malformed(datagram: bytes) -> None:
    answers(datagram)


@given(st.data())
@settings(max_examples=500, deadline=None)
def test_a_message_with_bytes_changed_is_answered_or_malformed(data: st.DataObject) -> None:
    datagram = bytearray(message())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(datagram) - 1))
        datagram[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    answers(bytes(datagram))


_TEXT = st.text(st.characters(min_codepoint=0, max_codepoint=255), max_size=60)


@given(_TEXT, _TEXT, _TEXT, _TEXT)
@settings(max_examples=300, deadline=None)
def test_hostile_headers_begin_no_line_of_an_answer(via: str, sender: str, to: str, call: str) -> None:
    datagram = message(Via=via, From=sender, To=to, Call_ID=call)
    parsed = parse(datagram)
    if isinstance(parsed, Request):
        said = answer(parsed, "200 OK", PEER).decode("latin-1").split("\r\n")
        assert {line.partition(":")[0] for line in said[1:-2]} <= {
            *("Via", "From", "To", "Call-ID", "CSeq", "Content-Length")
        }
