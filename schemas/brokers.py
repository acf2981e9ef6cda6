"""Where Kafka is, and how a client knows it and proves who it is: the one place that tells its libraries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from schemas.errors import SettingsError

__all__ = [
    "PLAINTEXT",
    "Brokers",
    "KafkaSecurity",
    "Mechanism",
    "Protocol",
    "kafka_client",
    "kafka_python_client",
]

Protocol = Literal["PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT"]
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """How clients speak to Kafka; the fields are the settings `kafka_security_…`.

    Raises:
        SettingsError: what is set does not belong to the protocol, or what belongs to it is missing.
    """

    protocol: Protocol = "PLAINTEXT"
    ca_file: str = ""
    certificate: str = ""
    key: str = ""
    mechanism: Mechanism = "SCRAM-SHA-512"
    user: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse what would be sent in clear, silently left out, or refused by every broker."""
        tls, sasl = "SSL" in self.protocol, self.protocol.startswith("SASL")
        files = {"ca_file": self.ca_file, "certificate": self.certificate, "key": self.key}
        if not tls:
            self._refuse(files, "SSL, SASL_SSL")
        if not sasl:
            self._refuse({"user": self.user, "password": "…" if self.password else ""}, "SASL_SSL")
        if bool(self.certificate) != bool(self.key):
            raise SettingsError(
                "kafka_security_certificate, _key: received one of them, allowed: both or none"
            )
        if sasl and not (self.user and self.password):
            raise SettingsError(
                "kafka_security_user, _password: received nothing in one of them, "
                f"allowed with {self.protocol}: both"
            )
        if self.protocol == "SASL_PLAINTEXT" and self.mechanism == "PLAIN":
            raise SettingsError(
                "kafka_security_mechanism: received 'PLAIN' with SASL_PLAINTEXT, which sends the password in "
                "clear; allowed: SASL_SSL, or SCRAM-SHA-512"
            )

    def _refuse(self, given: dict[str, str], protocols: str) -> None:
        for name, value in given.items():
            if value:
                raise SettingsError(
                    f"kafka_security_{name}: received {value!r} with kafka_security_protocol "
                    f"{self.protocol}, allowed: unset, or {protocols}"
                )


_IN_KAFKA_PYTHON: Final = {
    "bootstrap.servers": "bootstrap_servers",
    "security.protocol": "security_protocol",
    "ssl.ca.location": "ssl_cafile",
    "ssl.certificate.location": "ssl_certfile",
    "ssl.key.location": "ssl_keyfile",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
}
"""librdkafka's names of settings, and kafka-python's."""
PLAINTEXT: Final = KafkaSecurity()
"""In clear and without a name: the embedded Kafka, on loopback."""


class Brokers(str):
    """`host:port` of Kafka, with commas between several, and how its clients speak to it."""

    security: KafkaSecurity

    def __new__(cls, addresses: str, security: KafkaSecurity = PLAINTEXT) -> Brokers:
        """The addresses, as a text like any other, that knows its security."""
        made = super().__new__(cls, addresses)
        made.security = security
        return made


def kafka_client(brokers: str) -> dict[str, Any]:
    """What librdkafka must be told to reach them; addresses that are a plain text are spoken to in clear."""
    security = brokers.security if isinstance(brokers, Brokers) else PLAINTEXT
    told = {"bootstrap.servers": str(brokers)}
    if security.protocol == "PLAINTEXT":
        return told
    told |= {"security.protocol": security.protocol}
    told |= {
        name: value
        for name, value in {
            "ssl.ca.location": security.ca_file,
            "ssl.certificate.location": security.certificate,
            "ssl.key.location": security.key,
        }.items()
        if value
    }
    if security.user:
        told |= {"sasl.mechanism": security.mechanism, "sasl.username": security.user}
        told |= {"sasl.password": security.password}
    return told


def kafka_python_client(brokers: str) -> dict[str, Any]:
    """The same for kafka-python."""
    return {_IN_KAFKA_PYTHON[name]: told for name, told in kafka_client(brokers).items()}
