"""A Kafka with TLS and SASL: the settings let every client of the product in, and nothing else does."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.occurrences import Occurrences
from connectors.producer import LogProducer
from connectors.producer import Record as Sent
from connectors.recall import recall
from connectors.registry import COLUMNS
from deploy.embedded import children, kafka, toolchains
from deploy.embedded.ports import free_ports
from operations.oncall.reader import Reader
from operations.oncall.store import Store
from operations.outgoing.tail import Tail
from pipelines.io.checkpoints import load_checkpoints
from pipelines.io.claims import Claims
from pipelines.io.group import Group
from pipelines.io.shards import topic_identities
from pipelines.io.sink import KafkaSink, Record
from pipelines.io.source import ShardSource
from schemas.brokers import Brokers, KafkaSecurity
from schemas.errors import SettingsError
from schemas.topics import ALERTS, LATE, TOPICS, readings_topic
from taishi import topics
from taishi.alerts.read import read_alerts
from taishi.kafka import admitted
from taishi.quarantine.read import Selection, read
from taishi.settings import Settings
from taishi.stack_settings import environment_of, stack_settings
from taishi.status.collect import Collector
from tests.conftest import Stack, isolated_settings

pytestmark = pytest.mark.stack

PASSWORD = "only-of-this-test"  # noqa: S105
LISTENERS = ("INTERNAL", "TLS", "MUTUAL", "LOGIN")
PARKING = readings_topic("parking")


@dataclass
class Secured:
    """A running Kafka, its listeners' addresses, and the settings of a good client of each."""

    at: dict[str, str]
    ca: str
    other_ca: str
    pair: tuple[str, str]

    def brokers(self, listener: str, **given: Any) -> Brokers:
        certificate, key = self.pair if listener == "MUTUAL" else ("", "")
        login = {"user": "taishi", "password": PASSWORD} if listener == "LOGIN" else {}
        good = {"protocol": "SASL_SSL" if login else "SSL", "ca_file": self.ca} | login
        good |= {"certificate": certificate, "key": key} if certificate else {}
        return Brokers(self.at[listener], KafkaSecurity(**(good | given)))

    def settings(self, home: Path, password: str = PASSWORD) -> Settings:
        """Those of an installation that uses it, by SCRAM-SHA-512."""
        return isolated_settings(
            home, kafka_address=self.at["LOGIN"], kafka_security_protocol="SASL_SSL",
            kafka_security_ca_file=self.ca, kafka_security_user="taishi", kafka_security_password=password,
        )  # fmt: skip


def properties(settings: Any, at: dict[str, str], certificates: Any, keystore: Path) -> dict[str, str]:
    """The embedded Kafka's, with listeners that want TLS, our certificate, or a name and a password."""
    listens = ",".join(f"{name}://{address}" for name, address in at.items())
    controller = f"CONTROLLER://127.0.0.1:{settings.kafka_controller_port}"
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    return kafka.properties(settings) | {
        "listeners": f"{listens},{controller}",
        "advertised.listeners": listens,
        "inter.broker.listener.name": "INTERNAL",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,TLS:SSL,MUTUAL:SSL,"
        "LOGIN:SASL_SSL",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(keystore),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(certificates.ca),
        "listener.name.mutual.ssl.client.auth": "required",
        "listener.name.login.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "listener.name.login.plain.sasl.jaas.config": f'{plain} user_taishi="{PASSWORD}";',
        "listener.name.login.scram-sha-512.sasl.jaas.config": scram,
    }


@pytest.fixture(scope="module")
def secured(stack: Stack, certificates: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A broker of this module's own, in its own process, with the user `taishi`."""
    home = tmp_path_factory.mktemp("secured")
    settings = stack_settings(isolated_settings(home))
    at = {name: f"127.0.0.1:{port}" for name, port in zip(LISTENERS, free_ports(4), strict=True)}
    keystore, file = home / "server.pem", home / "server.properties"
    keystore.write_bytes(certificates.key.read_bytes() + certificates.certificate.read_bytes())
    said = properties(settings, at, certificates, keystore)
    file.write_text("".join(f"{name}={value}\n" for name, value in said.items()))
    java = kafka.part(settings, toolchains.provide(toolchains.JAVA, settings.cache, print)).command[:-2]
    user = f"SCRAM-SHA-512=[name=taishi,password={PASSWORD}]"
    tool = ["kafka.tools.StorageTool", "format", "--standalone", "-t", "dGFpc2hpLWVtYmVkZGVkIQ"]
    subprocess.run([*java, *tool, "-c", str(file), "--add-scram", user], check=True, capture_output=True)
    with (home / "log").open("wb") as log:
        broker = subprocess.Popen(
            [*java, "kafka.Kafka", str(file)],
            stdout=log,
            stderr=log,
            preexec_fn=children.die_with_parent(),  # noqa: PLW1509 - one system call
        )
    try:
        end_s = time.monotonic() + 200
        while not admitted(Brokers(at["INTERNAL"])):
            assert broker.poll() is None, (home / "log").read_text()[-3000:]
            assert time.monotonic() < end_s, (home / "log").read_text()[-3000:]
        pair = (str(certificates.certificate), str(certificates.key))
        yield Secured(at, str(certificates.ca), str(certificates.other_ca), pair)
    finally:
        broker.kill()
        broker.wait()


def asked(brokers: Brokers) -> bool:
    """Whether it is let in; again while a busy machine makes the broker look as if it were away."""
    return any(admitted(brokers) for _ in range(6))


@pytest.mark.parametrize(
    ("listener", "given"),
    [("TLS", {}), ("MUTUAL", {}), ("LOGIN", {}), ("LOGIN", {"mechanism": "PLAIN"})],
)
def test_who_knows_it_and_is_known_gets_in(secured: Secured, listener: str, given: dict[str, Any]) -> None:
    assert asked(secured.brokers(listener, **given))


@pytest.mark.parametrize(
    ("listener", "given", "setting"),
    [
        ("TLS", {"ca_file": "other"}, "kafka_security_ca_file"),
        ("LOGIN", {"ca_file": "other"}, "kafka_security_ca_file"),
        ("LOGIN", {"password": "wrong 7"}, "kafka_security_user, _password"),
        ("LOGIN", {"password": "wrong 7", "mechanism": "PLAIN"}, "kafka_security_user, _password"),
        ("LOGIN", {"user": "nobody"}, "kafka_security_user, _password"),
        ("LOGIN", {"mechanism": "SCRAM-SHA-256"}, "_mechanism"),
        ("MUTUAL", {"certificate": "", "key": ""}, "kafka_security_ca_file, _certificate, _key"),
        ("INTERNAL", {}, "_protocol"),
        ("TLS", {"ca_file": "/nowhere/ca.pem"}, "kafka_security_ca_file"),
    ],
)
def test_who_is_refused_or_refuses_is_told_the_setting(
    secured: Secured, listener: str, given: dict[str, str], setting: str
) -> None:
    given = {name: secured.other_ca if value == "other" else value for name, value in given.items()}
    with pytest.raises(SettingsError) as refused:
        asked(secured.brokers(listener, **given))
    assert setting in str(refused.value)
    assert PASSWORD not in str(refused.value)
    assert "wrong 7" not in str(refused.value)


def test_one_that_is_away_is_waited_for_and_no_error() -> None:
    (port,) = free_ports(1)
    assert not admitted(Brokers(f"127.0.0.1:{port}", KafkaSecurity("SSL")))


def heard(run: Callable[[threading.Event], None], until: Callable[[], object]) -> None:
    """Run a reader on a thread of its own until it has heard something."""
    stopping, tick = threading.Event(), threading.Event()
    thread = threading.Thread(target=run, args=(stopping,))
    thread.start()
    try:
        for _ in range(1000):
            if until():
                return
            tick.wait(0.02)
        pytest.fail("nothing heard within 20 s")
    finally:
        stopping.set()
        thread.join()


def test_every_client_of_the_product_writes_and_reads(secured: Secured, tmp_path: Path) -> None:
    brokers = secured.brokers("LOGIN")
    topics.create(brokers)
    producer = LogProducer(brokers, pytest.fail)
    producer.deliver([Sent(PARKING, "k", b"{}")], lambda: None)
    assert producer.close(20) == 0
    sink = KafkaSink(brokers)
    sink.send([Record(LATE, b"k", b"late", partition=0), Record(ALERTS, b"k", None, partition=0)])
    assert Claims(brokers, "drill", sink).take([f"{PARKING}/0"])
    assert load_checkpoints(brokers, "drill") == {}
    assert topic_identities(brokers, (PARKING,))[PARKING].partitions == TOPICS[PARKING].partitions
    source = ShardSource(brokers, "drill")
    shards = [f"{PARKING}/{number}" for number in range(TOPICS[PARKING].partitions)]
    assert sum(source.bounds(shard)[1] for shard in shards) == 1
    source.add(dict.fromkeys(shards))
    assert [list(batch.values) for batch in source.read(20)] == [[b"{}"]]
    source.close()
    assert recall(brokers, Occurrences()) == 0
    assert read_alerts(brokers) == []
    assert list(read(brokers, Selection())) == []
    values: list[bytes] = []
    heard(Tail(brokers, LATE, values.append, None).run, lambda: values)
    store, told = Store(f"sqlite:///{tmp_path / 'desk.db'}"), threading.Event()
    heard(Reader(brokers, store, told.set).run, told.is_set)
    store.close()
    group = Group(Group.configuration(brokers, "drill", 10, 60), (PARKING,), print, print)
    while not group.poll():
        threading.Event().wait(0.05)
    group.close()


def test_the_status_tells_the_log_or_the_wrong_setting(secured: Secured, tmp_path: Path) -> None:
    topics.create(secured.brokers("LOGIN"))
    with (
        Collector(secured.settings(tmp_path), 30) as good,
        Collector(secured.settings(tmp_path, "no"), 30) as bad,
    ):
        assert not isinstance(good._log(), str)
        assert "kafka_security_user, _password" in str(bad._log())


def test_a_door_of_its_own_process_takes_readings_with_the_password_in_a_file(
    secured: Secured, tmp_path: Path
) -> None:
    settings, secrets = secured.settings(tmp_path), tmp_path / "secrets"
    topics.create(secured.brokers("LOGIN"))
    secrets.mkdir()
    (secrets / "taishi_kafka_security_password").write_text(PASSWORD)
    environment = environment_of(settings) | {"TAISHI_SECRETS_FOLDERS": str(secrets)}
    del environment["TAISHI_KAFKA_SECURITY_PASSWORD"]
    row = "bay-7,,parking.space,370202001001001,,,,,,true"
    (tmp_path / "devices.csv").write_text(",".join(COLUMNS) + f"\n{row}\n")
    door = Stack(settings, dict(os.environ) | environment)
    reading = {"device": "bay-7", "kind": "parking.space", "metric": "occupied", "value": 1}
    with door.start("connect", "http", log=tmp_path / "log") as process:
        try:
            for _ in range(600):
                if "http listening" in (tmp_path / "log").read_text():
                    break
                assert process.poll() is None, (tmp_path / "log").read_text()
                threading.Event().wait(0.05)
            sent = reading | {"observed_at_ms": int(time.time() * 1000)}
            answer = httpx.post(f"http://127.0.0.1:{settings.http_port}/readings", json=sent, timeout=30)
            assert answer.status_code == 202, answer.text
        finally:
            process.terminate()
    assert PASSWORD not in (tmp_path / "log").read_text()


def test_a_command_with_a_wrong_password_ends_with_the_name_of_the_setting(
    secured: Secured, tmp_path: Path
) -> None:
    settings = secured.settings(tmp_path, "wrong 7")
    done = Stack(settings, dict(os.environ) | environment_of(settings)).run("topics", "list")
    assert done.returncode == 1
    assert "kafka_security_user, _password" in done.stderr
    assert "wrong 7" not in done.stderr + done.stdout
