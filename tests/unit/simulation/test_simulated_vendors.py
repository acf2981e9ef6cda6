"""Every event of the city, encoded as its vendor does and read back by the real codec, value by value."""

import dataclasses

import msgspec
import pytest

from connectors.base import Decoded, Message, Rejected
from connectors.codecs import load_codecs
from connectors.registry import DeviceRegistry
from schemas.places.synthetic import synthetic_layer
from simulation.city import make_city, registry_csv
from simulation.events import Event
from simulation.vendors import encode

CITY = make_city(synthetic_layer().codes, 1_000, 370202)
NOW_MS = 1_795_395_600_123
HOME = CITY.homes[0]
COUNT = {"entered": 7, "left": 4}
AIR = {"temperature": 21.5, "humidity": 48.0}

EVENTS = [
    (CITY.spaces[0], "startup", {"occupied": 1.0}, {"parking.space.occupied": 1.0}),
    (CITY.spaces[0], "status", {"occupied": 0.0}, {"parking.space.occupied": 0.0}),
    (CITY.spaces[0], "heartbeat", {"occupied": 1.0, "temperature_c": -5.0}, {"parking.space.occupied": 1.0}),
    (CITY.lots[0], "report", {"occupied": 30, "capacity": 40},
     {"parking.lot.occupied": 30.0, "parking.lot.capacity": 40.0}),
    (HOME[0], "motion", {}, {"care.activity.motion": 1.0}),
    (HOME[-1], "motion", {}, {"care.activity.motion": 1.0}),
    (CITY.beds[0], "room", {"in_bed": 1.0}, {"care.bed.in_bed": 1.0}),
    (CITY.beds[0], "room", {"in_bed": 0.0}, {"care.bed.in_bed": 0.0}),
    (CITY.beds[0], "fall", {}, {"care.emergency.fall": 1.0}),
    (CITY.climates[0], "climate", AIR,
     {"care.environment.temperature": 21.5, "care.environment.humidity": 48.0}),
    (CITY.buttons[0], "sos", {}, {"care.emergency.sos": 1.0}),
    (CITY.wearables[0], "heart_rate", {"value": 71.5}, {"care.vitals.heart_rate": 71.5}),
    (CITY.wearables[0], "spo2", {"value": 97.0}, {"care.vitals.spo2": 97.0}),
    (CITY.wearables[0], "body_temperature", {"value": 36.6}, {"care.vitals.body_temperature": 36.6}),
    (CITY.guards[0], "VMD", {}, {"security.intrusion.motion": 1.0}),
    (CITY.guards[0], "fielddetection", {}, {"security.intrusion.intrusion": 1.0}),
    (CITY.counters[0], "people", COUNT,
     {"security.video_count.entered": 7.0, "security.video_count.left": 4.0}),
    (CITY.doors[0], "granted", {}, {"security.access.granted": 1.0}),
    (CITY.doors[0], "denied", {}, {"security.access.denied": 1.0}),
    (CITY.doors[0], "held_open", {}, {"security.access.held_open": 1.0}),
    (CITY.doors[0], "forced", {}, {"security.access.forced": 1.0}),
    (CITY.smokes[0], "smoke", {"smoke": 1.0}, {"security.fire.smoke": 1.0}),
    (CITY.smokes[0], "smoke", {"smoke": 0.0}, {"security.fire.smoke": 0.0}),
    (CITY.workers[0], "patrolled", {}, {"governance.patrol.patrolled": 1.0}),
    (CITY.workers[0], "reported", {}, {"governance.patrol.reported": 1.0}),
    (CITY.members[0], "station_visit", {}, {"governance.party.station_visit": 1.0}),
    (CITY.members[0], "checked_in", {}, {"governance.party.checked_in": 1.0}),
]  # fmt: skip
NAMES = [f"{device.kind}-{what}-{number}" for number, (device, what, _, _) in enumerate(EVENTS)]


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    path = tmp_path_factory.mktemp("vendors") / "devices.csv"
    path.write_text(registry_csv(CITY), "utf-8")
    return DeviceRegistry(path)


def decode(sent, registry):
    codec = load_codecs([sent.vendor], {})[sent.vendor]
    # Received much later than observed: a codec that took the arrival for the time would show.
    return codec.decode(Message(sent.payload, sent.address, NOW_MS + 3_600_000), registry)


@pytest.mark.parametrize(("device", "what", "values", "expected"), EVENTS, ids=NAMES)
def test_an_event_comes_back_as_what_it_was(device, what, values, expected, registry):
    decoded = decode(encode(Event(device, what, NOW_MS, values), 12_345), registry)
    assert isinstance(decoded, Decoded)
    assert decoded.rejected == ()
    assert {f"{o.kind}.{o.metric}": o.value for o in decoded.observations} == expected
    assert {o.observed_at_ms for o in (*decoded.observations, *decoded.signals)} == {NOW_MS}
    assert {o.device for o in (*decoded.observations, *decoded.signals)} == {device.name}


@pytest.mark.parametrize("what", ["granted", "denied", "held_open", "forced"])
def test_name_card_and_employee_of_a_door_are_sent_and_not_read(what, registry):
    sent = encode(Event(CITY.doors[0], what, NOW_MS), 87_654)
    personal = ("模拟居民", "0000087654", '"654"')
    assert all(text in sent.payload.decode() for text in personal)
    assert not any(text.strip('"') in _without_numbers(decode(sent, registry)) for text in personal)


def _without_numbers(decoded):
    """The serial number is a counter of the device and stays; it is no card's."""
    return repr([msgspec.structs.replace(o, seq=0) for o in decoded.observations] + list(decoded.signals))


@pytest.mark.parametrize(("device", "what", "values", "expected"), EVENTS, ids=NAMES)
def test_a_message_cut_in_the_middle_or_not_text_is_rejected(device, what, values, expected, registry):
    sent = encode(Event(device, what, NOW_MS, values), 1)
    for payload in (sent.payload[: len(sent.payload) // 2], b"\xff\xfe" + sent.payload):
        broken = dataclasses.replace(sent, payload=payload)
        assert isinstance(decode(broken, registry), Rejected)
