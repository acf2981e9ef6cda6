"""Messages per second from device to log: MQTT and HTTP into Kafka, and what decoding alone would allow.

    python -m benchmarks.connectors --bootstrap 127.0.0.1:19092

Starts a broker and both connectors of its own on free ports; the readings go to the topics of that
Kafka, labelled simulated, from a device `bench`. Each message is one reading, acknowledged before it
counts. `decode` is one thread doing what a connector does short of producing.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import click
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from connectors.base import Message
from connectors.codecs import load_codecs
from connectors.judge import judge
from connectors.registry import COLUMNS, DeviceRegistry
from connectors.resolve import Resolver
from deploy.embedded.ports import free_ports, is_free
from taishi.places import load_registry
from taishi.settings import load_settings

__all__ = ["main"]

_GRID: Final = "370202001001001"
_CONNECTIONS: Final = 64
_START_S: Final = 60.0


@click.command()
@click.option("--bootstrap", default="127.0.0.1:19092", help="host:port of a Kafka with Taishi's topics.")
@click.option("--count", default=20_000, help="Messages a transport.")
@click.option("--mqtt", "mqtt_address", default=None, help="host:port of another MQTT broker.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(bootstrap: str, count: int, mqtt_address: str | None, as_json: bool) -> None:
    """Messages per second of each way in."""
    with tempfile.TemporaryDirectory() as folder:
        said = _measure(Path(folder), bootstrap, count, mqtt_address)
    if as_json:
        print(json.dumps(said))
        return
    for what, rate in said.items():
        print(f"{what:8} {rate:>9,.0f} messages/s")


def _measure(home: Path, bootstrap: str, count: int, mqtt_address: str | None) -> dict[str, float]:
    registry = home / "devices.csv"
    registry.write_text(f"{','.join(COLUMNS)}\nbench,native,parking.space,{_GRID},,,,,,true\n")
    mqtt_port, http_port, metrics_port = free_ports(3)
    if mqtt_address:
        mqtt_port = int(mqtt_address.rpartition(":")[2])
    environment = dict(os.environ) | {
        "TAISHI_HOME": str(home),
        "TAISHI_KAFKA_ADDRESS": bootstrap,
        "TAISHI_MQTT_ADDRESS": mqtt_address or f"127.0.0.1:{mqtt_port}",
        "TAISHI_MQTT_PORT": str(mqtt_port),
        "TAISHI_HTTP_PORT": str(http_port),
        "TAISHI_METRICS_PORT": str(metrics_port),
        "TAISHI_DEVICE_RATE_PER_S": "1e9",  # all of it from one device
    }
    said = {"decode": _decode_rate(registry, count)}
    with ExitStack() as running:
        broker = () if mqtt_address else (("broker",),)
        for words in (*broker, ("connect", "mqtt"), ("connect", "http")):
            running.enter_context(_taishi(words, environment))
        for port in (mqtt_port, http_port):
            _wait(lambda port=port: not is_free(port))  # type: ignore[misc]
        said["mqtt"] = _mqtt_rate(mqtt_port, count)
        said["http"] = asyncio.run(_http_rate(http_port, count))
    return said


@contextmanager
def _taishi(words: tuple[str, ...], environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "taishi.cli.main", *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def _wait(condition: Callable[[], bool]) -> None:
    tick, deadline = threading.Event(), time.monotonic() + _START_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not ready after {_START_S} s")
        tick.wait(0.05)


def _payloads(count: int) -> list[bytes]:
    now_ms = time.time_ns() // 1_000_000
    reading = {"device": "bench", "kind": "parking.space", "metric": "occupied"}
    return [
        json.dumps(reading | {"value": n % 2, "observed_at_ms": now_ms, "seq": n}).encode()
        for n in range(count)
    ]


def _decode_rate(registry: Path, count: int) -> float:
    devices = DeviceRegistry(registry)
    resolver = Resolver(devices, load_registry(load_settings()))
    codec = load_codecs(["native"], {})["native"]
    messages = [Message(payload, "a", 1_795_392_000_000) for payload in _payloads(count)]
    start = time.perf_counter()
    for message in messages:
        judge(message, codec.decode(message, devices), "bench.native", resolver)
    return count / (time.perf_counter() - start)


def _mqtt_rate(port: int, count: int) -> float:
    payloads, confirmed, all_confirmed = _payloads(count), 0, threading.Event()

    def on_publish(*_: object) -> None:
        nonlocal confirmed
        confirmed += 1
        if confirmed == count:
            all_confirmed.set()

    client = mqtt.Client(CallbackAPIVersion.VERSION2, "bench-device")
    client.max_inflight_messages_set(500)
    client.on_publish = on_publish
    client.connect("127.0.0.1", port)
    client.loop_start()
    start = time.perf_counter()
    for payload in payloads:
        client.publish("taishi/readings/bench", payload, qos=1)
    if not all_confirmed.wait(120):
        raise TimeoutError(f"confirmed after 120 s: received {confirmed}, allowed: {count}")
    rate = count / (time.perf_counter() - start)
    client.disconnect()
    client.loop_stop()
    return rate


async def _http_rate(port: int, count: int) -> float:
    """Plain keep-alive connections: a client library would cost more than the connector."""
    payloads = iter(_payloads(count))

    async def send() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for payload in payloads:
            head = f"POST /readings HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(payload)}\r\n\r\n"
            writer.write(head.encode() + payload)
            answer = await reader.readuntil(b"\r\n\r\n")
            if b" 202 " not in answer.split(b"\r\n", 1)[0]:
                raise RuntimeError(f"received {answer[:60]!r}, allowed: 202")
            length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(send() for _ in range(_CONNECTIONS)))
    return count / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
