"""The poll connector against a real HTTP server: it asks again, listens, and waits for the log."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from prometheus_client import REGISTRY

from connectors.base import Device
from connectors.codecs import load_codecs
from connectors.gateway import Gateway, Limits
from connectors.poll.client import Poller, PollTarget
from connectors.producer import Record
from connectors.resolve import Resolver
from schemas.errors import SettingsError
from tests.waiting import wait_until

LIMIT_S = 20.0
GRID = "370202001001001"
NAMES = (f"poll-{number}" for number in itertools.count())
CAMERA = "44:19:b6:00:00:01/1"


class HeldLog:
    """A log whose confirmations the test gives; `at_once` confirms by itself."""

    def __init__(self, *, at_once: bool = True) -> None:
        self.at_once = at_once
        self.groups: list[Sequence[Record]] = []
        self._waiting: list[Callable[[], None]] = []

    def deliver(self, records: Sequence[Record], on_delivered: Callable[[], None]) -> None:
        self.groups.append(records)
        if self.at_once or not records:
            on_delivered()
        else:
            self._waiting.append(on_delivered)

    def confirm(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each()


class Places:
    def locate(self, *_point: float) -> str | None:
        return None

    def has_grid(self, *_code: str) -> bool:
        return True


class Platform:
    """Answers GET with what it is told; `stream` keeps the connection open with these chunks."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = [(200, b"")]
        self.asked: list[str] = []
        self.chunks: list[bytes] = []
        self.url = ""

    def next_answer(self) -> tuple[int, bytes]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def platform() -> Iterator[Platform]:
    held = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            held.asked.append(self.headers.get("Authorization", ""))
            if held.chunks:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/mixed; boundary=edge")
                self.end_headers()
                for chunk in held.chunks:
                    self.wfile.write(chunk)
                    self.wfile.flush()
                return
            status, body = held.next_answer()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    held.url = f"http://127.0.0.1:{server.server_address[1]}/api"
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def polling(log: HeldLog, target: PollTarget, limits: Limits | None = None) -> Iterator[Poller]:
    devices = {
        name: Device(name, "", kind, GRID, None, "", None, simulated=False)
        for name, kind in ((CAMERA, "security.intrusion"), ("bay-1", "parking.space"))
    }
    codecs = load_codecs([target.codec], {})
    gateway = Gateway(next(NAMES), codecs, devices, Resolver(devices, Places()), log, limits)  # type: ignore[arg-type]
    poller = Poller([target], gateway)
    thread = threading.Thread(target=poller.run, daemon=True)
    thread.start()
    try:
        yield poller
    finally:
        poller.stop()
        log.confirm()
        thread.join(LIMIT_S)
        assert not thread.is_alive()


def reading(value: int, at_ms: int) -> bytes:
    said = {"device": "bay-1", "kind": "parking.space", "metric": "occupied", "value": value}
    return json.dumps(said | {"observed_at_ms": at_ms}).encode()


def failures(name: str) -> float:
    return REGISTRY.get_sample_value("taishi_poll_failures_total", {"target": name}) or 0.0


def test_it_asks_again_and_takes_what_is_new_and_not_what_is_the_same() -> None:
    log = HeldLog()
    with platform() as there:
        first, second = reading(1, 1_795_392_000_000), reading(0, 1_795_392_060_000)
        there.answers = [(200, first), (200, first), (200, second)]
        with polling(log, PollTarget("same", there.url, "native", every_s=1.0)):
            wait_until(lambda: len(there.asked) >= 4)
    assert [len(group) for group in log.groups] == [1, 1]


def test_an_answer_that_is_an_error_is_counted_and_asked_again() -> None:
    log = HeldLog()
    with platform() as there:
        there.answers = [(503, b""), (200, reading(1, 1_795_392_000_000))]
        with polling(log, PollTarget("error", there.url, "native", every_s=1.0)):
            wait_until(lambda: log.groups)
    assert failures("error") == 1


def test_until_the_log_has_it_nothing_more_is_asked() -> None:
    log = HeldLog(at_once=False)
    with platform() as there:
        there.answers = [(200, reading(n % 2, 1_795_392_000_000 + n)) for n in range(50)]
        with polling(log, PollTarget("held", there.url, "native", every_s=1.0)):
            wait_until(lambda: log.groups)
            threading.Event().wait(1.5)  # longer than every_s: it would have asked
            assert len(there.asked) == 1
            log.confirm()
            wait_until(lambda: len(there.asked) == 2)


def test_a_bearer_token_is_shown() -> None:
    with platform() as there:
        there.answers = [(200, reading(1, 1_795_392_000_000))]
        with polling(HeldLog(), PollTarget("token", there.url, "native", token="secret")):  # noqa: S106
            wait_until(lambda: there.asked)
    assert there.asked[0] == "Bearer secret"


def event(number: int) -> bytes:
    body = (
        f"<EventNotificationAlert><macAddress>44:19:b6:00:00:01</macAddress><channelID>1</channelID>"
        f"<dateTime>2026-11-23T08:00:{number:02d}+08:00</dateTime><activePostCount>1</activePostCount>"
        f"<eventType>fielddetection</eventType><eventState>active</eventState></EventNotificationAlert>"
    ).encode()
    head = f"--edge\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return head + body + b"\r\n"


def test_events_of_a_stream_are_taken_pictures_are_not_and_its_end_begins_it_anew() -> None:
    log = HeldLog()
    picture = b"--edge\r\nContent-Type: image/jpeg\r\nContent-Length: 8\r\n\r\n\xff--edge\xd9\r\n"
    with platform() as there:
        there.chunks = [event(1)[:40], event(1)[40:] + picture, event(2)]
        with polling(log, PollTarget("stream", there.url, "hikvision", stream=True)):
            wait_until(lambda: len(there.asked) >= 2)
            wait_until(lambda: len(log.groups) >= 3)
    assert failures("stream") >= 1
    assert [record.topic for record in log.groups[0]] == ["signals", "readings.security"]


def test_a_target_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="allowed: an http or https URL"):
        PollTarget("x", "ftp://there", "native")
    with pytest.raises(SettingsError, match="every_s: received 0"):
        PollTarget("x", "http://there", "native", every_s=0)
