"""Payloads as devices and vendors published them: Chinese standards, Hikvision; value by value.

They lie beside the repository (../shared/data/payloads) and are not part of it; without them all is skipped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.base import Decoded, Device, Message, Observation, Rejected
from connectors.codecs import load_codecs
from connectors.gb26875.frame import split
from connectors.judge import judge
from connectors.resolve import Resolver
from connectors.sip.manscdp import alarm_response
from schemas.quarantine import Reason

PAYLOADS = Path(__file__).resolve().parents[3] / "shared" / "data" / "payloads"
GRID = "370202001001001"

pytestmark = pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="no ../shared/data/payloads beside the repository"
)


class AnyDevice:
    """Every id is registered."""

    def get(self, device: str) -> Device | None:
        return Device(device, "", "", GRID, None, "", None, simulated=False)


class Places:
    def locate(self, *_point: float) -> str | None:
        return None

    def has_grid(self, *_code: str) -> bool:
        return True


def published(name: str) -> bytes:
    raw = (PAYLOADS / name).read_bytes()
    return bytes.fromhex(raw.decode()) if name.endswith(".hex") else raw


def decoded(codec: str, name: str, **options: Any) -> Decoded | Rejected:
    message = Message(published(name), f"/{codec}", 1_795_392_000_000)
    return load_codecs([codec], {codec: options})[codec].decode(message, AnyDevice())


def only(result: Decoded | Rejected) -> Observation:
    assert isinstance(result, Decoded), result
    assert (result.signals, result.rejected) == ((), ())
    (observation,) = result.observations
    return observation


def test_a_gb28181_alarm_in_gb2312_bytes() -> None:
    assert only(decoded("gb28181", "gb28181_alarm_notify.gb2312.xml")) == Observation(
        "62000000001320000011", "security.intrusion", "motion", 1.0, 1_682_589_718_000, seq=3
    )


def test_a_gb28181_alarm_asks_for_a_response_of_its_own_number() -> None:
    body = alarm_response(published("gb28181_alarm_notify.gb2312.xml"))
    assert body is not None
    assert b"<SN>3</SN>" in body
    assert b"<DeviceID>62000000001320000011</DeviceID>" in body


def test_a_gb26875_vendor_frame_is_kept_as_unsupported() -> None:
    frame = published("gb26875_frame.hex")
    assert split(b"\x00" + frame + b"@").frames == (frame,)
    result = decoded("gb26875", "gb26875_frame.hex")
    assert isinstance(result, Rejected)
    assert result.reason is Reason.UNSUPPORTED
    assert "0x96" in result.detail
    assert decoded("gb26875", "gb26875_frame.hex", uncounted=[0x96]) == Decoded()


def test_a_gat1400_notification_counts_one_vehicle_and_reads_no_plate() -> None:
    seen = only(decoded("gat1400", "gat1400_notification.json"))
    assert (seen.device, seen.metric, seen.observed_at_ms) == ("YAAA104276717", "vehicles", 1_552_132_640_565)


def test_a_hikvision_plate_counts_one_vehicle() -> None:
    seen = only(decoded("hikvision", "hikvision_anpr.xml"))
    assert (seen.device, seen.kind, seen.metric) == (
        "bc:5e:33:62:2a:5c/1",
        "security.video_count",
        "vehicles",
    )
    assert seen.observed_at_ms == 1_691_758_140_000


def test_hikvision_running_totals_are_not_counted() -> None:
    assert decoded("hikvision", "hikvision_peoplecounting.xml") == Decoded()


def test_a_hikvision_access_event_is_granted_and_names_nobody() -> None:
    assert only(decoded("hikvision", "hikvision_access_controller.json")) == Observation(
        "a4:d5:c2:24:dd:74/1", "security.access", "granted", 1.0, 1_761_111_828_000, seq=139
    )


CAPTURED = {
    "gb28181_alarm_notify.gb2312.xml": "gb28181",
    "gb26875_frame.hex": "gb26875",
    "gat1400_notification.json": "gat1400",
    "hikvision_anpr.xml": "hikvision",
    "hikvision_peoplecounting.xml": "hikvision",
    "hikvision_access_controller.json": "hikvision",
}


@pytest.mark.parametrize("name", CAPTURED)
def test_nothing_personal_of_a_capture_leaves_the_codec(name: str) -> None:
    codec = CAPTURED[name]
    result = decoded(codec, name)
    personal = ("TEST001", "鲁B00000", "张三", '"11"', '"001"', "视频动检")
    if isinstance(result, Rejected):
        return  # the original goes to quarantine; what is scrubbed there is the privacy layer's promise
    message = Message(published(name), f"/{codec}", 1_795_392_000_000)
    verdict = judge(message, result, f"test.{codec}", Resolver(AnyDevice(), Places()))
    for record in verdict.records:
        text = record.value.decode()
        assert not [word for word in personal if word in text], record.topic


@pytest.mark.parametrize("name", CAPTURED)
def test_a_capture_cut_anywhere_is_an_answer(name: str) -> None:
    codec = load_codecs([CAPTURED[name]], {})[CAPTURED[name]]
    raw = published(name)
    for end in range(len(raw)):
        result = codec.decode(Message(raw[:end], "/x", 1_795_392_000_000), AnyDevice())
        assert isinstance(result, Decoded | Rejected)
