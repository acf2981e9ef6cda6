"""`taishi connect`: one connector in this process; `taishi up` runs both for you."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click
import msgspec
import structlog

from connectors.auto_register import AutoRegister, auto_path
from connectors.base import Codec
from connectors.codecs import load_codecs
from connectors.device_rate import DeviceRates
from connectors.gateway import Gateway
from connectors.http.app import HttpSettings, application
from connectors.http.slow import PunctualProtocol
from connectors.mqtt.client import MqttConnector
from connectors.mqtt.routes import UNROUTED, TopicRoutes, Unrouted
from connectors.occurrences import Occurrences
from connectors.peers import Peers
from connectors.poll.client import Poller, PollTarget
from connectors.privacy.keys import KeyFile
from connectors.producer import LogProducer
from connectors.recall import recall
from connectors.registry import DeviceRegistry
from connectors.resolve import Resolver
from connectors.scorecard import Scorecard
from connectors.sip.server import SipSettings
from connectors.sip.server import serve as serve_sip
from connectors.tcp.framing import framing_of
from connectors.tcp.server import TcpSettings
from connectors.tcp.server import serve as serve_tcp
from schemas.errors import SettingsError, received_allowed
from taishi import logs, metrics
from taishi.devices import devices_path
from taishi.doors import http_guard, mqtt_settings, tls_pair
from taishi.kafka import kafka_of
from taishi.keys import guard_of
from taishi.outbound import guard_connections
from taishi.places import load_registry
from taishi.serving import listener
from taishi.settings import Settings, load_settings
from taishi.web import answer

__all__ = ["connect"]

_LOG = structlog.get_logger(__name__)
_LOOK_S: Final = 2.0
_DRAIN_S: Final = 10.0
_PROBLEMS_SHOWN: Final = 20


@click.group()
def connect() -> None:
    """Take messages from devices to Kafka. A message is acknowledged when Kafka has it, not before."""


@connect.command()
def mqtt() -> None:
    """Subscribe to the MQTT broker."""
    settings = load_settings()
    logs.configure("connect-mqtt")
    routes = TopicRoutes(settings.mqtt_routes)
    codecs = load_codecs(settings.mqtt_routes.values(), settings.codec_options) | {UNROUTED: Unrouted()}
    metrics.serve(settings.metrics_port + 1, settings.metrics_host)
    own = mqtt_settings(settings, _DRAIN_S)
    producer, gateway = _door(settings, "mqtt", codecs)
    connector = MqttConnector(own, routes, gateway)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: connector.stop())
    connector.run()
    _end(producer)


@connect.command()
def http() -> None:
    """Listen for HTTP push."""
    settings = load_settings()
    logs.configure("connect-http")
    codecs = load_codecs(settings.http_routes.values(), settings.codec_options)
    metrics.serve(settings.metrics_port + 2, settings.metrics_host)
    guard = http_guard(settings)
    tls = tls_pair("http_tls", settings.http_tls_certificate, settings.http_tls_key)
    producer, gateway = _door(settings, "http", codecs)
    app = application(HttpSettings(settings.http_routes), gateway, guard)
    listening = listener(settings.http_host, settings.http_port, "http")
    _LOG.info(
        "http listening",
        host=settings.http_host,
        port=settings.http_port,
        paths=list(settings.http_routes),
        tls=tls is not None,
        senders=settings.senders_file is not None,
    )
    answer(app, listening, int(_DRAIN_S), tls=tls, http=PunctualProtocol)
    _end(producer)


@connect.command()
def sip() -> None:
    """Take SIP MESSAGE requests (GB/T 28181 alarms) over UDP."""
    settings = load_settings()
    logs.configure("connect-sip")
    codecs = load_codecs([settings.sip_codec], settings.codec_options)
    metrics.serve(settings.metrics_port + 7, settings.metrics_host)
    producer, gateway = _door(settings, "sip", codecs)
    own = SipSettings(
        settings.sip_host, settings.sip_port, settings.sip_codec, Peers(settings.sip_peers), drain_s=_DRAIN_S
    )
    asyncio.run(_until_signal(partial(serve_sip, own, gateway)))
    _end(producer)


@connect.command()
def tcp() -> None:
    """Take frames (GB/T 26875.3 fire alarm transmission) over TCP."""
    settings = load_settings()
    logs.configure("connect-tcp")
    codecs = load_codecs([settings.tcp_codec], settings.codec_options)
    framing = framing_of(settings.tcp_codec, codecs[settings.tcp_codec])
    metrics.serve(settings.metrics_port + 8, settings.metrics_host)
    producer, gateway = _door(settings, "tcp", codecs)
    own = TcpSettings(
        settings.tcp_host, settings.tcp_port, settings.tcp_codec, Peers(settings.tcp_peers), drain_s=_DRAIN_S
    )
    asyncio.run(_until_signal(partial(serve_tcp, own, framing, gateway)))
    _end(producer)


@connect.command()
def poll() -> None:
    """Ask platforms over HTTP, and listen to devices' event streams: the `polls` of the settings."""
    settings = load_settings()
    logs.configure("connect-poll")
    guard_connections()
    if not settings.polls:
        raise SettingsError("polls: not set, allowed: [polls.<name>] with url and codec in taishi.toml")
    targets = [_target(name, given) for name, given in settings.polls.items()]
    codecs = load_codecs([target.codec for target in targets], settings.codec_options)
    metrics.serve(settings.metrics_port + 10, settings.metrics_host)
    producer, gateway = _door(settings, "poll", codecs)
    poller = Poller(targets, gateway)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: poller.stop())
    _LOG.info("polling", targets=[target.name for target in targets])
    poller.run()
    _end(producer)


def _target(name: str, given: dict[str, Any]) -> PollTarget:
    known = {each.name for each in dataclasses.fields(PollTarget)} - {"name"}
    for key in given:
        if key not in known:
            raise SettingsError(received_allowed(f"polls.{name}", key, sorted(known)))
    try:
        return msgspec.convert({"name": name} | given, PollTarget)
    except msgspec.ValidationError as error:
        raise SettingsError(f"polls.{name}: {error}") from error


async def _until_signal(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(stop)


def _door(settings: Settings, transport: str, codecs: dict[str, Codec]) -> tuple[LogProducer, Gateway]:
    """The accept path, with a registry that follows its file."""
    path = devices_path(settings)
    newcomers = AutoRegister(auto_path(path), settings.auto_register)
    devices = _wait_for_registry(path)
    guard, keys = guard_of(settings)
    threading.Thread(target=_follow, args=(devices, keys), name="follow", daemon=True).start()
    producer = LogProducer(kafka_of(settings), _fail)
    resolver = Resolver(devices, load_registry(settings), guard)
    occurrences = Occurrences()
    signals = recall(kafka_of(settings), occurrences)
    _LOG.info("signals recalled", signals=signals)
    return producer, Gateway(
        transport,
        codecs,
        devices,
        resolver,
        producer,
        occurrences=occurrences,
        newcomers=newcomers,
        scorecard=Scorecard(settings.lateness_s),
        device_rates=DeviceRates(settings.device_rate_per_s, settings.device_burst),
    )


def _wait_for_registry(path: Path) -> DeviceRegistry:
    """The registry; waits for the file to appear, saying so once. A signal ends the waiting."""
    if not path.is_file():
        _LOG.warning("waiting for the device registry", path=str(path))
    interrupted = threading.Event()
    before = {number: signal.signal(number, _leave) for number in (signal.SIGTERM, signal.SIGINT)}
    while not path.is_file():
        interrupted.wait(_LOOK_S / 4)
    for number, handler in before.items():
        signal.signal(number, handler)
    devices = DeviceRegistry(path)
    _say(devices)
    return devices


def _follow(devices: DeviceRegistry, keys: KeyFile) -> None:
    """Read registry and keys again whenever their files have changed; what was read stays if that fails."""
    never = threading.Event()
    failed = ""
    while not never.wait(_LOOK_S):
        try:
            if devices.refresh():
                _say(devices)
            if keys.refresh():
                _LOG.info("keys read", newest=keys.keys.newest, versions=sorted(keys.keys.versions))
            failed = ""
        except SettingsError as error:
            if str(error) != failed:
                _LOG.error("kept as it was", error=str(error))
            failed = str(error)


def _say(devices: DeviceRegistry) -> None:
    _LOG.info("device registry read", devices=len(devices), refused=len(devices.problems))
    if devices.problems:
        _LOG.warning("device registry: rows refused", rows=_first(devices.problems))


def _first(problems: Iterable[str]) -> list[str]:
    return list(problems)[:_PROBLEMS_SHOWN]


def _fail(why: str) -> None:
    """Leave now: nothing unconfirmed was acknowledged, so all of it comes again to the next process."""
    _LOG.critical("cannot go on", error=why)
    sys.stderr.flush()
    os._exit(1)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _end(producer: LogProducer) -> None:
    left = producer.close(_DRAIN_S)
    if left:
        _LOG.warning("left with records unconfirmed; their senders were not acknowledged", records=left)
