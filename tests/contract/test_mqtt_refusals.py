"""S2: over MQTT whoever is not to come in is refused every time, at the embedded broker and at Mosquitto.

A tenth of the sizes in `make test`, all with `make test-security`. What each sender may: test_mqtt_trust.py.
"""

from __future__ import annotations

import dataclasses
import os
import socket
import ssl
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.contract.trusted_broker import Client, TrustedBroker, start_broker
from tests.waiting import never, wait_until

LIMIT_S = 15.0
CLIENTS = (b"%04d" % number for number in count())
"""Names of clients: two of one name would end each other."""


@pytest.fixture(scope="session")
def share() -> float:
    """The share of the whole sizes of S2 that a run makes: a tenth in `make test`."""
    return float(os.environ.get("TAISHI_SECURITY_SHARE", "0.1"))


def shaken(broker: TrustedBroker, context: ssl.SSLContext) -> str:
    """The TLS version agreed on with the broker; ssl.SSLError where there is none."""
    with (
        socket.create_connection(("127.0.0.1", broker.port), timeout=LIMIT_S) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as spoken,
    ):
        return str(spoken.version())


def former(version: ssl.TLSVersion) -> ssl.SSLContext:
    """A client that would speak the former version with anybody, whatever its certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    return context


@contextmanager
def signing_in(broker: TrustedBroker, user: str, password: str) -> Iterator[tuple[ssl.SSLSocket, int]]:
    """A connection and what the broker's CONNACK says; -1 where it hangs up instead."""
    context = ssl.create_default_context(cafile=str(broker.ca))
    shown = b"".join(len(text).to_bytes(2, "big") + text.encode() for text in (user, password) if user)
    body = b"\0\4MQTT\4" + (b"\xc2" if user else b"\x02") + b"\0\x1e\0\4" + next(CLIENTS) + shown
    with (
        socket.create_connection(("127.0.0.1", broker.port), timeout=LIMIT_S) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as spoken,
    ):
        spoken.sendall(b"\x10" + bytes([len(body)]) + body)
        answer = spoken.recv(4)
        yield spoken, answer[3] if len(answer) == 4 else -1


def connack(broker: TrustedBroker, user: str = "", password: str = "") -> int:
    with signing_in(broker, user, password) as (_, answer):
        return answer


def publish(broker: TrustedBroker, user: str, topic: str) -> None:
    """Publish with QoS 1, until the broker has dealt with it: it answers a ping after it, or hangs up."""
    with signing_in(broker, user, broker.secrets[user]) as (spoken, answer):
        assert answer == 0
        body = len(topic).to_bytes(2, "big") + topic.encode() + b"\0\1forged"
        spoken.sendall(b"\x32" + bytes([len(body)]) + body + b"\xc0\0")
        heard = b""
        with suppress(ConnectionResetError):
            while b"\xd0\0" not in heard and (more := spoken.recv(100)):
                heard += more


def test_who_is_not_to_come_in_is_refused_every_time(
    broker: TrustedBroker, certificates: Any, share: float
) -> None:
    """Nobody, a CA that did not sign, TLS 1.0 and 1.1, and a removed sender; a hundred tries of each."""
    times = max(1, round(100 * share))
    assert connack(broker, "d1", broker.secrets["d1"]) == 0
    assert {connack(broker) for _ in range(times)} <= {4, 5, -1}
    assert {connack(broker, "d1", "guessed") for _ in range(times)} <= {4, 5, -1}
    doubting = ssl.create_default_context(cafile=str(certificates.other_ca))
    for _ in range(times):
        with pytest.raises(ssl.SSLCertVerificationError):
            shaken(broker, doubting)
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        context = former(version)
        for _ in range(times):
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                shaken(broker, context)
    assert shaken(broker, ssl.create_default_context(cafile=str(broker.ca))) in {"TLSv1.2", "TLSv1.3"}
    broker.remove("d1")
    wait_until(lambda: connack(broker, "d1", broker.secrets["d1"]) != 0)
    assert {connack(broker, "d1", broker.secrets["d1"]) for _ in range(times)} <= {4, 5, -1}
    assert connack(broker, "d2", broker.secrets["d2"]) == 0


@pytest.mark.parametrize("kind", ["embedded", "mosquitto"])
def test_a_broker_whose_certificate_has_expired_is_spoken_to_by_nobody(
    kind: str, tmp_path: Path, certificates: Any, program: Callable[[str], str], share: float
) -> None:
    late = dataclasses.replace(certificates, certificate=certificates.expired)
    running = start_broker(tmp_path, late, program("mosquitto") if kind == "mosquitto" else "")
    try:
        context = ssl.create_default_context(cafile=str(running.ca))
        for _ in range(max(1, round(100 * share))):
            with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
                shaken(running, context)
    finally:
        running.process.kill()
        running.process.wait()


def test_a_thousand_messages_on_anothers_topics_reach_nobody(broker: TrustedBroker, share: float) -> None:
    """At a subscriber: 3.1.1 lets a broker confirm what it does not pass on."""
    connector = Client(broker, "connector").subscribe("#")
    forged = [f"taishi/readings/other-{number}" for number in range(round(500 * share))]
    forged += ["taishi/readings/d2"] * len(forged)
    with ThreadPoolExecutor(8) as pool:  # Mosquitto takes 40 ms for each
        list(pool.map(lambda topic: publish(broker, "d1", topic), forged))
    publish(broker, "d2", "taishi/readings/d2")
    wait_until(lambda: connector.got)
    never(lambda: len(connector.got) > 1, 0.3)
    assert connector.got == [("taishi/readings/d2", b"forged")]
    connector.close()
