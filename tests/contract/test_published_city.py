"""Published and captured payloads of city platforms and cameras, read where they lie, come out right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Decoded, Device, Message, Rejected
from connectors.codecs import load_codecs
from connectors.governance.event import schema
from schemas.quarantine import Reason

ROOT = Path(__file__).resolve().parents[2]
PAYLOADS = ROOT.parent / "shared" / "data" / "payloads"


def published(name: str) -> bytes:
    path = PAYLOADS / name
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    return path.read_bytes()


def decoded(codec: str, name: str, address: str = "/x", **options: Any) -> Decoded | Rejected:
    return load_codecs([codec], {codec: options})[codec].decode(Message(published(name), address, 0), {})


def said(result: Decoded | Rejected) -> list[tuple[str, float]]:
    assert isinstance(result, Decoded), result
    return [(f"{o.kind}.{o.metric}", o.value) for o in result.observations]


def test_an_update_of_an_object_that_was_counted_counts_nothing() -> None:
    assert said(decoded("frigate", "frigate_events.json", "frigate/events")) == []


def test_a_review_that_rose_to_an_alert_is_an_intrusion_from_its_start() -> None:
    result = decoded("frigate", "frigate_reviews.json", "frigate/reviews")
    assert said(result) == [("security.intrusion.intrusion", 1.0)]
    assert isinstance(result, Decoded)
    (signal,) = result.signals
    assert (signal.device, signal.alarm) == ("front_cam", "1718987129.308396-fqk5ka")
    assert signal.observed_at_ms == 1_718_987_129_308
    assert "Bob" not in repr(result)


def test_a_parking_spot_in_normalized_form() -> None:
    result = decoded("fiware", "fiware_parkingspot_normalized.json", zone="Europe/Madrid")
    assert [key for key, _ in said(result)] == ["parking.space.occupied"]


def test_a_car_park_in_key_values() -> None:
    keys = [key for key, _ in said(decoded("fiware", "fiware_offstreetparking_keyvalues.json", zone="UTC"))]
    assert keys
    assert set(keys) <= {"parking.lot.occupied", "parking.lot.capacity"}


def test_an_alert_of_traffic_is_kept_in_quarantine_with_its_reason() -> None:
    result = decoded("fiware", "fiware_alert_keyvalues.json")
    assert isinstance(result, Rejected)
    assert result.reason is Reason.UNSUPPORTED
    assert "trafficJam" in result.detail


def test_an_entity_of_another_model_in_a_notification_is_named_with_its_place_in_it() -> None:
    result = decoded("fiware", "ngsi_ld_notification.json", crs="WGS-84")
    assert said(result) == []
    assert isinstance(result, Decoded)
    (rejected,) = result.rejected
    assert rejected.reason is Reason.UNSUPPORTED
    assert rejected.detail.startswith("[0] ")
    assert "Animal" in rejected.detail


@pytest.mark.parametrize(
    ("friendly", "kind", "expected", "signals"),
    [
        ("door_01", "security.intrusion", [("security.intrusion.motion", 1.0)], []),
        ("sos_01", "care.emergency", [("care.emergency.sos", 1.0)], ["sos"]),
        ("radar_01", "care.emergency", [], []),  # maybe_fall calls nobody
        ("bed_01", "care.bed", [("care.bed.in_bed", 1.0)], []),
    ],
)
def test_states_of_zigbee_devices(
    friendly: str, kind: str, expected: list[tuple[str, float]], signals: list[str]
) -> None:
    states = json.loads(published("zigbee2mqtt_states.json"))
    (state,) = (value for topic, value in states.items() if topic.startswith(f"zigbee2mqtt/{friendly} "))
    message = Message(json.dumps(state).encode(), f"zigbee2mqtt/{friendly}", 1_795_392_000_000)
    device = Device(friendly, "", kind, "", None, "", None, False)
    result = load_codecs(["zigbee2mqtt"], {})["zigbee2mqtt"].decode(message, {friendly: device})
    assert said(result) == expected
    assert isinstance(result, Decoded)
    assert [signal.type for signal in result.signals] == signals


def test_a_heart_rate_of_the_hl7_examples() -> None:
    result = decoded("fhir", "fhir_r4_heart_rate.json", zone="UTC")
    assert said(result) == [("care.vitals.heart_rate", 44.0)]


def test_the_schema_of_governance_events_is_fresh() -> None:
    written = (ROOT / "connectors" / "governance" / "schema.json").read_text(encoding="utf-8")
    assert json.loads(written) == json.loads(json.dumps(schema()))
