"""Settings of a Taishi installation: one declaration gives file, environment, checks and defaults.

Order, first wins: environment (`TAISHI_KAFKA_ADDRESS=...`), the TOML file named by
`TAISHI_SETTINGS` (default `taishi.toml` in the working directory), the defaults here. A part whose
address is set to something that is not embedded is not started by `taishi up`.
Constructing checks; nothing is opened or connected here.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings.exceptions import SettingsError as UnparsedError

from connectors.peers import LOOPBACK
from operations.people.keep import keep_days
from operations.people.samples import is_sample
from schemas.errors import SettingsError
from schemas.store import policies
from taishi.kafka_settings import KafkaSettings
from taishi.settings_errors import misspelt_variables, unparsed_words, wrong_words
from taishi.settings_files import secrets_folders, settings_file

__all__ = ["Settings", "load_settings"]

_POLL_SECRETS: Final = ("password", "token")
_ADDRESS: Final = r"^[^\s,/]+:\d{1,5}$"
_URL: Final = r"^https?://\S+$"


class Settings(KafkaSettings):
    """Everything an operator may set; units are in the names."""

    model_config = SettingsConfigDict(env_prefix="TAISHI_", extra="forbid", frozen=True, allow_inf_nan=False)

    home: Path = Field(
        Path.home() / ".local" / "state" / "taishi", description="data, logs and pids of the embedded stack"
    )
    cache: Path = Field(
        Path.home() / ".cache" / "taishi", description="downloads and builds, shared by all checkouts"
    )
    log_keep_days: float = Field(183.0, description="how long logs of the embedded parts stay", ge=1)
    log_limit_mib: int = Field(
        512, description="how much log one part may have; what goes before its days is told", ge=3
    )
    district: str = Field("370202", description="code of the district", pattern=r"^\d{6}$")
    places_file: Path | None = Field(None, description="imported grid layer; the synthetic one if unset")
    devices_file: Path | None = Field(
        None, description="device registry (CSV); the simulated city's if unset"
    )
    rules_file: Path | None = Field(
        None,
        description="rules that raise alerts (TOML, docs/rules.md); the set that comes with Taishi if unset",
    )
    oncall_file: Path | None = Field(
        None, description="who is told of alerts (TOML, docs/oncall.md); nobody if unset"
    )
    operations_database: str = Field(
        "", description="SQL database of the desk; home/data/operations.db if unset", repr=False
    )
    cases_file: Path | None = Field(
        None,
        description="hours, labels, categories of cases (TOML, docs/cases.md); the shipped ones if unset",
    )
    workflows_folder: Path | None = Field(
        None, description="workflows of one's own (TOML, docs/cases.md); the shipped ones if unset"
    )
    scenarios_file: Path | None = Field(
        None, description="stations, members, patrols, walking model (TOML, docs/scenarios.md); none if unset"
    )
    residents_file: Path | None = Field(
        None,
        description="who pseudonyms are of, sealed, for care workers (taishi residents); nobody if unset",
    )
    residents_keys_file: Path | None = Field(
        None,
        description="its keys, one a resident, never in its backups; residents.keys.json beside keys_file "
        "if unset",
    )
    audit_spool_file: Path | None = Field(
        None,
        description="where the record of life safety waits while its database takes nothing, best on another "
        "disk; home/audit-spool.jsonl if unset",
    )
    keys_file: Path | None = Field(
        None, description="keys of pseudonyms and seals (taishi keys); home/keys.json, made at need, if unset"
    )

    influxdb_address: str | None = Field(
        None, description="URL of an InfluxDB of your own; embedded if unset", pattern=_URL
    )
    influxdb_port: int = Field(18086, description="port of the embedded InfluxDB", ge=1, le=65535)
    influxdb_database: str = Field(
        "taishi", description="database (1.8); of 2.x what its buckets' names begin with", pattern=r"^\w+$"
    )
    influxdb_care_database: str = Field(
        "", description="database of the domain care, if it shall have its own", pattern=r"^\w*$"
    )
    influxdb_keep_days: dict[str, float] = Field(
        {}, description="policy (10s, 1m, 1h, events) -> days it keeps, where not 7, 90, 1095, 1095"
    )
    influxdb_org: str = Field("", description="organisation of an InfluxDB 2.x; unset for 1.8")
    influxdb_token: str = Field(
        "", description="token of an InfluxDB 2.x, or user:password of 1.8", repr=False
    )
    export_small_counts: bool = Field(
        False, description="whether exports may give counts of fewer than five people, when asked to"
    )
    mqtt_address: str | None = Field(
        None, description="host:port of an MQTT broker of your own; embedded if unset", pattern=_ADDRESS
    )
    mqtt_port: int = Field(18830, description="port of the embedded MQTT broker", ge=1, le=65535)
    mqtt_client_id: str = Field(
        "taishi-connect-mqtt", description="who the connector is to the broker; its session", min_length=1
    )
    mqtt_share: str = Field(
        "",
        description="connectors of one such group share what they read ($share); each its own mqtt_client_id",
        pattern=r"^[^/+#\s]*$",
    )
    mqtt_user: str = Field("", description="user name at the MQTT broker")
    mqtt_password: str = Field("", description="password at the MQTT broker", repr=False)
    mqtt_tls: bool = Field(
        False, description="speak TLS to the MQTT broker, with the system's CAs or mqtt_ca_file"
    )
    mqtt_ca_file: Path | None = Field(None, description="CA certificates (PEM) that sign the broker's")
    mqtt_client_certificate: Path | None = Field(
        None, description="our certificate (PEM) where the MQTT broker asks for one"
    )
    mqtt_client_key: Path | None = Field(None, description="its private key (PEM)")
    broker_tls_host: str = Field("127.0.0.1", description="where the embedded MQTT broker listens with TLS")
    broker_tls_port: int = Field(18883, description="port of it", ge=1, le=65535)
    broker_tls_certificate: Path | None = Field(
        None, description="the embedded MQTT broker's certificate (PEM); it listens with TLS if set"
    )
    broker_tls_key: Path | None = Field(None, description="its private key (PEM)")
    broker_rate_per_s: float = Field(
        1000.0, description="messages a second of one user of senders_file at the embedded MQTT broker", gt=0
    )
    broker_burst: int = Field(10_000, description="how many of them at once", ge=1)
    senders_file: Path | None = Field(
        None, description="who may send over HTTP and MQTT (taishi senders); without it loopback only"
    )
    mqtt_routes: dict[str, str] = Field(
        {
            "application/+/device/+/event/+": "chirpstack",
            "v3/+/devices/+/up": "tts",
            "zigbee2mqtt/+": "zigbee2mqtt",
            "frigate/+": "frigate",
            "taishi/governance/+": "governance",
            "taishi/readings/+": "native",
            "v1.1/+/Observations": "sensorthings",
            "senml/#": "senml",
        },
        description="topic filter -> codec; the first that matches",
    )
    http_routes: dict[str, str] = Field(
        {
            "/readings": "native",
            "/hikvision": "hikvision",
            "/onvif": "onvif",
            "/gb28181": "gb28181",
            "/gb26875": "gb26875",
            "/VIID/SubscribeNotifications": "gat1400",
            "/VIID/MotorVehicles": "gat1400",
            "/VIID/Faces": "gat1400",
            "/VIID/Persons": "gat1400",
            "/fhir": "fhir",
            "/governance": "governance",
            "/fiware": "fiware",
            "/tts": "tts",
            "/thingpark": "thingpark",
            "/senml": "senml",
            "/cloudevents": "cloudevents",
        },
        description="path of HTTP push -> codec",
    )
    codec_options: dict[str, dict[str, Any]] = Field(
        {}, description="codec -> its options; each is described in connectors/<codec>/README.md"
    )
    auto_register: dict[str, str] = Field(
        {},
        description="source (http.native) -> kind: devices in no registry that say where they stand are "
        "listed, once, in devices.auto.csv",
    )
    doors: tuple[Literal["mqtt", "http", "sip", "tcp", "poll"], ...] = Field(
        ("mqtt", "http"),
        description="connectors that `taishi up` runs: mqtt, http, sip, tcp, poll",
        min_length=1,
    )
    polls: dict[str, dict[str, Any]] = Field(
        {},
        description="name -> url, codec, every_s, stream, user, password, token: what to ask over HTTP",
        repr=False,
    )
    http_host: str = Field("127.0.0.1", description="where HTTP push listens")
    http_port: int = Field(18080, description="port of HTTP push", ge=1, le=65535)
    http_tls_certificate: Path | None = Field(None, description="HTTP push's certificate (PEM); TLS if set")
    http_tls_key: Path | None = Field(None, description="its private key (PEM)")
    http_rate_per_s: float = Field(
        100.0, description="requests a second of one sender, or of an address that is none; not on loopback "
        "without senders_file", gt=0,
    )  # fmt: skip
    http_token: str = Field(
        "", description="token of our own commands at the HTTP door (simulate, quarantine replay)", repr=False
    )
    http_burst: int = Field(1000, description="how many of them at once", ge=1)
    device_rate_per_s: float = Field(
        50.0,
        description="readings a second of one device at any door; what is more goes to quarantine (rate)",
        gt=0,
    )
    device_burst: int = Field(5000, description="how many of them at once", ge=1)
    sip_host: str = Field("127.0.0.1", description="where SIP MESSAGE (UDP) is taken")
    sip_port: int = Field(15060, description="UDP port of SIP", ge=1, le=65535)
    sip_peers: tuple[str, ...] = Field(
        LOOPBACK, description="networks whose devices may send SIP: the protocol shows no credential"
    )
    sip_codec: str = Field("gb28181", description="codec of the bodies of SIP MESSAGE")
    tcp_host: str = Field("127.0.0.1", description="where frames over TCP are taken")
    tcp_port: int = Field(15075, description="port of frames over TCP", ge=1, le=65535)
    tcp_peers: tuple[str, ...] = Field(
        LOOPBACK, description="networks whose devices may send frames over TCP"
    )
    tcp_codec: str = Field("gb26875", description="codec, and so the framing, of what comes over TCP")
    outgoing: bool = Field(
        False, description="whether `taishi up` runs NGSI-LD and CAP for other platforms (docs/outgoing.md)"
    )
    outgoing_host: str = Field("127.0.0.1", description="where NGSI-LD and CAP are given")
    outgoing_port: int = Field(18090, description="port of them", ge=1, le=65535)
    pages_url: str = Field(
        "",
        description="how browsers reach the live pages, whose map the boards show; pages_port here if unset",
    )
    outgoing_url: str = Field("", description="how others reach them, where a proxy stands before them")
    outgoing_tls_certificate: Path | None = Field(None, description="their certificate (PEM); TLS if set")
    outgoing_tls_key: Path | None = Field(None, description="its private key (PEM)")
    pages: bool = Field(True, description="whether `taishi up` runs the live pages (docs/pages.md)")
    pages_host: str = Field(
        "127.0.0.1", description="where the live pages are served: loopback, for they know no users yet"
    )
    pages_port: int = Field(18085, description="port of them", ge=1, le=65535)
    grafana_address: str = Field(
        "", description="URL of the Grafana that `taishi boards push` puts boards into"
    )
    grafana_token: str = Field("", description="token of a service account there (role Editor)", repr=False)
    grafana_ca_file: Path | None = Field(
        None, description="CA certificates (PEM) that sign its certificate; the system's if unset"
    )
    desk: bool = Field(False, description="whether `taishi up` runs the operations desk (docs/desk.md)")
    desk_keep_days: dict[str, float] = Field(
        {}, description="table of the desk -> days it is kept (taishi retention), where not as shipped"
    )
    desk_host: str = Field("127.0.0.1", description="where the desk is served; beyond loopback with TLS only")
    desk_port: int = Field(18084, description="port of it", ge=1, le=65535)
    desk_tls_certificate: Path | None = Field(None, description="the desk's certificate (PEM); TLS if set")
    desk_tls_key: Path | None = Field(None, description="its private key (PEM)")
    prism_aggregate_port: int = Field(
        18073, description="job port of the aggregate worker's Prism", ge=1, le=65535
    )
    prism_situation_port: int = Field(
        18074, description="job port of the situation worker's Prism", ge=1, le=65535
    )
    prism_signals_port: int = Field(
        18075, description="job port of the signals worker's Prism", ge=1, le=65535
    )
    prism_presence_port: int = Field(
        18076, description="job port of the presence worker's Prism", ge=1, le=65535
    )
    prism_watch_port: int = Field(18077, description="job port of the watch worker's Prism", ge=1, le=65535)
    metrics_port: int = Field(
        19100, description="first of 20 consecutive ports of the parts' Prometheus metrics", ge=1, le=65515
    )
    metrics_host: str = Field(
        "127.0.0.1", description="where they are served; elsewhere only in a network that is closed to others"
    )
    metrics_hosts: dict[str, str] = Field(
        {}, description="part -> host of its metrics, of parts that run on another (deploy/)"
    )

    window_s: tuple[int, ...] = Field(
        (10, 60, 3600), description="window sizes; each a multiple of the first"
    )
    delay_s: float = Field(5.0, description="how far the watermark trails the log's clock", ge=0)
    lateness_s: int = Field(600, description="how late a reading may be and still count", ge=0)
    skew_max_s: int = Field(60, description="how far ahead of the log a device's clock may be", ge=0)
    worker_group: str = Field(
        "",
        description="group that workers join, those of `taishi up` too, where --group, --shards and "
        "--from-oldest are not given; unset: each holds all shards by itself",
        pattern=r"^[A-Za-z0-9._-]{0,64}$",
    )
    checkpoint_interval_s: float = Field(10.0, description="longest time between two checkpoints", gt=0)
    simulated_devices: int = Field(20_000, description="devices of the simulated city", ge=1)
    simulated_seed: int = Field(370202, description="seed of the simulated city")

    @property
    def operations_url(self) -> str:
        """SQLAlchemy URL of the desk's database."""
        return self.operations_database or f"sqlite:///{self.home / 'data' / 'operations.db'}"

    @property
    def audit_spool(self) -> Path:
        """The file of the spool in use."""
        return self.audit_spool_file or self.home / "audit-spool.jsonl"

    @property
    def influxdb_url(self) -> str:
        """URL of the InfluxDB in use."""
        return self.influxdb_address or f"http://127.0.0.1:{self.influxdb_port}"

    @property
    def mqtt_host_port(self) -> tuple[str, int]:
        """Host and port of the MQTT broker in use."""
        host, _, port = (self.mqtt_address or f"127.0.0.1:{self.mqtt_port}").rpartition(":")
        return host, int(port)

    @property
    def logs(self) -> Path:
        """The one folder of all logs."""
        return self.home / "logs"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then secrets as files, then the TOML file."""
        secrets = SecretsSettingsSource(settings_cls, secrets_folders())
        return init_settings, env_settings, secrets, TomlConfigSettingsSource(settings_cls, settings_file())


def _refuse_samples(settings: Settings) -> None:
    """SettingsError that names the secrets that everybody knows; never what they are."""
    database, polls = urlsplit(settings.operations_database), settings.polls
    secrets = {
        "influxdb_token": settings.influxdb_token.rpartition(":")[2],
        "kafka_security_password": settings.kafka_security_password,
        "mqtt_password": settings.mqtt_password,
        "http_token": settings.http_token,
        "grafana_token": settings.grafana_token,
        "operations_database": unquote(database.password or ""),
        **{f"polls.{name}.{key}": str(polls[name].get(key, "")) for name in polls for key in _POLL_SECRETS},
    }
    if samples := [name for name, secret in secrets.items() if secret and is_sample(secret)]:
        raise SettingsError(
            f"{', '.join(samples)}: received a sample password, allowed: one of your own making, such as "
            "`openssl rand -base64 24` prints"
        )


def load_settings(**given: Any) -> Settings:
    """Read and check the settings; SettingsError names each wrong field, what came and what is allowed."""
    named = os.environ.get("TAISHI_SETTINGS")
    if named and not Path(named).is_file():
        raise SettingsError(f"TAISHI_SETTINGS: received {named!r}, allowed: a file that is there")
    if slips := list(misspelt_variables(os.environ, Settings.model_fields)):
        raise SettingsError("; ".join(slips))
    settings = _read(given)
    policies(settings.window_s, settings.influxdb_keep_days)
    keep_days(settings.desk_keep_days)
    _refuse_samples(settings)
    settings.kafka_bootstrap  # noqa: B018 - what does not fit is told here, not by the first who asks
    return settings


def _read(given: dict[str, Any]) -> Settings:
    file, fields = settings_file(), Settings.model_fields
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("settings: " + wrong_words(error, fields, file)) from error
    except UnparsedError as error:
        raise SettingsError(unparsed_words(error, fields)) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: received {error}; allowed: a TOML file in UTF-8") from error
