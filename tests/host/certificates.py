"""A certificate authority, and a certificate for a host that has several names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make_certificates(names: Iterable[str]) -> dict[str, bytes]:
    """`tls_ca`, `tls_certificate` and `tls_key` (PKCS #8), as PEM; for these names and 127.0.0.1."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _builder("a test's CA", "a test's CA", ca_key, is_ca=True).sign(ca_key, hashes.SHA256())
    known = [*map(x509.DNSName, names), x509.IPAddress(IPv4Address("127.0.0.1"))]
    of_host = _builder("host", "a test's CA", key, is_ca=False)
    of_host = of_host.add_extension(x509.SubjectAlternativeName(known), critical=False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "tls_ca": ca.public_bytes(pem),
        "tls_certificate": of_host.sign(ca_key, hashes.SHA256()).public_bytes(pem),
        "tls_key": private,
    }


def _builder(
    name: str, issuer: str, key: ec.EllipticCurvePrivateKey, *, is_ca: bool
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
