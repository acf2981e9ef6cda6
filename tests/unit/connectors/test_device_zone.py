"""A device's registered zone wins over its codec's option, in every codec whose format knows no offset."""

from __future__ import annotations

import pytest

from connectors.base import Decoded, Message
from connectors.codecs import load_codecs
from connectors.registry import COLUMNS, parse_rows

HIKVISION = (
    b'<EventNotificationAlert version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">'
    b"<macAddress>aa:bb:cc:00:00:01</macAddress><channelID>1</channelID><dateTime>2026-11-23T08:00:00</dateTime>"
    b"<activePostCount>1</activePostCount><eventType>fielddetection</eventType><eventState>active</eventState>"
    b"</EventNotificationAlert>"
)
GB28181 = (
    b"<Notify><CmdType>Alarm</CmdType><SN>1</SN><DeviceID>37020200001320000001</DeviceID>"
    b"<AlarmPriority>1</AlarmPriority><AlarmMethod>5</AlarmMethod><AlarmTime>2026-11-23T08:00:00</AlarmTime>"
    b"<Info><AlarmType>2</AlarmType></Info></Notify>"
)
SHANGHAI_MS = 1_795_392_000_000
URUMQI_MS = SHANGHAI_MS + 2 * 3_600_000


@pytest.mark.parametrize(
    ("codec", "payload", "device"),
    [("hikvision", HIKVISION, "aa:bb:cc:00:00:01/1"), ("gb28181", GB28181, "37020200001320000001")],
)
@pytest.mark.parametrize(("zone", "at_ms"), [("", SHANGHAI_MS), ("Asia/Urumqi", URUMQI_MS)])
def test_a_time_without_offset_is_in_the_devices_zone(
    codec: str, payload: bytes, device: str, zone: str, at_ms: int
) -> None:
    header = ",".join((*COLUMNS, "zone"))
    devices, problems = parse_rows([header, f"{device},,security.intrusion,1,,,,,,false,{zone}"])
    assert problems == ()
    decode = load_codecs([codec], {codec: {"zone": "Asia/Shanghai"}})[codec].decode
    result = decode(Message(payload, "x", 0), devices)
    assert isinstance(result, Decoded), result
    assert {seen.observed_at_ms for seen in result.observations} == {at_ms}
