"""The settings of Kafka: where it is, and how to speak to one of your own."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from schemas.brokers import Brokers, KafkaSecurity, Mechanism, Protocol
from schemas.errors import SettingsError

__all__ = ["KafkaSettings"]


class KafkaSettings(BaseSettings):
    """Part of `taishi.settings.Settings`, which says where values come from."""

    kafka_address: str | None = Field(
        None,
        description="host:port of a Kafka of your own; embedded if unset",
        pattern=r"^[^\s,/]+:\d{1,5}(,[^\s,/]+:\d{1,5})*$",
    )
    kafka_security_protocol: Protocol = Field(
        "PLAINTEXT",
        description="how to speak to a Kafka of your own: PLAINTEXT, SSL, SASL_SSL, SASL_PLAINTEXT",
    )
    kafka_security_ca_file: Path | None = Field(
        None, description="CA certificates (PEM) that sign its certificates; the system's if unset"
    )
    kafka_security_certificate: Path | None = Field(
        None, description="our certificate (PEM) where Kafka asks for one"
    )
    kafka_security_key: Path | None = Field(None, description="its private key (PEM)")
    kafka_security_mechanism: Mechanism = Field(
        "SCRAM-SHA-512", description="SASL: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN"
    )
    kafka_security_user: str = Field("", description="user name at Kafka, with SASL")
    kafka_security_password: str = Field("", description="password at Kafka, with SASL", repr=False)
    kafka_port: int = Field(19092, description="port of the embedded Kafka", ge=1, le=65535)
    kafka_controller_port: int = Field(19093, description="its controller's port", ge=1, le=65535)

    @property
    def kafka_bootstrap(self) -> Brokers:
        """host:port of the Kafka in use, and how to speak to it; SettingsError where that does not fit."""
        if self.kafka_address is None and self.kafka_security_protocol != "PLAINTEXT":
            raise SettingsError(
                f"kafka_security_protocol: received {self.kafka_security_protocol!r} without kafka_address, "
                "allowed: PLAINTEXT for the embedded Kafka"
            )
        return Brokers(self.kafka_address or f"127.0.0.1:{self.kafka_port}", self._kafka_security())

    def _kafka_security(self) -> KafkaSecurity:
        return KafkaSecurity(
            self.kafka_security_protocol,
            str(self.kafka_security_ca_file or ""),
            str(self.kafka_security_certificate or ""),
            str(self.kafka_security_key or ""),
            self.kafka_security_mechanism,
            self.kafka_security_user,
            self.kafka_security_password,
        )
