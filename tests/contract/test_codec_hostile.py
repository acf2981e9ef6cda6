"""Whatever comes in, a codec answers `Decoded` or `Rejected` with a reason of the list, and never raises."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Decoded, Device, Message, Rejected
from connectors.codecs import codec_names, load_codecs
from connectors.judge import judge
from connectors.lorawan.frame import Frame, decode_frame, frame_models
from connectors.resolve import Resolver
from schemas.kinds import KINDS
from schemas.quarantine import Reason

ROOT = Path(__file__).resolve().parents[2]
PAYLOADS = ROOT.parent / "shared" / "data" / "payloads"
CODECS = load_codecs(codec_names(), {"fiware": {"crs": "WGS-84"}})
SAMPLES = {name: next((ROOT / "connectors" / name).glob("sample.*")).read_bytes() for name in CODECS}
ADDRESSES = {"zigbee2mqtt": "zigbee2mqtt/d"}
GRID = "370202001001001"
HOSTILE_TEXTS = (
    *(
        "",
        " ",
        "\x00",
        "\n",
        "'; DROP TABLE readings; --",
        "a,b=c d\ne",
        "../../etc/passwd",
        "${jndi:ldap://x}",
    ),
    *("\u202e反", "🚗" * 100, "é", "x" * 100_000, "<script>", "%s%n", "NaN", "1e999", "null"),
)
HOSTILE_VALUES: tuple[Any, ...] = (
    *(None, True, [], {}, [[]], [None], -1, 2**63, 10**400, 1e308, -0.0, 1.5, {"value": {}}),
    *HOSTILE_TEXTS,
)
RAW = (
    *(b"", b" ", b"\x00", b"null", b"true", b"[]", b"{}", b"[{}]", b"[[[]]]", b'"text"', b"0"),
    *(b"NaN", b"-Infinity"),
    *(b"\xff\xfe\x00", b"\xef\xbb\xbf{}", "中文".encode("gb18030"), b'{"a":"\xff"}', b'{"device":"\\ud800"}'),
    *(b"[" * 10_000, b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
    *(b"<a>" * 10_000 + b"</a>" * 10_000, b"<", b"<a", b"<a></b>", b"<?xml version='1.0' encoding='x'?><a/>"),
    b"<EventNotificationAlert>" + b"<a>" * 10_000 + b"</a>" * 10_000 + b"</EventNotificationAlert>",
    b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]><EventNotificationAlert>&b;"
    b"</EventNotificationAlert>",
    b"<?xml version='1.0' encoding='gb2312'?><EventNotificationAlert>\xff\xff</EventNotificationAlert>",
    *(b"--b", b"--b\r\n\r\n", b"--b\n\n" * 1000, b"--b\nContent-Length: 999999999\n\n<a/>", b"--\n\n\n\n<"),
    b"x" * 1_000_000,
    json.dumps([{"device": "d"}] * 10_001).encode(),
)  # fmt: skip


class AnyDevice:
    """Every id is registered, with the kind and model it is asked to be."""

    def __init__(self, kind: str = "care.emergency", model: str = "milesight.vs373") -> None:
        self._kind, self._model = kind, model

    def get(self, device: str) -> Device | None:
        return Device(device, self._model, self._kind, GRID, None, "person-1", None, simulated=False)


class Nowhere:
    def locate(self, lon: float, lat: float) -> str | None:
        return GRID if 120 < lon < 121 and 36 < lat < 37 else None

    def has_grid(self, code: str) -> bool:
        return code == GRID


def holds(
    codec: str, payload: bytes, devices: AnyDevice | None = None, *, address: str | None = None
) -> None:
    """The codec answers, and what it answers becomes records that can be written."""
    devices = devices or AnyDevice()
    message = Message(payload, address or ADDRESSES.get(codec, "/x"), 1_795_392_000_000)
    result = CODECS[codec].decode(message, devices)
    check(result)
    verdict = judge(message, result, f"test.{codec}", Resolver(devices, Nowhere()))
    assert all(record.key.isprintable() and isinstance(record.value, bytes) for record in verdict.records)


def check(result: Decoded | Rejected) -> None:
    rejected = (result,) if isinstance(result, Rejected) else result.rejected
    assert isinstance(result, Decoded | Rejected)
    assert all(type(item.reason) is Reason and item.detail for item in rejected)
    assert all(len(item.detail) < 5_000 for item in rejected)


def places_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(at for key, each in inner for at in places_of(each, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


def without(value: Any, path: tuple[Any, ...]) -> Any:
    copy = value.copy()
    if len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = without(value[path[0]], path[1:])
    return copy


@pytest.mark.parametrize("payload", RAW, ids=lambda payload: repr(payload[:24]))
@pytest.mark.parametrize("codec", CODECS)
def test_raw_bytes(codec: str, payload: bytes) -> None:
    holds(codec, payload)


@pytest.mark.parametrize("codec", [name for name in CODECS if SAMPLES[name].lstrip()[:1] == b"{"])
def test_every_field_hostile_or_missing(codec: str) -> None:
    sample = json.loads(SAMPLES[codec])
    for path in places_of(sample):
        for value in HOSTILE_VALUES:
            holds(codec, json.dumps(put(sample, path, value)).encode())
        if path:
            holds(codec, json.dumps(without(sample, path)).encode())


def test_every_element_of_an_xml_event_hostile_or_missing() -> None:
    text = SAMPLES["hikvision"].decode()
    said = ("00:00:5e:00:53:01", ">1<", "2026-11-23T08:00:00+08:00", "fielddetection", "active<", ">3<")
    for each in said:
        for hostile in HOSTILE_TEXTS:
            holds("hikvision", text.replace(each, each.replace(each.strip("<>"), hostile)).encode())
    for tag in ("macAddress", "channelID", "dateTime", "eventType", "regionID", "DetectionRegionList"):
        holds("hikvision", text.replace(f"<{tag}>", f"<x{tag}>").replace(f"</{tag}>", f"</x{tag}>").encode())


@pytest.mark.parametrize("kind", KINDS)
def test_zigbee_states_of_every_kind(kind: str) -> None:
    names = (
        "contact",
        "occupancy",
        "presence",
        "temperature",
        "smoke",
        "gas",
        "action",
        "fall_down_status",
        "last_seen",
    )
    for name in names:
        for value in HOSTILE_VALUES:
            holds("zigbee2mqtt", json.dumps({name: value}).encode(), AnyDevice(kind))


@pytest.mark.parametrize("address", ["", "/", "zigbee2mqtt", "zigbee2mqtt/", "a/\x00/b", "中文/" * 1000])
@pytest.mark.parametrize("codec", CODECS)
def test_addresses(codec: str, address: str) -> None:
    holds(codec, SAMPLES[codec], address=address)


@pytest.mark.parametrize("codec", CODECS)
def test_a_sample_cut_anywhere(codec: str) -> None:
    for end in range(len(SAMPLES[codec])):
        holds(codec, SAMPLES[codec][:end])


@pytest.mark.parametrize("model", frame_models())
@given(data=st.binary(max_size=60), port=st.integers(0, 300))
@settings(max_examples=300, deadline=None)
def test_frames(model: str, data: bytes, port: int) -> None:
    check(decode_frame(model, Frame("0004a30b001c0001", port, data, 1_795_392_000_000)))
    up = {
        "deviceInfo": {"devEui": "0004a30b001c0001"},
        "time": "2026-11-23T00:00:00Z",
        "fPort": port,
        "data": base64.b64encode(data).decode(),
    }
    holds("chirpstack", json.dumps(up).encode(), AnyDevice(model=model))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize("codec", [name for name in CODECS if SAMPLES[name].lstrip()[:1] == b"{"])
@given(data=st.data(), value=_JSON)
@settings(max_examples=100, deadline=None)
def test_any_json_anywhere(codec: str, data: st.DataObject, value: Any) -> None:
    sample = json.loads(SAMPLES[codec])
    path = data.draw(st.sampled_from(places_of(sample)))
    holds(codec, json.dumps(put(sample, path, value)).encode())


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="no ../shared/data/payloads beside the repository")
def test_recorded_payloads_of_every_format_through_every_codec() -> None:
    files = [path for path in PAYLOADS.iterdir() if path.suffix in {".json", ".xml", ".hex"}]
    assert files
    for codec in CODECS:
        for path in files:
            holds(codec, path.read_bytes())


RECORDED = {
    "hikvision_access_controller.json": ("hikvision", 1, None),
    "hikvision_anpr.xml": ("hikvision", 1, None),
    "hikvision_peoplecounting.xml": ("hikvision", 0, None),
    "fhir_r4_heart_rate.json": ("fhir", 0, Reason.BAD_TIME),
    "fiware_offstreetparking_keyvalues.json": ("fiware", 0, Reason.BAD_TIME),
    "fiware_alert_keyvalues.json": ("fiware", 0, Reason.UNSUPPORTED),
    "chirpstack_v4_up.json": ("chirpstack", 1, None),
    "chirpstack_v4_status.json": ("chirpstack", 0, None),
}


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="no ../shared/data/payloads beside the repository")
def test_recorded_payloads_mean_what_they_say(name: str) -> None:
    codec, readings, reason = RECORDED[name]
    message = Message((PAYLOADS / name).read_bytes(), "/x", 1_795_392_000_000)
    result = CODECS[codec].decode(message, AnyDevice(model="bosch.tps110"))
    if reason is not None:
        assert isinstance(result, Rejected)
        assert result.reason is reason
    else:
        assert isinstance(result, Decoded)
        assert len(result.observations) == readings
