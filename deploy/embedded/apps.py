"""Taishi's own processes as parts: topics, broker, connectors, workers, the simulated city."""

from __future__ import annotations

import sys

from deploy.embedded.parts import Health, Part
from deploy.embedded.settings import StackSettings

__all__ = [
    "broker",
    "connectors",
    "desk",
    "oncall",
    "outgoing",
    "pages",
    "scorecard",
    "simulation",
    "store",
    "topics",
    "workers",
]


def _taishi(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "taishi.cli.main", *words)


def _app(
    settings: StackSettings,
    name: str,
    words: tuple[str, ...],
    needs: tuple[str, ...],
    ports: dict[str, int] | None = None,
) -> Part:
    """A long-running command of ours: healthy when its metrics answer."""
    port = settings.metrics_of(name)
    return Part(
        name=name,
        command=_taishi(*words),
        log=name,
        health=Health("http", port, "/metrics"),
        environment=dict(settings.environment),
        ports=(ports or {}) | {"metrics_port": port},
        needs=needs,
    )


def topics(settings: StackSettings) -> Part:
    """Create what is missing, verify what is there; nothing that reads or writes starts before."""
    return Part(
        name="topics",
        command=_taishi("topics", "create"),
        log="topics",
        environment=dict(settings.environment),
        needs=("kafka",),
        once=True,
    )


def store(settings: StackSettings) -> Part:
    """Make or correct InfluxDB's databases and retention policies; what writes windows starts after."""
    return Part(
        name="influxdb-database",
        command=_taishi("store", "create"),
        log="influxdb",
        environment=dict(settings.environment),
        needs=("influxdb",),
        once=True,
    )


def broker(settings: StackSettings) -> Part:
    """The MQTT broker that acknowledges end to end."""
    return Part(
        name="mqtt",
        command=_taishi("broker"),
        log="mqtt",
        health=Health("mqtt", settings.mqtt_port),
        environment=dict(settings.environment),
        ports={"mqtt_port": settings.mqtt_port, "metrics_port": settings.metrics_of("mqtt")},
    )


def connectors(settings: StackSettings) -> tuple[Part, ...]:
    """The doors of the settings."""
    needs = {"mqtt": ("topics", "mqtt")}
    ports = {"http": {"http_port": settings.http_port}, "tcp": {"tcp_port": settings.tcp_port}}
    return tuple(
        _app(settings, f"connect-{door}", ("connect", door), needs.get(door, ("topics",)), ports.get(door))
        for door in settings.doors
    )


def workers(settings: StackSettings) -> tuple[Part, ...]:
    """One process a Beam job."""
    return (
        _app(settings, "worker-aggregate", ("worker", "aggregate"), ("topics", "prism-aggregate")),
        _app(
            settings,
            "worker-situation",
            ("worker", "situation"),
            ("topics", "prism-situation", "influxdb-database"),
        ),
        _app(settings, "worker-signals", ("worker", "signals"), ("topics", "prism-signals")),
        _app(settings, "worker-presence", ("worker", "presence"), ("topics", "prism-presence")),
        _app(settings, "worker-watch", ("worker", "watch"), ("topics", "prism-watch")),
    )


def oncall(settings: StackSettings) -> tuple[Part, ...]:
    """Who is told; only where a file says whom."""
    if settings.oncall_file is None:
        return ()
    return (_app(settings, "oncall", ("oncall", "serve"), ("topics",)),)


def outgoing(settings: StackSettings) -> tuple[Part, ...]:
    """What other platforms ask; only where it is wanted."""
    if not settings.outgoing:
        return ()
    ports, needs = {"outgoing_port": settings.outgoing_port}, ("topics", "influxdb-database")
    return (_app(settings, "outgoing", ("outgoing", "serve"), needs, ports),)


def pages(settings: StackSettings) -> tuple[Part, ...]:
    """The live pages; they wait for no worker, since they say what is missing."""
    if not settings.pages:
        return ()
    ports, needs = {"pages_port": settings.pages_port}, ("topics", "influxdb-database")
    return (_app(settings, "pages", ("pages", "serve"), needs, ports),)


def desk(settings: StackSettings) -> tuple[Part, ...]:
    """The operations desk; only where it is wanted."""
    if not settings.desk:
        return ()
    return (_app(settings, "desk", ("desk", "serve"), ("topics",), {"desk_port": settings.desk_port}),)


def scorecard(settings: StackSettings) -> Part:
    """What every source and vendor sends, into InfluxDB."""
    return _app(settings, "sources", ("sources", "--serve"), ("influxdb-database",))


def simulation(settings: StackSettings) -> Part:
    """The simulated city, through the same doors as devices."""
    return _app(settings, "simulate", ("simulate", "--serve"), ("connect-mqtt", "connect-http"))
