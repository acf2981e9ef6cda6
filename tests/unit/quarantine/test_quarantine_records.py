"""Quarantined records: what is shown, what is picked, which way each goes back."""

from datetime import UTC, datetime

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from connectors.privacy.keys import create_keys, read_keys
from connectors.privacy.seal import seal
from schemas.errors import SettingsError
from schemas.quarantine import Quarantined, Reason
from taishi.cli.quarantine import quarantine
from taishi.quarantine.records import (
    Position,
    Route,
    Selection,
    excerpt,
    explained,
    held,
    opened,
    parse_since,
    route,
)
from taishi.quarantine.resend import Outcome, content_type, judge

NOW = datetime(2025, 11, 23, 4, 30, tzinfo=UTC)


def refused(source="http.hikvision", address="/hikvision", payload=b"<x/>", reason=Reason.MALFORMED):
    return Quarantined(
        reason=reason, detail="d", source=source, address=address, received_at_ms=1, payload=payload
    )


def record(offset=0, at_ms=1000, **given):
    what = refused(**given)
    return held(Position(0, offset), at_ms, what.headers(), what.payload)


def test_a_record_comes_back_as_it_was_written():
    assert record(payload=b"\xff\x00").what == refused(payload=b"\xff\x00")


@given(st.binary(max_size=300), st.text(max_size=50), st.text(max_size=50))
def test_any_bytes_and_words_come_back(payload, detail, address):
    what = Quarantined(
        reason=Reason.ENCODING, detail=detail, source="s", address=address, received_at_ms=5, payload=payload
    )
    assert held(Position(0, 0), 1, what.headers(), payload).what == what


def test_a_sealed_detail_opens_with_the_keys_and_says_nothing_without(tmp_path):
    create_keys(tmp_path / "keys")
    keys = read_keys(tmp_path / "keys")
    what = msgspec.structs.replace(
        refused(), detail="", payload=seal(keys, b"<x/>"), sealed=True, sealed_detail=seal(keys, b"d")
    )
    found = held(Position(0, 0), 1000, what.headers(), what.payload)
    assert found.what == what
    assert explained(found, None) == found
    told = explained(found, keys)
    assert (told.what.detail, told.what.payload, told.what.sealed) == ("d", what.payload, True)
    assert opened(found, keys).what == refused()
    assert opened(found, None).what.detail == "(no keys file on this machine)"


def test_a_record_with_foreign_headers_is_still_shown():
    found = held(Position(0, 3), 1, [("reason", b"gremlins"), ("detail", None)], b"x")
    assert "gremlins" in found.facts()["detail"]


def test_an_excerpt_is_short_printable_and_says_how_much_there_is():
    assert excerpt("车位 ok".encode()) == "车位 ok"
    assert excerpt(b"\x1b[31mred\x00\xff") == ".[31mred.."
    assert excerpt(b"a" * 10_000_000) == "a" * 200 + " … (10000000 bytes)"


@given(st.binary())
def test_an_excerpt_never_holds_what_a_terminal_obeys(payload):
    assert excerpt(payload).isprintable()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30m", "2025-11-23T04:00:00+00:00"),
        ("7d", "2025-11-16T04:30:00+00:00"),
        ("2025-11-23T12:00:00+08:00", "2025-11-23T04:00:00+00:00"),
        ("2025-11-23", "2025-11-23T00:00:00+00:00"),
    ],
)
def test_since_is_ago_or_a_moment(text, expected):
    assert parse_since(text, NOW) == datetime.fromisoformat(expected).timestamp() * 1000


@pytest.mark.parametrize("text", ["", "yesterday", "5 m", "-5m", "2025-13-01"])
def test_since_refuses_anything_else_by_name(text):
    with pytest.raises(SettingsError, match="allowed: 30m"):
        parse_since(text, NOW)


@pytest.mark.parametrize("text", ["", "7", "a:b", "0:-1", "0:1:2"])
def test_a_position_is_partition_and_offset(text):
    with pytest.raises(SettingsError, match="PARTITION:OFFSET"):
        Position.parse(text)


def test_a_selection_takes_what_fits_all_of_it():
    wanted = Selection(Reason.FUTURE, "mqtt.chirpstack", 500)
    fits = record(source="mqtt.chirpstack", reason=Reason.FUTURE)
    assert wanted.takes(fits)
    assert Selection().takes(fits)
    assert not wanted.takes(record(source="mqtt.chirpstack"))
    assert not wanted.takes(record(reason=Reason.FUTURE))
    assert not wanted.takes(record(source="mqtt.chirpstack", reason=Reason.FUTURE, at_ms=499))


@pytest.mark.parametrize(
    ("source", "address", "expected"),
    [
        ("http.hikvision", "/hikvision", Route("http", "/hikvision")),
        (
            "mqtt.chirpstack",
            "application/1/device/ab/event/up",
            Route("mqtt", "application/1/device/ab/event/up"),
        ),
        ("mqtt.chirpstack", "readings.parking/2:1234", Route("log", "readings.parking", 2)),
    ],
)
def test_a_record_goes_back_the_way_it_came(source, address, expected):
    assert route(refused(source, address)) == expected


@pytest.mark.parametrize(
    ("source", "address", "why"),
    [
        ("file.tihm", "Physiology.csv:17", "taishi replay"),
        ("mqtt.chirpstack", "application/+/up", "no way back"),
        ("", "", "no way back"),
    ],
)
def test_a_record_without_a_way_back_says_why(source, address, why):
    assert why in route(refused(source, address))


@pytest.mark.parametrize("source", ["sip.gb28181", "tcp.gb26875", "poll.hikvision"])
def test_what_came_by_a_door_for_devices_goes_by_http_where_its_codec_has_a_path(source):
    codec = source.partition(".")[2]
    assert route(refused(source, "udp:10.2.0.7"), {codec: "/there"}) == Route("http", "/there")
    assert "no way back" in route(refused(source, "udp:10.2.0.7"), {"other": "/there"})


def test_a_sealed_record_has_no_way_back():
    sealed = msgspec.structs.replace(refused("http.fhir", "/fhir"), sealed=True, detail="key 1 is gone")
    assert route(sealed) == "sealed: key 1 is gone"


def test_an_acknowledged_message_that_stands_in_quarantine_again_was_not_accepted():
    first, second = record(0, payload=b"same"), record(1, payload=b"same")
    accepted = [(r, Outcome(str(r.position), "accepted", "")) for r in (first, second)]
    again = [record(9, payload=b"same", reason=Reason.WRONG_TYPE)]
    assert [o.result for o in judge(accepted, again)] == ["quarantined", "accepted"]
    assert [o.result for o in judge(accepted, [])] == ["accepted", "accepted"]


def test_a_refusal_stays_a_refusal():
    outcome = Outcome("0:0", "refused", "HTTP 413")
    assert list(judge([(record(), outcome)], [record(9)])) == [outcome]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [(b" <a/>", "application/xml"), (b"[1]", "application/json"), (b"", "application/octet-stream")],
)
def test_the_content_type_follows_the_first_byte(payload, expected):
    assert content_type(payload) == expected


@pytest.mark.parametrize(
    "arguments", [["replay"], ["replay", "0:1", "--reason", "future"], ["list", "--reason", "x"]]
)
def test_misuse_exits_with_2(arguments):
    assert CliRunner().invoke(quarantine, arguments).exit_code == 2
