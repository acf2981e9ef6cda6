"""T16: receivers that refuse, hang, answer nothing or cut the line: what they are told stays under one key.

Real sockets and the real teller on SQLite, on a clock that the test moves. Others are told meanwhile.
"""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from operations.oncall import deliver as delivering
from operations.oncall import service, webhook
from operations.oncall.deliver import again_in_ms
from operations.oncall.load import parse_oncall
from operations.oncall.model import OnCall
from operations.oncall.service import Teller
from operations.oncall.store import Store
from operations.oncall.telemetry import PARKED
from schemas.alerts import Alert

T0 = 1_795_392_000_000
STREETS = {"370202001": "王芳", "370202002": "李强"}
TURNS, ALLOWED_S = 8, 0.25
STATUS = {"500": "500 Internal Server Error", "429": "429 Too Many Requests", "400": "400 Bad Request"}


class Server(socketserver.ThreadingTCPServer):
    """Speaks TLS where it is given; a handshake that fails is the client's word."""

    daemon_threads = True
    tls: ssl.SSLContext | None = None

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        return (self.tls.wrap_socket(connection, server_side=True) if self.tls else connection), address


class Receiver:
    """A webhook that behaves as told; `asked` are the keys it has read, `taken` those it said yes to.

    `named`: each key with the `Idempotency-Key` it came under.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.mode, self.asked, self.taken = "ok", list[str](), list[str]()
        self.named = set[tuple[str, str]]()
        self.released = threading.Event()

        class Handler(socketserver.StreamRequestHandler):
            def handle(handler) -> None:  # noqa: N805 - the handler; `self` is the receiver
                self._answer(handler)

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.tls = tls
        self.url = f"json://127.0.0.1:{self._server.server_address[1]}/hook"
        kwargs = {"poll_interval": 0.02}
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs=kwargs, daemon=True)
        self._thread.start()

    def _answer(self, handler: socketserver.StreamRequestHandler) -> None:
        lines = iter(lambda: handler.rfile.readline().strip(), b"")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        said = json.loads(handler.rfile.read(int(headers[b"content-length"])))
        key = said["message"].rpartition("key ")[2].strip()
        self.asked.append(key)
        self.named.add((key, headers[b"idempotency-key"].decode()))
        mode = self.mode
        if mode in {"hang", "slow"}:
            self.released.wait(30)
        if mode not in {"hang", "reset"}:  # after the body: it has read it, and the sender never hears so
            status = STATUS.get(mode, "200 OK")
            if mode in {"ok", "slow"}:
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


@pytest.mark.parametrize("mode", ["500", "429", "hang", "slow", "reset"])
def test_what_a_bad_receiver_does_not_take_comes_again_under_one_key_and_waits_longer_each_time(
    store: Store, clock: Clock, bad: Receiver, good: Receiver, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad.mode = mode
    teller = Teller(oncall(bad, good), store, jitter=lambda: 1.0)
    key = f"{alert(1, '370202001').id}/0/王芳"
    store.take("alerts", [alert(2, "370202002")], 1, T0)
    with telling(teller) as senders:
        settle(teller, senders)
        if mode in {"hang", "slow"}:
            monkeypatch.setattr(delivering, "CHANNEL_LIMIT_S", 0.3)
        store.take("alerts", [alert(1, "370202001")], 2, T0)
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
        monkeypatch.setattr(delivering, "CHANNEL_LIMIT_S", 8.0)
        clock.now_ms += 30_000
        settle(teller, senders)
    assert set(bad.taken) == {key}
    assert Counter(bad.asked) == {key: 6}
    assert len(bad.named) == 1, "a receiver knows every attempt by one key"
    assert good.asked == good.taken == [f"{alert(2, '370202002').id}/0/李强"]


def test_a_receiver_that_hangs_on_many_takes_no_sender_from_the_others(
    store: Store, clock: Clock, bad: Receiver, good: Receiver
) -> None:
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


def test_what_failed_together_does_not_come_again_together() -> None:
    waits_ms = [(again_in_ms(attempts, 0.0), again_in_ms(attempts, 1.0)) for attempts in (1, 2, 3, 4, 5, 99)]
    assert waits_ms == [(1_000, 2_000), (2_500, 5_000), (7_500, 15_000), *[(15_000, 30_000)] * 3]


def test_a_receiver_that_answers_4xx_is_not_asked_again_and_the_desk_says_so(
    store: Store, clock: Clock, bad: Receiver, good: Receiver
) -> None:
    bad.mode = "400"
    refused = [alert(number, "370202001") for number in (1, 3)]
    teller = Teller(oncall(bad, good), store, district="370202")
    store.take("alerts", [*refused, alert(2, "370202002")], 1, T0)
    with telling(teller) as senders:
        settle(teller, senders)
        (alarm,) = store.standing("oncall.refused")
        assert (alarm.device, alarm.count, alarm.place, alarm.active) == ("王芳", 2, "370202", True)
        assert alarm.explanation.startswith("王芳 的所有渠道均拒收通知（json: HTTP 400），不再重试")
        for _ in range(60):
            clock.now_ms += 60_000
            settle(teller, senders)
        assert len(bad.asked) == 2, "it was asked again"
        assert PARKED._value.get() == 2
        (row,) = store.history(refused[0].id)
        assert (row["state"], row["problem"], row["attempts"]) == ("parked", "json: HTTP 400", 1)
    bad.mode = "ok"  # the file is put right, and the service started anew
    teller = Teller(oncall(bad, good), store, district="370202")
    with telling(teller) as senders:
        settle(teller, senders)
    assert sorted(bad.taken) == [f"{each.id}/0/王芳" for each in refused]
    assert len(bad.named) == 2
    assert store.standing("oncall.refused") == []


def test_of_two_channels_the_one_that_answers_4xx_is_left_out_and_the_other_tried_again(
    store: Store, clock: Clock, bad: Receiver, good: Receiver
) -> None:
    bad.mode, good.mode = "400", "500"
    told = {
        "people": {"王芳": [bad.url, good.url]},
        "routes": [{"name": "all", "steps": [{"people": ["王芳"]}]}],
    }
    teller = Teller(parse_oncall(told), store)
    store.take("alerts", [alert(1, "370202001")], 1, T0)
    with telling(teller) as senders:
        for _ in range(3):
            settle(teller, senders)
            clock.now_ms += 30_000
        assert (len(bad.asked), len(good.asked)) == (1, 3)
        good.mode = "ok"
        settle(teller, senders)
    assert good.taken == [f"{alert(1, '370202001').id}/0/王芳"]
    assert {key for key, _ in bad.named | good.named} == set(good.taken)
    assert len(bad.named | good.named) == 2, "two channels are two keys"


def test_a_receiver_whose_certificate_is_over_is_told_nothing_and_tried_again(
    store: Store, clock: Clock, good: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(expired(tmp_path)))  # its maker is trusted, its time is over
    webhook._trusting.cache_clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "over.pem", tmp_path / "key.pem")
    bad = Receiver(context)
    bad.url = bad.url.replace("json://", "jsons://")
    teller = Teller(oncall(bad, good), store, jitter=lambda: 1.0)
    store.take("alerts", [alert(1, "370202001"), alert(2, "370202002")], 1, T0)
    with telling(teller) as senders:
        settle(teller, senders)
        clock.now_ms += 2_000
        settle(teller, senders)
    bad.close()
    webhook._trusting.cache_clear()
    (row,) = store.history(alert(1, "370202001").id)
    assert (row["state"], row["attempts"], bad.asked) == ("waiting", 2, [])
    assert "certificate has expired" in str(row["problem"])
    assert len(good.taken) == 1


def expired(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that ended an hour ago, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now - timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "over.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*private))
    return folder / "over.pem"


def test_others_are_told_as_fast_as_without_it(
    store: Store, clock: Clock, bad: Receiver, good: Receiver
) -> None:
    """Median times of one message to a well receiver, in turns without and with ten that are not taken."""
    bad.mode = "500"
    taken_s: dict[bool, list[float]] = {False: [], True: []}
    teller, number = Teller(oncall(bad, good), store), 0
    with telling(teller) as senders:
        for beside in [False, True] * TURNS:
            ill = [alert(number := number + 1, "370202001") for _ in range(10)] if beside else []
            well = alert(number := number + 1, "370202002")
            store.take("alerts", ill, number, T0)
            teller.look(senders)
            began_s = time.monotonic()
            store.take("alerts", [well], number, T0)
            while f"{well.id}/0/李强" not in good.taken:
                teller.look(senders)
            taken_s[beside].append(time.monotonic() - began_s)
            settle(teller, senders)
    alone_s, beside_s = (statistics.median(taken_s[each]) for each in (False, True))
    assert beside_s <= 1.2 * alone_s + ALLOWED_S, (
        f"{beside_s:.3f} s beside a bad receiver, {alone_s:.3f} alone"
    )
