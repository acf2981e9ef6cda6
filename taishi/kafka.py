"""The Kafka of the settings, asked whether it lets us in; if not, which setting is wrong."""

from __future__ import annotations

import time
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from schemas.brokers import PLAINTEXT, Brokers, kafka_client
from schemas.errors import SettingsError
from taishi.settings import Settings

__all__ = ["admitted", "kafka_of"]

LIMIT_S: Final = 10.0
_TRY_S: Final = 0.5
_AWAY: Final = {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE}  # noqa: SLF001
_NAMES: Final = {
    "ssl.ca.location": "ca_file",
    "ssl.certificate.location": "certificate",
    "ssl.key.location": "key",
    "sasl.username": "user",
    "sasl.password": "password",
    "sasl.mechanism": "mechanism",
    "security.protocol": "protocol",
}
"""librdkafka's names of what it complains of, and ours without their `kafka_security_`."""
_WRONG: Final = {
    KafkaError._SSL: "kafka_security_ca_file, _certificate, _key or _protocol",  # noqa: SLF001 - its names
    KafkaError._AUTHENTICATION: "kafka_security_user, _password or _mechanism",  # noqa: SLF001
}
"""Errors that no waiting mends, and the settings that are to blame."""
_SAID: Final = ("SSL alert", "connecting to a PLAINTEXT broker listener?")
"""The same, where librdkafka says a line broke: our certificate is missing, or no TLS is spoken there."""


def kafka_of(settings: Settings) -> Brokers:
    """Where Kafka is and how to speak to it.

    Where that is not in clear, Kafka is asked for its topics first. One that is away is no error: whoever
    reads or writes waits for it, as ever.

    Raises:
        SettingsError: Kafka is there and refuses us, or we it; names the setting and what was said.
    """
    brokers = settings.kafka_bootstrap
    if brokers.security != PLAINTEXT:
        admitted(brokers)
    return brokers


def admitted(brokers: Brokers, limit_s: float = LIMIT_S) -> bool:
    """Whether Kafka answered us within the limit; SettingsError where it, or we, refused."""
    told: list[KafkaError] = []
    client = _client(brokers, told)
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        try:
            client.list_topics(timeout=_TRY_S)
        except KafkaException:
            client.poll(0)  # hands us what it was told meanwhile
        else:
            return True
        _refuse(brokers, told)
        if any(error.code() in _AWAY for error in told):
            return False
    return False


def _client(brokers: Brokers, told: list[KafkaError]) -> AdminClient:
    quiet = {"log_level": 0, "client.id": "taishi-asks", "error_cb": told.append}
    try:
        return AdminClient(kafka_client(brokers) | quiet)
    except KafkaException as error:  # a file that is none, or holds something else
        raise SettingsError(_ours(error.args[0].str())) from error


def _refuse(brokers: Brokers, told: list[KafkaError]) -> None:
    for error in told:
        code = KafkaError._SSL if any(said in error.str() for said in _SAID) else error.code()  # noqa: SLF001
        if code in _WRONG:
            raise SettingsError(
                f"Kafka at {brokers}: {_WRONG[code]}: received {_ours(error.str())!r}, allowed: what this "
                f"Kafka's listener takes with {brokers.security.protocol}"
            )


def _ours(text: str) -> str:
    for name, setting in _NAMES.items():
        text = text.replace(name, f"kafka_security_{setting}")
    return text
