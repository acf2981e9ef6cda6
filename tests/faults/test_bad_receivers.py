"""Receivers that refuse, hang, answer nothing or cut the line: what they are told stays under one key.

Real sockets and the real teller on SQLite, on a clock that the test moves. Others are told meanwhile.
"""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from operations.oncall import deliver as delivering
from operations.oncall import service
from operations.oncall.load import parse_oncall
from operations.oncall.model import OnCall
from operations.oncall.service import Teller
from operations.oncall.store import Store
from schemas.alerts import Alert

T0 = 1_795_392_000_000
STREETS = {"370202001": "王芳", "370202002": "李强"}


class Receiver:
    """A webhook that behaves as told; `asked` are the keys it has read, `taken` those it said yes to."""

    def __init__(self) -> None:
        self.mode, self.asked, self.taken = "ok", list[str](), list[str]()
        self.released = threading.Event()

        class Handler(socketserver.StreamRequestHandler):
            def handle(handler) -> None:  # noqa: N805 - the handler; `self` is the receiver
                self._answer(handler)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"json://127.0.0.1:{self._server.server_address[1]}/hook"
        kwargs = {"poll_interval": 0.02}
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs=kwargs, daemon=True)
        self._thread.start()

    def _answer(self, handler: socketserver.StreamRequestHandler) -> None:
        length = 0
        while line := handler.rfile.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        said = json.loads(handler.rfile.read(length))
        key = said["message"].rpartition("key ")[2].strip()
        self.asked.append(key)
        if self.mode == "hang":
            self.released.wait(30)
        elif self.mode != "reset":  # after the body: it has read it, and the sender never hears so
            status = {"ok": "200 OK", "500": "500 Internal Server Error", "400": "400 Bad Request"}[self.mode]
            if self.mode == "ok":
                self.taken.append(key)
            handler.wfile.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def bad() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def good() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path / 'desk.db'}")
    yield made
    made.close()


class Clock:
    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now_ms = T0
        patch.setattr(service, "now_ms", lambda: self.now_ms)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(delivering, "CHANNEL_LIMIT_S", 0.3)
    return Clock(monkeypatch)


def oncall(bad: Receiver, good: Receiver) -> OnCall:
    """Each street has one person: 王芳 has the bad receiver, 李强 the good one."""
    routes = [
        {"name": name, "place": street, "steps": [{"people": [name]}]} for street, name in STREETS.items()
    ]
    return parse_oncall({"people": {"王芳": [bad.url], "李强": [good.url]}, "routes": routes})


def alert(number: int, street: str) -> Alert:
    return Alert(
        id=f"{number:032x}", rule="signal.sos", severity="life_safety", domain="care", level="grid",
        place=f"{street}001{number % 9 + 1:03d}", onset_ms=T0, active=True, title="紧急呼救", latched=True,
    )  # fmt: skip


@contextmanager
def telling(teller: Teller) -> Iterator[ThreadPoolExecutor]:
    """The senders a teller has."""
    with ThreadPoolExecutor(service._SENDERS) as senders:
        yield senders


def settle(teller: Teller, senders: ThreadPoolExecutor) -> None:
    """Look, and wait until all that is under way has ended."""
    teller.look(senders)
    for sending in list(teller._busy.values()):
        sending.result(10)
    teller.look(senders)


@pytest.mark.parametrize("mode", ["500", "400", "hang", "reset"])
def test_what_a_bad_receiver_does_not_take_comes_again_under_one_key_and_waits_longer_each_time(
    store: Store, clock: Clock, bad: Receiver, good: Receiver, mode: str
) -> None:
    bad.mode = mode
    teller, key = Teller(oncall(bad, good), store), f"{alert(1, '370202001').id}/0/王芳"
    store.take("alerts", [alert(1, "370202001"), alert(2, "370202002")], 1, T0)
    with telling(teller) as senders:
        settle(teller, senders)
        for tried, wait_s in enumerate((2, 5, 15, 30), start=1):
            clock.now_ms += wait_s * 1000 - 1
            settle(teller, senders)
            assert len(bad.asked) == tried, "it is tried when its wait is over, not before"
            clock.now_ms += 1
            settle(teller, senders)
            assert len(bad.asked) == tried + 1
        (row,) = store.history(alert(1, "370202001").id)
        assert (row["sent_ms"], row["attempts"]) == (0, 5)
        assert "json: " in str(row["problem"])
        bad.mode = "ok"
        bad.released.set()
        clock.now_ms += 30_000
        settle(teller, senders)
    assert bad.taken == [key]
    assert Counter(bad.asked) == {key: 6}
    assert good.asked == good.taken == [f"{alert(2, '370202002').id}/0/李强"]


def test_a_receiver_that_hangs_on_many_takes_no_sender_from_the_others(
    store: Store, clock: Clock, bad: Receiver, good: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "CHANNEL_LIMIT_S", 8.0)
    bad.mode = "hang"
    teller, many = Teller(oncall(bad, good), store), 60
    store.take("alerts", [alert(number, "370202001") for number in range(many)], 1, T0)
    tick = threading.Event()
    with telling(teller) as senders:
        teller.look(senders)
        store.take("alerts", [alert(many, "370202002")], 2, T0)
        began_s = time.monotonic()
        teller.look(senders)
        while not good.taken and time.monotonic() < began_s + 20:
            tick.wait(0.02)
        took_s = time.monotonic() - began_s
        bad.mode = "ok"
        bad.released.set()
    assert good.taken == [f"{alert(many, '370202002').id}/0/李强"]
    assert took_s < 2, "it waited behind those that hang"
