"""The accept path without Kafka: a log that confirms when the test says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from itertools import count

import httpx
import pytest
from prometheus_client import REGISTRY
from starlette.applications import Starlette

from connectors.base import Decoded, Device, Message, Rejected
from connectors.codecs import load_codecs
from connectors.gateway import Gateway, Limits, Outcome
from connectors.http.app import HttpSettings, application
from connectors.producer import Record
from connectors.resolve import Resolver
from connectors.scorecard import Scorecard
from schemas.errors import SettingsError
from schemas.quarantine import Reason

GRID = "370202001001001"
GOOD = b'{"device":"a","kind":"parking.space","metric":"occupied","value":1,"observed_at_ms":1795392000000}'
NAMES = (f"test{number}" for number in count())


class HeldLog:
    """Keeps what it is given; `confirm` is Kafka's delivery report."""

    def __init__(self, *, at_once: bool = False) -> None:
        self.records: list[Record] = []
        self._waiting: list[Callable[[], None]] = []
        self._at_once = at_once

    def deliver(self, records: Sequence[Record], on_delivered: Callable[[], None]) -> None:
        self.records += records
        self._waiting.append(on_delivered)
        if self._at_once:
            self.confirm()

    def confirm(self) -> None:
        waiting, self._waiting = self._waiting, []
        for on_delivered in waiting:
            on_delivered()


class Places:
    def locate(self, *_point: float) -> str | None:
        return None

    def has_grid(self, *_code: str) -> bool:
        return True


class Broken:
    def decode(self, *_given: object) -> Decoded | Rejected:
        raise ZeroDivisionError


def gateway(
    log: HeldLog, limits: Limits | None = None, scorecard: Scorecard | None = None
) -> tuple[Gateway, str]:
    """A gateway of a transport of its own, so that its counters start at 0."""
    devices = {"a": Device("a", "", "parking.space", GRID, None, "", None, simulated=False)}
    transport = next(NAMES)
    codecs = load_codecs(["native"], {}) | {"broken": Broken()}
    resolver = Resolver(devices, Places())
    made = Gateway(transport, codecs, devices, resolver, log, limits, scorecard=scorecard)  # type: ignore[arg-type]
    return made, f"{transport}.native"


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def message(payload: bytes = GOOD) -> Message:
    return Message(payload, "a/topic", 1_795_392_000_500)


def test_a_message_is_done_when_the_log_has_confirmed_it_and_not_before() -> None:
    log, done = HeldLog(), list[Outcome]()
    door, source = gateway(log)
    door.accept(message(), "native", done.append)
    assert (done, door.in_flight) == ([], 1)
    assert counted("taishi_messages_in_flight", source=source) == 1
    log.confirm()
    assert (done, door.in_flight) == ([Outcome(1, 0, None)], 0)
    received = counted("taishi_messages_received_total", source=source)
    assert received == counted("taishi_messages_acknowledged_total", source=source) == 1
    assert counted("taishi_readings_forwarded_total", source=source) == 1


@pytest.mark.parametrize(
    "limits",
    [Limits(messages=2), Limits(records=2), Limits(payload_bytes=2 * len(GOOD))],
    ids=["messages", "records", "bytes"],
)
def test_in_flight_is_bounded_in_messages_records_and_bytes(limits: Limits) -> None:
    log = HeldLog()
    door, _ = gateway(log, limits)
    for _ in range(2):
        assert door.has_room()
        door.accept(message(), "native", lambda _outcome: None)
    assert not door.has_room()
    log.confirm()
    assert door.has_room()


def test_a_fault_of_our_own_quarantines_one_message_and_stops_nothing() -> None:
    log, done = HeldLog(at_once=True), list[Outcome]()
    door, _ = gateway(log)
    door.accept(message(), "broken", done.append)
    door.accept(message(), "native", done.append)
    assert [outcome.rejected and outcome.rejected.reason for outcome in done] == [Reason.MALFORMED, None]
    assert log.records[0].value == GOOD


class BrokenScorecard(Scorecard):
    def saw(self, *_given: object) -> None:
        raise ZeroDivisionError


def test_a_fault_in_how_good_messages_are_refuses_none() -> None:
    log, done = HeldLog(at_once=True), list[Outcome]()
    door, _ = gateway(log, scorecard=BrokenScorecard(60))
    door.accept(message(), "native", done.append)
    assert done == [Outcome(1, 0, None)]


def test_of_messages_taken_together_each_is_on_the_scorecard_of_its_source() -> None:
    log, told = HeldLog(), list[None]()
    door, source = gateway(log, scorecard=Scorecard(60))
    door.accept_all(
        [(message(), "native"), (message(b"?"), "native"), (message(), "broken")], lambda: told.append(None)
    )
    log.confirm()
    assert told == [None]
    of = {"source": source, "vendor": "unknown"}
    assert counted("taishi_vendor_messages_total", **of) == 2
    assert counted("taishi_vendor_readings_total", **of) == 1
    assert counted("taishi_vendor_quarantined_total", **of, reason=Reason.MALFORMED.value) == 1


def test_a_large_message_is_not_even_decoded() -> None:
    log, done = HeldLog(at_once=True), list[Outcome]()
    door, source = gateway(log, Limits(message_bytes=10))
    door.accept(message(), "native", done.append)
    assert done[0].rejected is not None
    assert done[0].rejected.reason is Reason.OVERSIZE
    assert counted("taishi_quarantined_total", source=source, reason="oversize") == 1


def ask(app: Starlette, *requests: tuple[str, str, object]) -> list[httpx.Response]:
    async def asking() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return [
                await client.request(method, path, content=body)  # type: ignore[arg-type]
                for method, path, body in requests
            ]

    return asyncio.run(asking())


def http_app(log: HeldLog, limits: Limits | None = None, **changed: float) -> tuple[Starlette, str]:
    door, source = gateway(log, limits)
    return application(HttpSettings({"/readings": "native"}, **changed), door), source  # type: ignore[arg-type]


def test_http_answers() -> None:
    app, _ = http_app(HeldLog(at_once=True))
    taken, bad, missing, method, health = ask(
        app,
        ("POST", "/readings", GOOD),
        ("POST", "/readings", b"{"),
        ("POST", "/elsewhere", b""),
        ("GET", "/readings", None),
        ("GET", "/health", None),
    )
    assert (taken.status_code, taken.json()) == (202, {"readings": 1, "signals": 0})
    assert (bad.status_code, bad.json()["reason"]) == (422, "malformed")
    assert (missing.status_code, missing.json()["detail"]) == (
        404,
        "received /elsewhere, allowed: /readings, /health",
    )
    assert (method.status_code, method.headers["allow"]) == (405, "POST")
    assert (health.status_code, health.json()) == (200, {"status": "ok", "in_flight": 0})


def test_http_without_room_or_confirmation_asks_to_send_again() -> None:
    app, source = http_app(HeldLog(), Limits(messages=1), confirm_s=0.05)
    unconfirmed, busy, health = ask(
        app, ("POST", "/readings", GOOD), ("POST", "/readings", GOOD), ("GET", "/health", None)
    )
    for answer, reason in ((unconfirmed, "unconfirmed"), (busy, "busy")):
        assert (answer.status_code, answer.json()["reason"]) == (503, reason)
        assert answer.headers["retry-after"] == "1"
    assert health.status_code == 503
    assert counted("taishi_messages_received_total", source=source) == 2
    assert counted("taishi_refused_total", source=source, reason="busy") == 1
    assert counted("taishi_messages_in_flight", source=source) == 1


def test_http_stops_reading_a_large_body_whatever_its_length_header_says() -> None:
    read = 0

    async def chunks():
        nonlocal read
        for _ in range(100):
            read += 1
            yield b"x" * 1000

    app, source = http_app(HeldLog(at_once=True), body_bytes=5_000)
    chunked, announced = ask(app, ("POST", "/readings", chunks()), ("POST", "/readings", b"x" * 5_001))
    assert (chunked.status_code, announced.status_code) == (413, 413)
    assert chunked.json()["reason"] == "oversize"
    assert counted("taishi_refused_total", source=source, reason="too_large") == 2


def test_http_bounds_all_bodies_together() -> None:
    app, _ = http_app(HeldLog(at_once=True), bodies_bytes=1_000)
    (busy,) = ask(app, ("POST", "/readings", b"x" * 2_000))
    assert busy.status_code == 503


@pytest.mark.parametrize("path", ["readings", "/health", "/{any}", "/a b"])
def test_an_impossible_route_is_refused_at_the_start(path: str) -> None:
    door, _ = gateway(HeldLog())
    with pytest.raises(SettingsError, match="HTTP route"):
        application(HttpSettings({path: "native"}), door)


@pytest.mark.parametrize(
    "options", [{"fhir": {"zone": "Nowhere/At"}}, {"fhir": {"colour": 1}}, {"telex": {}}]
)
def test_wrong_codec_options_are_refused_at_the_start(options: dict) -> None:
    with pytest.raises(SettingsError):
        load_codecs(["fhir"], options)


def test_the_answer_of_a_partly_bad_message_tells_what_was_taken() -> None:
    app, _ = http_app(HeldLog(at_once=True))
    (answer,) = ask(app, ("POST", "/readings", b"[" + GOOD + b",{}]"))
    assert answer.status_code == 422
    said = json.loads(answer.content)
    assert (said["reason"], said["readings"]) == ("missing_field", 1)
    assert said["detail"].startswith("[1] ")
