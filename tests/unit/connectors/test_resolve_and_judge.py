"""From what a message says to records: place, plausibility, identity; and a message that is partly bad."""

from __future__ import annotations

import dataclasses
import json

import msgspec
import pytest
from msgspec.structs import replace

from connectors.base import Decoded, Device, Location, Message, Observation, Rejected, SignalEvent
from connectors.judge import KEPT_BYTES, judge
from connectors.resolve import EARLIEST_MS, Resolver
from schemas.quarantine import Reason
from schemas.readings import Reading, reading_id
from schemas.signals import Signal
from schemas.topics import QUARANTINE, SIGNALS

GRID, NEXT_GRID = "370202001001001", "370202001001002"
AT_MS, RECEIVED_MS = 1_795_392_000_000, 1_795_392_000_500
SEEN = Observation("a", "parking.space", "occupied", 1.0, AT_MS, seq=4)
SOS = SignalEvent("sos", "active", "a", AT_MS, alarm="7")
MESSAGE = Message(b"original \xff", "a/topic", RECEIVED_MS)


class Places:
    def locate(self, lon: float, lat: float) -> str | None:
        return NEXT_GRID if abs(lon - 120.3796) < 1e-5 and abs(lat - 36.0620) < 1e-5 else None

    def has_grid(self, code: str) -> bool:
        return code == GRID


def device(name: str = "a", **changed: object) -> Device:
    return dataclasses.replace(
        Device(name, "", "parking.space", GRID, None, "", None, simulated=True), **changed
    )


def resolver(*devices: Device) -> Resolver:
    return Resolver({each.device: each for each in devices}, Places())


def test_a_registered_device_gives_the_grid_and_the_reading_its_identity() -> None:
    reading = resolver(device(subject="p-1")).reading(SEEN, "mqtt.native", RECEIVED_MS)
    assert isinstance(reading, Reading)
    assert reading.id == reading_id("a", "parking.space", "occupied", AT_MS, 4)
    assert (reading.grid, reading.source, reading.subject, reading.simulated) == (
        GRID,
        "mqtt.native",
        "p-1",
        True,
    )


@pytest.mark.parametrize(
    "location", [Location(120.3796, 36.0620, "WGS-84"), Location(120.384731, 36.062272, "GCJ-02")]
)
def test_a_location_gives_the_grid_in_its_own_datum(location: Location) -> None:
    registered = resolver(device(grid="", location=location)).reading(SEEN, "s.c", RECEIVED_MS)
    said = resolver().reading(replace(SEEN, location=location), "s.c", RECEIVED_MS)
    assert isinstance(registered, Reading)
    assert isinstance(said, Reading)
    assert registered.grid == said.grid == NEXT_GRID


def test_the_registered_place_wins_over_the_messages() -> None:
    seen = replace(SEEN, location=Location(120.3796, 36.0620, "WGS-84"))
    reading = resolver(device()).reading(seen, "s.c", RECEIVED_MS)
    assert isinstance(reading, Reading)
    assert reading.grid == GRID


@pytest.mark.parametrize(
    ("seen", "devices", "reason"),
    [
        (SEEN, (), Reason.UNKNOWN_DEVICE),
        (SEEN, (device(grid="370202001001999"),), Reason.UNKNOWN_PLACE),
        (replace(SEEN, location=Location(0.0, 0.0, "WGS-84")), (), Reason.UNKNOWN_PLACE),
        (replace(SEEN, value=2.0), (device(),), Reason.IMPLAUSIBLE),
        (replace(SEEN, value=float("nan")), (device(),), Reason.IMPLAUSIBLE),
        (replace(SEEN, observed_at_ms=EARLIEST_MS - 1), (device(),), Reason.BAD_TIME),
        (replace(SEEN, observed_at_ms=2**60), (device(),), Reason.BAD_TIME),
        (replace(SEEN, metric="weight"), (device(),), Reason.UNSUPPORTED),
    ],
)
def test_what_cannot_be_taken_says_why(
    seen: Observation, devices: tuple[Device, ...], reason: Reason
) -> None:
    rejected = resolver(*devices).reading(seen, "s.c", RECEIVED_MS)
    assert isinstance(rejected, Rejected)
    assert rejected.reason is reason


def test_a_person_is_known_by_the_pseudonym_only() -> None:
    seen = Observation("Patient/1", "care.vitals", "heart_rate", 70.0, AT_MS, personal=True)
    known = device("Patient/1", kind="care.vitals", subject="p-9")
    verdict = judge(MESSAGE, Decoded((seen,)), "http.fhir", resolver(known))
    (record,) = verdict.records
    assert (json.loads(record.value)["device"], json.loads(record.value)["subject"]) == ("p-9", "p-9")
    assert b"Patient" not in record.value
    for registered in ((), (device("Patient/1", kind="care.vitals"),)):
        rejected = resolver(*registered).reading(seen, "http.fhir", RECEIVED_MS)
        assert isinstance(rejected, Rejected)
        assert rejected.reason is Reason.UNKNOWN_DEVICE
        assert "Patient" not in rejected.detail


def test_signals_go_first_then_readings_keyed_by_grid() -> None:
    verdict = judge(MESSAGE, Decoded((SEEN, SEEN), (SOS,)), "s.c", resolver(device()))
    assert [record.topic for record in verdict.records] == [SIGNALS, "readings.parking", "readings.parking"]
    assert {record.key for record in verdict.records} == {GRID}
    signal = msgspec.json.decode(verdict.records[0].value, type=Signal)
    assert (signal.type, signal.state, signal.alarm, signal.grid) == ("sos", "active", "7", GRID)
    assert (verdict.readings, verdict.signals, verdict.rejected) == (2, 1, None)


def test_of_a_partly_bad_message_the_good_goes_on_and_the_bytes_are_kept_once() -> None:
    bad = replace(SEEN, value=5.0)
    lost = Rejected(Reason.WRONG_TYPE, "[3] value")
    verdict = judge(MESSAGE, Decoded((SEEN, bad, bad), rejected=(lost,)), "s.c", resolver(device()))
    assert [record.topic for record in verdict.records] == ["readings.parking", QUARANTINE]
    kept, headers = verdict.records[1].value, dict(verdict.records[1].headers)
    assert kept == MESSAGE.payload
    assert headers["reason"] == b"wrong_type"
    assert headers["detail"].startswith(b"3 items: wrong_type: [3] value; implausible: ")
    assert (headers["source"], headers["address"]) == (b"s.c", b"a/topic")


def test_too_many_items_are_oversize() -> None:
    verdict = judge(MESSAGE, Decoded((SEEN,) * 10_001), "s.c", resolver(device()))
    assert verdict.rejected is not None
    assert verdict.rejected.reason is Reason.OVERSIZE
    assert len(verdict.records) == 1


def test_an_original_no_record_can_hold_is_cut_and_says_so() -> None:
    huge = Message(bytes(KEPT_BYTES + 1), "a", RECEIVED_MS)
    (record,) = judge(huge, Rejected(Reason.OVERSIZE, "large"), "s.c", resolver()).records
    assert len(record.value) == KEPT_BYTES
    assert b"kept the first" in dict(record.headers)["detail"]
