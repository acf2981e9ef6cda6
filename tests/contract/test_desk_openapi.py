"""The desk's API keeps to its own OpenAPI document, whatever is asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from operations.scenarios.parking import ParkingNow, Spaces
from operations.scenarios.photos import Photos
from tests.contract.desk_client import GRID, NOW, Served, served

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("desk")
    spaces = ParkingNow(at_ms=NOW, simulated=True, now={GRID: Spaces(10, 1, 0)}, before={})
    has = {"photos": Photos(folder / "photos", 1000), "parking": lambda: spaces, "identify": {}.get}
    with served(f"sqlite:///{folder / 'desk.db'}", **has) as made:
        made.enter("everybody", "shift_leader", "administrator", "care_worker")
        made.raise_alert()
        made.open_case("signal.smoke")
        yield made


@pytest.fixture(scope="module")
def token(desk: Served) -> dict[str, str]:
    return desk.token("everybody")


def test_whatever_is_asked_the_answer_is_one_that_the_document_names(desk, token):
    """Without the stream, which never ends, and a new password, which ends the session."""
    found = schemathesis.openapi.from_url(f"{desk.client.base_url}/api/openapi.json")
    asked = 0
    for result in found.exclude(path=["/api/events", "/api/me/password"]).get_all_operations():
        operation = result.ok()

        @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def holds(case):
            headers = {} if case.operation.path == "/api/session" else token
            case.validate_response(case.call(headers=headers), checks=CHECKS)

        holds()
        asked += 1
    assert asked >= 30
