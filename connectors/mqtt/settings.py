"""Where the broker is, and who we are to it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt

__all__ = ["MqttSettings", "MqttTls", "show_mqtt", "tls_context"]


@dataclass(frozen=True, slots=True)
class MqttTls:
    """Speak TLS, and to a broker with another name than its certificate's do not speak at all.

    `ca_file` None: the system's CAs. `certificate` and `key`: ours, where the broker asks for one. All PEM.
    """

    ca_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """Two connectors with one client id throw each other out.

    `share`: the group whose members the broker gives each message to one of; "" for no group.
    """

    host: str
    port: int
    client_id: str = "taishi-connect-mqtt"
    user: str = ""
    password: str = ""
    tls: MqttTls | None = None
    keepalive_s: int = 60
    drain_s: float = 10.0
    share: str = ""


def tls_context(tls: MqttTls) -> ssl.SSLContext:
    """Checks the broker's certificate and its name; OSError for files that are not PEM."""
    context = ssl.create_default_context(cafile=None if tls.ca_file is None else str(tls.ca_file))
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key)
    return context


def show_mqtt(settings: MqttSettings, client: mqtt.Client) -> None:
    """Have a paho client, not yet connected, show who we are, and over TLS where that is set."""
    if settings.user:
        client.username_pw_set(settings.user, settings.password)
    if settings.tls is not None:
        client.tls_set_context(tls_context(settings.tls))
