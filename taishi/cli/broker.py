"""`taishi broker`: the embedded MQTT broker as a process."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable

import click
import structlog
from prometheus_client import Counter, Gauge

from connectors.rate import TokenBuckets
from deploy.embedded.mqtt_broker import REFUSALS, EndToEndBroker, Refusal, serve
from deploy.embedded.settings import METRICS_OFFSETS
from taishi import logs, metrics
from taishi.doors import broker_settings
from taishi.settings import Settings, load_settings

__all__ = ["broker"]

_WAITING = Gauge("taishi_broker_waiting_messages", "QoS 1 messages that no subscriber takes at present")
_CONNECTIONS = Gauge("taishi_broker_connections", "Clients connected")
_REFUSED = Counter("taishi_broker_refused_total", "Connections, topics and subscriptions refused", ["reason"])
_LOG = structlog.get_logger(__name__)
_TELL_EVERY_S = 60.0


@click.command()
def broker() -> None:
    """Run the embedded MQTT broker on loopback, and with TLS if set; QoS 1 is confirmed end to end."""
    settings = load_settings()
    logs.configure("mqtt", "warning")
    metrics.serve(settings.metrics_port + METRICS_OFFSETS["mqtt"], settings.metrics_host)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    stop, started = asyncio.Event(), loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    started.add_done_callback(lambda future: _measure(future.result()))
    await serve(broker_settings(settings, _refusals()), stop, started)


def _refusals() -> Callable[[Refusal, str, str], None]:
    """Counts each refusal; tells the log of one a minute of each kind and origin."""
    counters = {reason: _REFUSED.labels(reason) for reason in REFUSALS}
    worth = TokenBuckets(1 / _TELL_EVERY_S, 1)

    def told(reason: Refusal, who: str, detail: str) -> None:
        counters[reason].inc()
        if not worth.take(f"{reason} {who}", time.monotonic()):
            _LOG.warning("mqtt refused", reason=reason, who=who, detail=detail)

    return told


def _measure(running: EndToEndBroker) -> None:
    _WAITING.set_function(lambda: running.exchange.waiting)
    _CONNECTIONS.set_function(
        lambda: sum(
            session.transitions.state == "connected" for session, _ in list(running.sessions.values())
        )
    )
