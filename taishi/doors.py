"""From the installation's settings to how strict its doors are."""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import structlog

from connectors.http.guard import Guard, RateLimit
from connectors.http.trust import Trust
from connectors.mqtt.settings import MqttSettings, MqttTls
from connectors.rate import TokenBuckets
from deploy.embedded.mqtt_broker import BrokerSettings, Refusal, TlsListener
from deploy.embedded.mqtt_trust import MqttUsers
from schemas.errors import SettingsError
from taishi.senders import Entry, follow, trust_of, users_of
from taishi.settings import Settings

__all__ = ["broker_settings", "http_guard", "is_loopback", "mqtt_settings", "own_http_client", "tls_pair"]

_LOG = structlog.get_logger(__name__)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def http_guard(settings: Settings) -> Guard:
    """The HTTP door's guard, which follows the senders file.

    SettingsError for an open door that others than this machine would reach.
    """
    limit = RateLimit(settings.http_rate_per_s, settings.http_burst)
    if settings.senders_file is None:
        if not is_loopback(settings.http_host):
            raise SettingsError(
                f"http_host: received {settings.http_host} without senders_file, allowed: 127.0.0.1, or set "
                "senders_file (TAISHI_SENDERS_FILE) and make it with: taishi senders add"
            )
        return Guard(None, limit)
    guard = Guard(Trust([]), limit)
    follow(settings.senders_file, lambda entries: guard.replace(trust_of(entries)))
    if settings.http_tls_certificate is None and not is_loopback(settings.http_host):
        _LOG.warning("tokens come in clear: set http_tls_certificate, or put TLS in front of this door")
    return guard


def tls_pair(name: str, certificate: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    """Certificate and key, tried; None when neither is set. SettingsError names the setting and the fault."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise SettingsError(f"{name}_certificate and {name}_key: received one of them, allowed: both")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        what = f"{name}_certificate {certificate} and {name}_key {key}"
        raise SettingsError(f"{what}: {error}; allowed: PEM files that belong together") from error
    return certificate, key


def own_http_client(settings: Settings, limit_s: float) -> httpx.Client:
    """A client for our own door: shows `http_token`; over TLS takes the door's certificate and no other."""
    headers = {"Authorization": f"Bearer {settings.http_token}"} if settings.http_token else {}
    wildcard = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to be replaced
    host = wildcard.get(settings.http_host, settings.http_host)
    scheme, context = "http", None
    if settings.http_tls_certificate is not None:
        scheme, context = "https", _pinned(settings.http_tls_certificate)
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.http_port}"
    return httpx.Client(
        base_url=url, timeout=limit_s, trust_env=False, headers=headers, verify=context or True
    )


def _pinned(certificate: Path) -> ssl.SSLContext:
    """Trusts the file's first certificate alone, whoever signed it, so its names do not matter."""
    try:
        own = certificate.read_text("ascii").partition("-----END CERTIFICATE-----")
        context = ssl.create_default_context(cadata="".join(own[:2]))
    except (OSError, ValueError) as error:
        raise SettingsError(f"http_tls_certificate {certificate}: {error}; allowed: a PEM file") from error
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False
    return context


def mqtt_settings(settings: Settings, drain_s: float) -> MqttSettings:
    """What the MQTT connector must know. SettingsError for TLS files that are not."""
    host, port = settings.mqtt_host_port
    tls = None
    if settings.mqtt_tls:
        pair = tls_pair("mqtt_client", settings.mqtt_client_certificate, settings.mqtt_client_key)
        if settings.mqtt_ca_file is not None and not settings.mqtt_ca_file.is_file():
            raise SettingsError(
                f"mqtt_ca_file: received {settings.mqtt_ca_file}, allowed: a file of CAs (PEM)"
            )
        tls = MqttTls(settings.mqtt_ca_file, *(pair or (None, None)))
    return MqttSettings(
        host=host,
        port=port,
        client_id=settings.mqtt_client_id,
        user=settings.mqtt_user,
        password=settings.mqtt_password,
        tls=tls,
        drain_s=drain_s,
        share=_share(settings),
    )


def _share(settings: Settings) -> str:
    if settings.mqtt_share and settings.mqtt_address is None:
        raise SettingsError(
            f"mqtt_share: received {settings.mqtt_share}, allowed: with mqtt_address, a broker that "
            "knows shared subscriptions (Mosquitto 1.6 and later); the embedded one does not"
        )
    return settings.mqtt_share


def broker_settings(settings: Settings, told: Callable[[Refusal, str, str], None]) -> BrokerSettings:
    """What the embedded MQTT broker must know; its users follow the senders file.

    SettingsError for TLS files that are not, and for a TLS listener for others without senders.
    """
    pair = tls_pair("broker_tls", settings.broker_tls_certificate, settings.broker_tls_key)
    host, tls = settings.broker_tls_host, None
    if pair is not None:
        tls = TlsListener(host, settings.broker_tls_port, *pair)
        if settings.senders_file is None and not is_loopback(host):
            raise SettingsError(
                f"broker_tls_host: received {host} without senders_file, allowed: 127.0.0.1, or set "
                "senders_file (TAISHI_SENDERS_FILE) and make it with: taishi senders add NAME --mqtt"
            )
    elif not is_loopback(host):
        raise SettingsError(
            f"broker_tls_host: received {host}, allowed: with broker_tls_certificate and _key"
        )
    rates = TokenBuckets(settings.broker_rate_per_s, settings.broker_burst)
    made = BrokerSettings(
        settings.mqtt_port, tls, told=told, wait_s=lambda user: rates.take(user, time.monotonic())
    )
    if settings.senders_file is not None:

        def use(entries: tuple[Entry, ...]) -> None:
            made.users = MqttUsers(users_of(entries))

        follow(settings.senders_file, use)
    return made
