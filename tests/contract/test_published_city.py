"""Published and captured payloads of city platforms and cameras, read where they lie, come out right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Decoded, Message, Rejected
from connectors.codecs import load_codecs
from connectors.governance.event import schema
from schemas.quarantine import Reason

ROOT = Path(__file__).resolve().parents[2]
PAYLOADS = ROOT.parent / "shared" / "data" / "payloads"


def decoded(codec: str, name: str, address: str = "/x", **options: Any) -> Decoded | Rejected:
    path = PAYLOADS / name
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    return load_codecs([codec], {codec: options})[codec].decode(Message(path.read_bytes(), address, 0), {})


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


def test_a_heart_rate_of_the_hl7_examples() -> None:
    result = decoded("fhir", "fhir_r4_heart_rate.json", zone="UTC")
    assert said(result) == [("care.vitals.heart_rate", 44.0)]


def test_the_schema_of_governance_events_is_fresh() -> None:
    written = (ROOT / "connectors" / "governance" / "schema.json").read_text(encoding="utf-8")
    assert json.loads(written) == json.loads(json.dumps(schema()))
