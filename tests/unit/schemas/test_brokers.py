"""What a Kafka client is told of security, and what is refused before anything is asked."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from schemas.brokers import Brokers, KafkaSecurity, kafka_client
from schemas.errors import SettingsError

ROOT = Path(__file__).resolve().parents[3]
LOGIN = {"user": "taishi", "password": "its own 9"}


def test_plain_addresses_and_the_embedded_kafka_are_spoken_to_in_clear() -> None:
    assert kafka_client("a:1") == kafka_client(Brokers("a:1")) == {"bootstrap.servers": "a:1"}


def test_tls_with_certificates_and_names_are_told_to_the_client() -> None:
    security = KafkaSecurity("SASL_SSL", "ca.pem", "we.pem", "we.key", "PLAIN", **LOGIN)
    assert kafka_client(Brokers("a:1,b:2", security)) == {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": "ca.pem",
        "ssl.certificate.location": "we.pem",
        "ssl.key.location": "we.key",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "taishi",
        "sasl.password": "its own 9",
    }


def test_a_copy_in_another_process_knows_its_security_and_nothing_prints_the_password() -> None:
    made = Brokers("a:1", KafkaSecurity("SASL_SSL", **LOGIN))
    assert pickle.loads(pickle.dumps(made)).security == made.security  # noqa: S301 - its own
    assert "its own 9" not in f"{made}{made!r}{made.security!r}"


@pytest.mark.parametrize(
    ("given", "setting"),
    [
        ({"ca_file": "ca.pem"}, "kafka_security_ca_file: received 'ca.pem'"),
        ({"user": "taishi"}, "kafka_security_user: received 'taishi'"),
        ({"protocol": "SSL", **LOGIN}, "kafka_security_user"),
        ({"protocol": "SASL_PLAINTEXT", "ca_file": "ca.pem", **LOGIN}, "kafka_security_ca_file"),
        ({"protocol": "SSL", "certificate": "a"}, "kafka_security_certificate, _key"),
        ({"protocol": "SASL_SSL", "user": "taishi"}, "kafka_security_user, _password"),
        ({"protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN", **LOGIN}, "kafka_security_mechanism"),
    ],
)
def test_what_does_not_fit_is_refused_by_the_name_of_its_setting(given: dict[str, Any], setting: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(setting)) as refused:
        KafkaSecurity(**given)
    assert LOGIN["password"] not in str(refused.value)


def test_no_client_of_the_product_is_made_beside_it() -> None:
    """Whoever writes the address into a client by hand forgets how to speak to it."""
    folders = ("connectors", "pipelines", "operations", "taishi", "simulation", "schemas")
    naming = {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"bootstrap[._]servers", path.read_text(encoding="utf-8"))
    }
    assert naming == {"schemas/brokers.py"}
