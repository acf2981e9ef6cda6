"""Fixtures of the contract suites: a session's own certificate authority, and a broker it vouches for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import sqlalchemy
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from taishi.settings import load_settings
from tests.contract.trusted_broker import TrustedBroker, start_broker
from tests.influxdb2 import InfluxDb2, running, wanted


@dataclass(frozen=True)
class Certificates:
    """PEM files: a server's certificate for 127.0.0.1 with its key, its CA, and another CA.

    `expired` is as good as `certificate` was, of the same CA and key, until an hour ago.
    """

    ca: Path
    certificate: Path
    key: Path
    other_ca: Path
    expired: Path


@pytest.fixture(scope="session")
def influxdb2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDb2]:
    """A real InfluxDB 2.x of this session's own."""
    with running(wanted(load_settings().cache), tmp_path_factory.mktemp("influxdb2")) as made:
        yield made


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    ca_key, other_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    ca, other = (
        _signed("a test's CA", ca_key, None, ca_key),
        _signed("another CA", other_key, None, other_key),
    )
    server = _signed("127.0.0.1", key, ca, ca_key)
    expired = _signed("127.0.0.1", key, ca, ca_key, days=-1 / 24)
    files = {"ca": ca, "certificate": server, "other_ca": other, "expired": expired}
    for name, made in files.items():
        (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Certificates(**{name: folder / f"{name}.pem" for name in (*files, "key")})


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
    days: float = 1.0,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(name))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


@pytest.fixture(params=["sqlite", "postgresql"])
def desk_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of the desk."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'desk.db'}"
    server: str = request.getfixturevalue("postgresql")
    engine = sqlalchemy.create_engine(server)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DROP SCHEMA IF EXISTS desk_under_test CASCADE"))
        connection.execute(sqlalchemy.text("CREATE SCHEMA desk_under_test"))
    engine.dispose()
    return f"{server}?options=-csearch_path%3Ddesk_under_test"


@pytest.fixture(params=["embedded", "mosquitto"])
def broker(
    request: pytest.FixtureRequest, tmp_path: Path, certificates: Certificates, program: Callable[[str], str]
) -> Iterator[TrustedBroker]:
    """A broker with TLS and named senders: the embedded one, then Mosquitto."""
    running = start_broker(
        tmp_path, certificates, program("mosquitto") if request.param == "mosquitto" else ""
    )
    yield running
    running.process.kill()
    running.process.wait()
