"""Who may post what to the HTTP door, and what everybody else is told. Time is the test's own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from itertools import count

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from starlette.applications import Starlette

from connectors.base import Device
from connectors.codecs import load_codecs
from connectors.gateway import Gateway
from connectors.http import app as door
from connectors.http.app import HttpSettings, application
from connectors.http.guard import Answers, Guard, RateLimit
from connectors.http.trust import WINDOW_S, Denied, Sender, Signed, Token, Trust, credential, proves, sign
from connectors.producer import Record
from connectors.resolve import Resolver

NOW_S = 1_795_392_000
GOOD = b'{"device":"a","kind":"parking.space","metric":"occupied","value":1,"observed_at_ms":1795392000000}'
KEY = bytes(range(32))
TOKEN = "a-token-of-256-bits"  # noqa: S105 - nobody's
CAMERA = Sender("camera-7", ("/readings",), token_sha256=hashlib.sha256(TOKEN.encode()).digest())
GATEWAY = Sender("gateway-1", ("/readings",), hmac_key=KEY)
BEARER = {"Authorization": f"Bearer {TOKEN}"}
NAMES = (f"trust-test{number}" for number in count())


class Log:
    """Confirms when told; at once by default."""

    def __init__(self, *, at_once: bool = True) -> None:
        self.records: list[Record] = []
        self.waiting: list[Callable[[], None]] = []
        self._at_once = at_once

    def deliver(self, records: Sequence[Record], on_delivered: Callable[[], None]) -> None:
        self.records += records
        self.waiting.append(on_delivered)
        if self._at_once:
            self.confirm()

    def confirm(self) -> None:
        waiting, self.waiting = self.waiting, []
        for each in waiting:
            each()


class Places:
    def locate(self, *_point: float) -> str | None:
        return None

    def has_grid(self, *_code: str) -> bool:
        return True


class Clock:
    """Stands in for the door's clocks."""

    def __init__(self) -> None:
        self.now_s = float(NOW_S)

    def time(self) -> float:
        return self.now_s

    def monotonic(self) -> float:
        return self.now_s

    def time_ns(self) -> int:
        return int(self.now_s * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    standing = Clock()
    monkeypatch.setattr(door, "time", standing)
    return standing


def made(log: Log, guard: Guard, **changed: float) -> tuple[Starlette, str]:
    devices = {"a": Device("a", "", "parking.space", "370202001001001", None, "", None, simulated=False)}
    transport = next(NAMES)
    codecs = load_codecs(["native", "fhir"], {})
    gateway = Gateway(transport, codecs, devices, Resolver(devices, Places()), log)  # type: ignore[arg-type]
    settings = HttpSettings({"/readings": "native", "/fhir": "fhir"}, **changed)  # type: ignore[arg-type]
    return application(settings, gateway, guard), f"{transport}.native"


def closed_door(**changed: float) -> tuple[Starlette, str, Log]:
    log = Log()
    app, source = made(log, Guard(Trust([CAMERA, GATEWAY])), **changed)
    return app, source, log


Ask = tuple[str, Mapping[str, str], object]


def ask(app: Starlette, *requests: Ask, address: str = "192.0.2.1") -> list[httpx.Response]:
    async def asking() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return [
                await client.post(path, content=body, headers=dict(headers))  # type: ignore[arg-type]
                for path, headers, body in requests
            ]

    return asyncio.run(asking())


def signed(
    body: bytes = GOOD, at_s: int = NOW_S, path: str = "/readings", key: bytes = KEY, name: str = "gateway-1"
) -> dict[str, str]:
    return {
        "X-Taishi-Sender": name,
        "X-Taishi-Timestamp": str(at_s),
        "X-Taishi-Signature": sign(key, at_s, "POST", path, body).hex(),
    }


def basic(name: str, token: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{token}".encode()).decode()}


def refused(source: str, reason: str) -> float:
    return REGISTRY.get_sample_value("taishi_refused_total", {"source": source, "reason": reason}) or 0.0


@pytest.mark.parametrize(
    "headers", [BEARER, {"Authorization": f"bearer  {TOKEN} "}, basic("camera-7", TOKEN), signed()]
)
def test_a_good_credential_of_either_scheme_is_let_in(clock: Clock, headers: dict[str, str]) -> None:
    app, source, log = closed_door()
    (answer,) = ask(app, ("/readings", headers, GOOD))
    assert (answer.status_code, len(log.records)) == (202, 1)
    assert not any(refused(source, reason) for reason in ("unauthorised", "forbidden", "stale", "rate"))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer another"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Digest {TOKEN}"},
        {"Authorization": "Basic %%%"},
        basic("gateway-1", TOKEN),
        basic("camera-7", "another"),
        BEARER | signed(),
        signed(name="nobody"),
        signed(name="camera-7"),
        signed(key=b"another key"),
        signed(body=GOOD + b" "),
        signed(path="/fhir"),
        signed() | {"X-Taishi-Timestamp": str(NOW_S + 1)},
        signed() | {"X-Taishi-Timestamp": "now"},
        signed() | {"X-Taishi-Signature": "0"},
        {k: v for k, v in signed().items() if k != "X-Taishi-Timestamp"},
    ],
)
def test_anything_else_is_told_401_and_counted_and_leaves_nothing(
    clock: Clock, headers: dict[str, str]
) -> None:
    app, source, log = closed_door()
    (answer,) = ask(app, ("/readings", headers, GOOD))
    assert (answer.status_code, answer.json()["reason"]) == (401, "unauthorised")
    assert "Bearer" in answer.headers["www-authenticate"]
    assert "received" in answer.json()["detail"]
    assert "allowed" in answer.json()["detail"]
    assert TOKEN not in answer.text
    assert (log.records, refused(source, "unauthorised")) == ([], 1)
    received = REGISTRY.get_sample_value("taishi_messages_received_total", {"source": source})
    assert received == 1  # received = acknowledged + refused + in flight holds at the closed door too


@pytest.mark.parametrize("headers", [BEARER, signed(path="/fhir")])
def test_a_good_credential_for_other_paths_is_told_403_and_which_are_allowed(
    clock: Clock, headers: dict[str, str]
) -> None:
    app, source, log = closed_door()
    (answer,) = ask(app, ("/fhir", headers, GOOD))
    assert (answer.status_code, answer.json()["reason"]) == (403, "forbidden")
    assert "received /fhir" in answer.json()["detail"]
    assert answer.json()["detail"].endswith("/readings")
    assert (log.records, refused(source.replace("native", "fhir"), "forbidden")) == ([], 1)


@pytest.mark.parametrize(("off_s", "status"), [(-WINDOW_S, 202), (WINDOW_S, 202), (-301, 401), (301, 401)])
def test_a_signature_is_good_for_five_minutes_either_way(clock: Clock, off_s: int, status: int) -> None:
    app, source, _ = closed_door()
    (answer,) = ask(app, ("/readings", signed(at_s=NOW_S + off_s), GOOD))
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["reason"] == "stale"
        assert f"received {NOW_S + off_s}" in answer.json()["detail"]
        assert refused(source, "stale") == 1


@pytest.mark.parametrize("body", [GOOD, b"{"], ids=["taken", "quarantined"])
def test_a_repeated_signature_gets_the_first_answer_and_leaves_nothing_more(
    clock: Clock, body: bytes
) -> None:
    app, _source, log = closed_door()
    repeats = {"source": "http.native"}
    before = REGISTRY.get_sample_value("taishi_http_repeats_total", repeats) or 0
    first, second = ask(app, *[("/readings", signed(body), body)] * 2)
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert len(log.records) == 1
    assert REGISTRY.get_sample_value("taishi_http_repeats_total", repeats) == before + 1
    clock.now_s += WINDOW_S + 1
    (late,) = ask(app, ("/readings", signed(body), body))
    assert late.json()["reason"] == "stale"


def test_a_repeat_while_the_log_is_away_waits_for_the_first_one(clock: Clock) -> None:
    log = Log(at_once=False)
    app, _ = made(log, Guard(Trust([GATEWAY])), confirm_s=0.05)

    async def asking() -> list[int]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            first = await client.post("/readings", content=GOOD, headers=signed())
            second = await client.post("/readings", content=GOOD, headers=signed())
            log.confirm()
            third = await client.post("/readings", content=GOOD, headers=signed())
        return [first.status_code, second.status_code, third.status_code]

    assert asyncio.run(asking()) == [503, 503, 202]
    assert len(log.records) == 1


def test_the_memory_of_signatures_is_bounded() -> None:
    answers: Answers[int] = Answers(most=2)
    shown = [Signed("a", NOW_S, bytes([n])) for n in range(3)]
    for number, each in enumerate(shown):
        answers.put(each, number)
    assert [answers.get(each) for each in shown] == [None, 1, 2]


def test_too_many_of_one_sender_are_told_when_to_come_again(clock: Clock) -> None:
    log = Log()
    app, source = made(log, Guard(Trust([CAMERA, GATEWAY]), RateLimit(per_s=0.5, burst=2)))
    answers = ask(app, *[("/readings", BEARER, GOOD)] * 3)
    assert [a.status_code for a in answers] == [202, 202, 429]
    assert (answers[2].json()["reason"], answers[2].headers["retry-after"]) == ("rate", "2")
    assert "sender camera-7, allowed: 0.5 a second, 2 at once" in answers[2].json()["detail"]
    assert refused(source, "rate") == 1
    (other,) = ask(app, ("/readings", signed(), GOOD))
    assert other.status_code == 202
    clock.now_s += 2
    (again,) = ask(app, ("/readings", BEARER, GOOD))
    assert again.status_code == 202


def test_a_stranger_uses_up_its_address_and_no_senders_allowance(clock: Clock) -> None:
    app, _ = made(Log(), Guard(Trust([CAMERA, GATEWAY]), RateLimit(per_s=0.5, burst=2)))
    wrong = signed(key=b"wrong")
    answers = ask(app, *[("/readings", wrong, GOOD)] * 4, ("/readings", signed(), GOOD))
    assert [a.status_code for a in answers] == [401, 401, 429, 429, 202]
    (elsewhere,) = ask(app, ("/readings", wrong, GOOD), address="192.0.2.2")
    assert elsewhere.status_code == 401


def test_an_open_door_has_no_limits(clock: Clock) -> None:
    app, _ = made(Log(), Guard(None, RateLimit(per_s=0.1, burst=1)))
    assert {a.status_code for a in ask(app, *[("/readings", {}, GOOD)] * 50)} == {202}


def test_senders_are_replaced_while_the_door_is_open(clock: Clock) -> None:
    guard = Guard(Trust([CAMERA]))
    app, _ = made(Log(), guard)
    guard.replace(Trust([GATEWAY]))
    removed, added = ask(app, ("/readings", BEARER, GOOD), ("/readings", signed(), GOOD))
    assert (removed.status_code, added.status_code) == (401, 202)


def test_a_body_that_does_not_come_is_given_up_and_counted(clock: Clock) -> None:
    async def dripping():
        yield b"{"
        await asyncio.Event().wait()

    app, source, log = closed_door(body_s=0.05)
    (answer,) = ask(app, ("/readings", BEARER, dripping()))
    assert (answer.status_code, answer.json()["reason"], log.records) == (408, "slow", [])
    assert refused(source, "slow") == 1


def test_the_log_hears_of_a_flood_once_a_minute() -> None:
    guard = Guard(Trust([]))
    heard = [guard.worth_telling("unauthorised", "192.0.2.1", at_s) for at_s in (0.0, 1.0, 59.0, 61.0)]
    assert heard == [True, False, False, True]
    assert guard.worth_telling("rate", "192.0.2.1", 1.0)


def test_two_entries_with_one_name_or_one_token_are_refused() -> None:
    for pair in ([CAMERA, CAMERA], [CAMERA, Sender("x", (), token_sha256=CAMERA.token_sha256)]):
        with pytest.raises(ValueError, match="twice"):
            Trust(pair)


LATIN = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=90)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "authorization": LATIN | LATIN.map("Bearer {}".format) | LATIN.map("Basic {}".format),
            "x-taishi-sender": LATIN | st.just("gateway-1"),
            "x-taishi-timestamp": LATIN | st.integers().map(str) | st.just("²³"),
            "x-taishi-signature": LATIN | st.binary(min_size=32, max_size=32).map(bytes.hex),
        },
    )
)
def test_whatever_the_headers_are_nobody_gets_in_by_chance(headers: dict[str, str]) -> None:
    shown = credential(headers)
    assert isinstance(shown, Token | Signed | Denied)
    if not isinstance(shown, Denied):
        sender = Trust([CAMERA, GATEWAY]).admits(shown, "/readings", NOW_S)
        if isinstance(sender, Sender):
            assert isinstance(shown, Signed)
            assert proves(sender, shown, "POST", "/readings", b"") is not None


@given(st.binary(max_size=200), st.integers(0, 10**12 - 1), st.sampled_from(["/a", "/readings"]))
def test_a_signature_holds_for_what_was_signed_and_nothing_else(body: bytes, at_s: int, path: str) -> None:
    shown = credential(
        {"x-taishi-sender": "g", "x-taishi-timestamp": str(at_s),
         "x-taishi-signature": sign(KEY, at_s, "POST", path, body).hex()}
    )  # fmt: skip
    assert isinstance(shown, Signed)
    sender = Sender("g", (path,), hmac_key=KEY)
    assert proves(sender, shown, "POST", path, body) is None
    assert proves(sender, shown, "PUT", path, body) is not None
    assert proves(sender, shown, "POST", path + "x", body) is not None
    assert proves(sender, shown, "POST", path, body + b"\n") is not None
