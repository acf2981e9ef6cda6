"""Hikvision ISAPI notifications: XML of cameras, JSON of access controllers (structure of real captures).

Names and card numbers are as made up as the rest; they are there because real ones are, and must
not get past the connector.
"""

from __future__ import annotations

import json
from typing import Final

from simulation.events import Event
from simulation.vendors.outgoing import Outgoing, iso_local

__all__ = ["encode"]

_SUB_EVENTS: Final = {"granted": 75, "denied": 9, "held_open": 81, "forced": 82}
_MAJOR: Final = 5
_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<EventNotificationAlert version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">'
    "<macAddress>{mac}</macAddress><channelID>{channel}</channelID><dateTime>{time}</dateTime>"
    "<activePostCount>1</activePostCount><eventType>{type}</eventType><eventState>active</eventState>"
)
_REGION: Final = (
    "<DetectionRegionList><DetectionRegionEntry><regionID>1</regionID><sensitivityLevel>50</sensitivityLevel>"
    "<detectionTarget>human</detectionTarget></DetectionRegionEntry></DetectionRegionList>"
)
_PEOPLE: Final = (
    "<peopleCounting><statisticalMethods>timeRange</statisticalMethods><TimeRange>"
    "<startTime>{start}</startTime><endTime>{time}</endTime></TimeRange>"
    "<enter>{entered}</enter><exit>{left}</exit></peopleCounting>"
)
_COUNT_MS: Final = 60_000


def encode(event: Event, number: int) -> Outgoing:
    """One notification."""
    if event.what in _SUB_EVENTS:
        return Outgoing("http", "hikvision", "/hikvision", _access(event, number))
    return Outgoing("http", "hikvision", "/hikvision", _camera(event), "application/xml")


def _access(event: Event, number: int) -> bytes:
    mac, channel = event.device.name.split("/")
    alert = {
        "macAddress": mac,
        "channelID": int(channel),
        "dateTime": iso_local(event.time_ms),
        "activePostCount": 1,
        "eventType": "AccessControllerEvent",
        "eventState": "active",
        "AccessControllerEvent": {
            "majorEventType": _MAJOR,
            "subEventType": _SUB_EVENTS[event.what],
            "doorNo": 1,
            "cardNo": f"{number % 100_000:010d}",
            "name": "模拟居民",
            "employeeNoString": f"{number % 1000:03d}",
            "serialNo": number,
        },
    }
    return json.dumps(alert, ensure_ascii=False).encode()


def _camera(event: Event) -> bytes:
    mac, channel = event.device.name.split("/")
    time = iso_local(event.time_ms)
    kind = "PeopleCounting" if event.what == "people" else event.what
    text = _HEAD.format(mac=mac, channel=channel, time=time, type=kind)
    if event.what == "people":
        start = iso_local(event.time_ms - _COUNT_MS)
        entered, left = int(event.values["entered"]), int(event.values["left"])
        text += _PEOPLE.format(start=start, time=time, entered=entered, left=left)
    else:
        text += _REGION + "<isDataRetransmission>false</isDataRetransmission>"
    return (text + "</EventNotificationAlert>").encode()
