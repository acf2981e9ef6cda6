"""T19: of two on-call services on one database one tells; one that was stopped and wakes changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from operations.oncall import service
from operations.oncall.clock import now_ms
from operations.oncall.service import LEASE_MS, Teller
from operations.oncall.store import Store
from operations.store.leases import StaleTermError
from tests.contract.oncall_fakes import HOUR, T0, Desk, action, alert, oncall, opened
from tests.waiting import wait_until

STOPS = int(os.environ.get("TAISHI_FAULT_KILLS", "1"))
LIMIT_S = 30.0


@pytest.fixture
def first(desk_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with opened(desk_url) as store:
        yield Desk(store, oncall(), monkeypatch)


@pytest.fixture
def second(desk_url: str, first: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Another machine's; it has the first one's clock and channel."""
    with opened(desk_url) as store:
        made = Desk(store, oncall(), monkeypatch)
        made.teller = Teller(made.oncall, store, seat="another")
        monkeypatch.setattr(service, "now_ms", lambda: first.now_ms)
        monkeypatch.setattr(service, "deliver", first._deliver)
        yield made


def looks(first: Desk, desk: Desk, later_ms: int = 0) -> int:
    """Let time pass for both and have one look; how much was told by it."""
    first.now_ms += later_ms
    desk.now_ms, before = first.now_ms, len(first.told)
    desk.look()
    return len(first.told) - before


def test_one_tells_and_the_other_waits_until_its_lease_is_over(first: Desk, second: Desk) -> None:
    first.take(alert(0))
    assert (looks(first, first), looks(first, second)) == (1, 0)
    first.take(alert(1))
    assert looks(first, second, LEASE_MS - 1) == 0
    assert looks(first, second, 1) == 1


def test_one_that_keeps_its_lease_is_never_replaced(first: Desk, second: Desk) -> None:
    looks(first, first)
    for number in range(5):
        first.take(alert(number))
        assert (looks(first, first, LEASE_MS // 2), looks(first, second, LEASE_MS // 2 - 1)) == (1, 0)


def test_a_service_that_ends_in_order_lets_the_other_go_on_at_once(first: Desk, second: Desk) -> None:
    looks(first, first)
    first.teller.leave()
    first.take(alert(0))
    assert looks(first, second) == 1


def test_one_that_was_stopped_writes_plans_and_tells_nothing_and_then_waits(
    first: Desk, second: Desk
) -> None:
    looks(first, first)
    looks(first, second, LEASE_MS)
    first.take(alert(0))
    assert looks(first, first, LEASE_MS // 2) == 0, "it plans nothing: its first write is refused"
    assert looks(first, first) == 0
    assert looks(first, second) == 1
    assert looks(first, first) == 0


def stale(store: Store) -> list[Callable[[], None]]:
    """Every write of a teller."""
    key = f"{alert(0).id}/0/王芳"
    return [
        lambda: store.sent(key, "json", T0),
        lambda: store.failed(key, "json: no", T0),
        lambda: store.park(key, "json: no"),
        lambda: store.withdraw({key: "over"}),
        lambda: store.annunciation([alert(0).id], [], T0),
        lambda: store.know([alert(0, revision=9)], T0),
        lambda: store.keep(T0 + HOUR),
        store.unpark,
    ]


def test_each_of_its_writes_is_refused_and_changes_nothing(first: Desk, second: Desk) -> None:
    first.take(alert(0))
    first.fails = True
    looks(first, first)
    looks(first, second, LEASE_MS)
    before = [*first.store.history(alert(0).id)], first.store.find(alert(0).id)
    for write in stale(first.store):
        with pytest.raises(StaleTermError, match="oncall: term 1 is over: another process has taken over"):
            write()
    assert ([*first.store.history(alert(0).id)], first.store.find(alert(0).id)) == before


def test_what_was_under_way_when_the_lease_ended_is_not_sent_by_it(
    first: Desk, second: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after its look and before the channel; it wakes when another has told."""
    first.take(alert(0))
    with ThreadPoolExecutor(1) as senders:
        stopped = threading.Event()
        senders.submit(stopped.wait, LIMIT_S)  # its only sender stands still
        first.teller.look(senders)
        assert looks(first, second, LEASE_MS) == 1
        stopped.set()
        for sending in list(first.teller._busy.values()):
            sending.result(LIMIT_S)
    assert looks(first, first) == 0
    assert Counter(first.keys()) == {f"{alert(0).id}/0/王芳": 1}


def test_the_end_of_a_hiding_rings_once_whoever_was_stopped_over_it(first: Desk, second: Desk) -> None:
    first.take(alert(0))
    first.store.act(action("shelve", alert(0), T0, until_ms=T0 + HOUR, second="李强"), T0)
    assert looks(first, first) == 0
    assert looks(first, second, HOUR) == 1
    assert looks(first, first) == 0
    (known,) = first.store.find(alert(0).id)
    assert known.round == 1


SERVICE = """
import sys, threading
from operations.oncall.load import parse_oncall
from operations.oncall.service import Teller
from operations.oncall.store import Store

url, channel, seat = sys.argv[1:]
told = {"people": {"王芳": [channel]}, "routes": [{"name": "all", "steps": [{"people": ["王芳"]}]}]}
Teller(parse_oncall(told), Store(url), seat=seat, lease_ms=1_500).run(threading.Event())
"""


class Hook(BaseHTTPRequestHandler):
    """Keeps the `Idempotency-Key` of what it takes, and how often it came."""

    taken: ClassVar[Counter[str]] = Counter()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.taken[self.headers["Idempotency-Key"]] += 1
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Quiet."""


def seat_of(store: Store) -> str:
    with store._engine.connect() as connection:
        return connection.exec_driver_sql("SELECT seat FROM leases").scalar() or ""


def states(store: Store, alerts: Sequence[str]) -> list[str]:
    """Of every message of the alerts: waiting, sent, …"""
    return [row["state"] for alert_id in alerts for row in store.history(alert_id)]


def test_processes_stopped_in_turn_tell_each_alert_once_and_no_write_of_a_stopped_one_counts(
    desk_url: str,
) -> None:
    """SIGSTOP of the one that tells, until the other has taken over; SIGCONT; and back, `STOPS` times."""
    if STOPS == 1 and desk_url.startswith("sqlite"):
        pytest.skip("one database in the short form: PostgreSQL, which several machines share")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    Hook.taken.clear()
    channel = f"json://127.0.0.1:{server.server_address[1]}/"
    with opened(desk_url) as store:
        command = [sys.executable, "-c", SERVICE, desk_url, channel]
        services = {seat: subprocess.Popen([*command, seat]) for seat in ("east", "west")}
        try:
            wait_until(lambda: bool(seat_of(store)))
            for number in range(STOPS):
                seat = seat_of(store)
                store.take(
                    "alerts", [alert(2 * number, onset_ms=now_ms(), severity="life_safety")], 1, now_ms()
                )
                services[seat].send_signal(signal.SIGSTOP)
                store.take(
                    "alerts", [alert(2 * number + 1, onset_ms=now_ms(), severity="life_safety")], 2, now_ms()
                )
                wait_until(lambda seat=seat: seat_of(store) != seat)
                wait_until(lambda number=number: len(Hook.taken) == 2 * number + 2)
                services[seat].send_signal(signal.SIGCONT)
            alerts = [alert(number).id for number in range(2 * STOPS)]
            # A message is on its way before it is written down that it is.
            wait_until(lambda: states(store, alerts) == ["sent"] * 2 * STOPS, LIMIT_S)
        finally:
            for process in services.values():
                process.kill()
                process.wait()
            server.shutdown()
            server.server_close()
    assert all(count <= 2 for count in Hook.taken.values()), "only what was on its way when it stopped"
