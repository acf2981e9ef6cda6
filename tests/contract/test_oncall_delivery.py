"""Outbox and channels: real receivers that refuse, hang, reset and come back; deaths between the lines."""

from __future__ import annotations

import json
import signal
import socket
import socketserver
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from operations.oncall import deliver as delivering
from operations.oncall.clock import now_ms
from operations.oncall.load import parse_oncall
from operations.oncall.model import OnCall, Person
from operations.oncall.service import Teller
from operations.oncall.store import Store
from schemas.alerts import Alert
from schemas.errors import SettingsError

LIMIT_S = 30.0


def alert(number: int = 0, **changed: object) -> Alert:
    made = Alert(
        id=f"{number:032x}", rule="signal.sos", severity="life_safety", domain="care", level="grid",
        place="370202001001001", onset_ms=now_ms(), active=True, title="紧急呼救 SOS", latched=True,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changed)


class Receiver:
    """A webhook that behaves as told: ok, refuse (500), hang, reset."""

    def __init__(self) -> None:
        self.mode, self.got, self.asked = "ok", [], 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/hook"

    def told(self) -> list[str]:
        return [text["message"].rpartition("key ")[2].strip() for text in self.got]


@contextmanager
def receiver() -> Iterator[Receiver]:
    held, released = Receiver(), threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            held.asked += 1
            if held.mode == "hang":
                released.wait(LIMIT_S)
                return
            if held.mode == "reset":
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                return
            length = 0
            while line := self.rfile.readline().strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            said = json.loads(self.rfile.read(length))
            if held.mode == "ok":
                held.got.append(said)
            status = b"200 OK" if held.mode == "ok" else b"500 Internal Server Error"
            self.wfile.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    held.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield held
    finally:
        released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def store(desk_url: str) -> Iterator[Store]:
    made = Store(desk_url)
    yield made
    made.close()


def oncall(*channels: str, after_s: int = 60) -> OnCall:
    steps = [{"people": ["王芳"]}, {"people": ["李强"], "after_s": after_s}]
    people = {"王芳": list(channels), "李强": list(channels)}
    return parse_oncall({"people": people, "routes": [{"name": "all", "steps": steps}]})


@contextmanager
def looking(teller: Teller) -> Iterator[Callable[[], None]]:
    """Look once, and wait until what is under way has ended."""
    with ThreadPoolExecutor(4) as senders:

        def look() -> None:
            teller.look(senders)
            for sending in list(teller._busy.values()):
                sending.result(LIMIT_S)

        yield look


def test_an_alert_is_told_once_however_often_one_looks(store: Store) -> None:
    with receiver() as hook, looking(Teller(oncall(hook.url), store)) as look:
        store.take("alerts", [alert()], 1, now_ms())
        for _ in range(3):
            look()
        assert hook.told() == [f"{alert().id}/0/王芳"]
        assert "紧急呼救" in hook.got[0]["title"]


def test_a_channel_that_refuses_gives_way_to_the_next(store: Store) -> None:
    with receiver() as first, receiver() as second:
        first.mode = "refuse"
        with looking(Teller(oncall(first.url, second.url), store)) as look:
            store.take("alerts", [alert()], 1, now_ms())
            look()
        assert (first.asked, len(second.got)) == (1, 1)
        (row,) = store.history(alert().id)
        assert (row["channel"], row["problem"], row["attempts"]) == ("json", "", 1)


@pytest.mark.parametrize("mode", ["hang", "reset"])
def test_a_channel_that_hangs_or_breaks_gives_way_within_thirty_seconds(
    store: Store, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    assert delivering.CHANNEL_LIMIT_S < 15
    monkeypatch.setattr(delivering, "CHANNEL_LIMIT_S", 1.0)
    with receiver() as first, receiver() as second:
        first.mode = mode
        person = Person("王芳", (first.url, second.url))
        store.take("alerts", [alert()], 1, now_ms())
        with looking(Teller(OnCall({"王芳": person}, oncall(first.url).routes), store)) as look:
            began_s = time.monotonic()
            look()
        assert time.monotonic() - began_s < 10
        assert len(second.got) == 1


def test_when_no_channel_takes_it_it_is_tried_again_under_the_same_key(store: Store) -> None:
    with receiver() as hook, looking(Teller(oncall(hook.url), store)) as look:
        hook.mode = "refuse"
        store.take("alerts", [alert()], 1, now_ms())
        look()
        (row,) = store.history(alert().id)
        assert row["sent_ms"] == 0
        assert "json: HTTP 500" in str(row["problem"])
        look()
        assert hook.asked == 1, "not before its time"
        hook.mode = "ok"
        deadline_s, tick = time.monotonic() + LIMIT_S, threading.Event()
        while not hook.got and time.monotonic() < deadline_s:
            tick.wait(0.1)
            look()
        assert hook.told() == [f"{alert().id}/0/王芳"]


def test_an_acknowledgement_ends_escalation_and_only_the_first_counts(store: Store) -> None:
    with receiver() as hook, looking(Teller(oncall(hook.url, after_s=1), store)) as look:
        store.take("alerts", [alert(0), alert(1)], 1, now_ms())
        look()
        assert store.acknowledge(alert(0).id, "王芳", "on my way", now_ms())
        assert not store.acknowledge(alert(0).id, "李强", "", now_ms())
        (known,) = store.find(alert(0).id)
        assert known.acknowledged_by == "王芳"
        deadline_s, tick = time.monotonic() + LIMIT_S, threading.Event()
        while len(hook.got) < 3 and time.monotonic() < deadline_s:
            tick.wait(0.1)
            look()
        assert sorted(hook.told()) == [
            f"{alert(0).id}/0/王芳",
            f"{alert(1).id}/0/王芳",
            f"{alert(1).id}/1/李强",
        ]


def test_a_step_that_comes_after_the_acknowledgement_was_long_known_tells_nobody(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [now_ms()]
    monkeypatch.setattr("operations.oncall.service.now_ms", lambda: clock[0])
    with receiver() as hook, looking(Teller(oncall(hook.url, after_s=60), store)) as look:
        store.take("alerts", [alert()], 1, clock[0])
        look()
        store.acknowledge(alert().id, "王芳", "", clock[0])
        for later_ms in (1_000, 30_000, 61_000):
            clock[0] += later_ms
            look()
        assert hook.told() == [f"{alert().id}/0/王芳"]


def test_a_hundred_clients_acknowledge_at_once_and_one_wins(store: Store) -> None:
    store.take("alerts", [alert()], 1, now_ms())
    with ThreadPoolExecutor(20) as people:
        won = list(people.map(lambda n: store.acknowledge(alert().id, f"p{n}", "", now_ms()), range(100)))
    assert won.count(True) == 1


def test_a_new_process_goes_on_where_the_last_ended_and_tells_nobody_twice(desk_url: str) -> None:
    with receiver() as hook:
        for _ in range(3):
            life = Store(desk_url)
            assert life.next_offset("alerts") in {None, 1}
            life.take("alerts", [alert(revision=0)], 1, now_ms())
            with looking(Teller(oncall(hook.url), life)) as look:
                look()
            life.close()
        assert len(hook.got) == 1


def test_a_death_between_sending_and_marking_sends_the_same_key_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as hook:
        store.take("alerts", [alert()], 1, now_ms())
        with monkeypatch.context() as dying:
            dying.setattr(store, "sent", lambda *_: None)
            with looking(Teller(oncall(hook.url), store)) as look:
                look()
        with looking(Teller(oncall(hook.url), store)) as look:
            look()
        assert hook.told() == [f"{alert().id}/0/王芳"] * 2


KILLED = """
import os, signal, sys
from concurrent.futures import ThreadPoolExecutor
from operations.oncall.load import parse_oncall
from operations.oncall.service import Teller
from operations.oncall.store import Store

url, channel, dies = sys.argv[1:]
store = Store(url)
if dies == "dies":
    store.sent = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
told = {"people": {"王芳": [channel]}, "routes": [{"name": "all", "steps": [{"people": ["王芳"]}]}]}
with ThreadPoolExecutor(4) as senders:
    teller = Teller(parse_oncall(told), store)
    teller.look(senders)
    for sending in list(teller._busy.values()):
        sending.result()
store.close()
"""


def test_a_process_killed_between_sending_and_marking_is_followed_by_one_that_sends_the_same_key(
    desk_url: str,
) -> None:
    life = Store(desk_url)
    life.take("alerts", [alert(n, severity="high") for n in range(14)], 1, now_ms())
    with receiver() as hook:
        for dies in ("dies", "dies", "lives", "lives"):
            done = subprocess.run(
                [sys.executable, "-c", KILLED, desk_url, hook.url, dies], check=False, capture_output=True
            )
            assert done.returncode == (-signal.SIGKILL if dies == "dies" else 0), done.stderr.decode()
        told = hook.told()
    singles = {key for key in told if not key.startswith("digest/")}
    assert len(singles) == 10
    assert len({key for key in told if key.startswith("digest/")}) == 1
    assert len(told) > 11, "what was sent and not marked came again"
    (flood,) = life.floods()
    assert flood.count == 14, "nothing was counted twice"
    assert life.to_send(now_ms()) == []
    life.close()


def test_a_database_of_another_version_is_refused_by_what_it_lacks(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "old.db") as old:
        old.execute("CREATE TABLE alerts (id VARCHAR(32) PRIMARY KEY, body BLOB)")
    old.close()
    with pytest.raises(SettingsError, match=r"table alerts lacks changed_ms, .*move it away"):
        Store(f"sqlite:///{tmp_path / 'old.db'}")


def test_a_database_of_before_actions_is_taken_over_with_its_acknowledgements(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    first = Store(url)
    first.take("alerts", [alert()], 1, now_ms())
    first.acknowledge(alert().id, "王芳", "on my way", 5)
    first.close()
    with sqlite3.connect(tmp_path / "desk.db") as old:
        for index in ("ix_alerts_cause", "ix_alerts_rule_place_onset_ms", "ix_alerts_change"):
            old.execute(f"DROP INDEX {index}")
        later = (
            "cause",
            "reset_count",
            "hidden",
            "round",
            "visible_ms",
            "rule",
            "place",
            "onset_ms",
            "outcome",
            "change",
        )
        for name in later:
            old.execute(f"ALTER TABLE alerts DROP COLUMN {name}")
        old.execute("ALTER TABLE notifications DROP COLUMN refused")
        tables = [name for (name,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in set(tables) - {"alerts", "notifications", "progress", "sqlite_sequence"}:
            old.execute(f"DROP TABLE {name}")
    old.close()
    again = Store(url)
    (known,) = again.find(alert().id)
    assert (known.acknowledged_by, known.hidden, known.round) == ("王芳", False, 0)
    (action,) = again.actions_of(alert())
    assert (action.kind, action.by, action.why, action.at_ms) == ("acknowledge", "王芳", "on my way", 5)
    assert not again.acknowledge(alert().id, "李强", "", now_ms())
    again.close()


def test_an_older_version_that_is_written_again_changes_nothing(store: Store) -> None:
    over = alert(revision=5, active=False, latched=False)
    store.take("alerts", [over], 6, now_ms())
    store.take("alerts", [alert(revision=2)], 7, now_ms())
    assert store.waiting() == []
    assert store.next_offset("alerts") == 7


def test_what_a_slow_transaction_wrote_is_told_however_old_its_time_is(store: Store) -> None:
    with receiver() as hook, looking(Teller(oncall(hook.url), store)) as look:
        look()
        store.take("alerts", [alert()], 1, now_ms() - 5_000)  # stamped before it waited for its turn
        look()
        assert hook.told() == [f"{alert().id}/0/王芳"]


def test_an_alert_that_is_over_before_it_was_told_is_not_told(store: Store) -> None:
    with receiver() as hook, looking(Teller(oncall(hook.url), store)) as look:
        hook.mode = "refuse"
        store.take("alerts", [alert(revision=0)], 1, now_ms())
        look()
        hook.mode = "ok"
        store.take("alerts", [alert(revision=1, active=False, latched=False)], 2, now_ms())
        assert store.to_send(now_ms() + 60_000) == []
        look()
        assert hook.got == []
