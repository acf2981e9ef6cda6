"""`taishi broker`: the embedded MQTT broker as a process."""

from __future__ import annotations

import asyncio
import signal

import click
from prometheus_client import Gauge

from deploy.embedded.mqtt_broker import EndToEndBroker, serve
from deploy.embedded.settings import METRICS_OFFSETS
from taishi import logs, metrics
from taishi.settings import Settings, load_settings

__all__ = ["broker"]

_WAITING = Gauge("taishi_broker_waiting_messages", "QoS 1 messages that no subscriber takes at present")
_CONNECTIONS = Gauge("taishi_broker_connections", "Clients connected")


@click.command()
def broker() -> None:
    """Run the embedded MQTT broker on loopback; QoS 1 is confirmed end to end."""
    settings = load_settings()
    logs.configure("mqtt", "warning")
    metrics.serve(settings.metrics_port + METRICS_OFFSETS["mqtt"])
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    stop, started = asyncio.Event(), loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    started.add_done_callback(lambda future: _measure(future.result()))
    await serve("127.0.0.1", settings.mqtt_port, stop, started)


def _measure(running: EndToEndBroker) -> None:
    _WAITING.set_function(lambda: running.exchange.waiting)
    _CONNECTIONS.set_function(
        lambda: sum(
            session.transitions.state == "connected" for session, _ in list(running.sessions.values())
        )
    )
