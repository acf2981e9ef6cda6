"""The embedded MQTT broker beside stock amqtt: QoS 1 messages per second through each, in turns.

    python -m benchmarks.mqtt_broker [--messages 10000] [--rounds 3] [--json]

One publisher (200 in flight) and one subscriber that confirms each message, both on this machine. Stock
amqtt confirms to the publisher at once; ours when the subscriber has confirmed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from deploy.embedded.ports import free_ports, is_free

__all__ = ["main", "messages_per_s"]

_STOCK = """
import asyncio
from amqtt.broker import Broker
async def main():
    plugin = "amqtt.plugins.authentication.AnonymousAuthPlugin"
    listeners = {"default": {"type": "tcp", "bind": "127.0.0.1:%d"}}
    await Broker({"listeners": listeners, "plugins": {plugin: {"allow_anonymous": True}}}).start()
    await asyncio.Event().wait()
asyncio.run(main())
"""
LIMIT_S = 120.0


def messages_per_s(port: int, messages: int) -> float:
    """From the first publish to the last confirmation of both sides; TimeoutError beyond LIMIT_S."""
    version = CallbackAPIVersion.VERSION2
    subscriber = mqtt.Client(version, "subscriber", manual_ack=True)
    publisher = mqtt.Client(version, "publisher")
    subscribed, received, confirmed = threading.Event(), threading.Event(), threading.Event()
    counts = {"received": 0, "confirmed": 0}

    def on_message(client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        client.ack(message.mid, message.qos)
        counts["received"] += 1
        if counts["received"] == messages:
            received.set()

    def on_publish(*_: object) -> None:
        counts["confirmed"] += 1
        if counts["confirmed"] == messages:
            confirmed.set()

    subscriber.on_message, publisher.on_publish = on_message, on_publish
    subscriber.on_subscribe = lambda *_: subscribed.set()
    publisher.max_inflight_messages_set(200)
    for client in (subscriber, publisher):
        client.connect("127.0.0.1", port)
        client.loop_start()
    try:
        subscriber.subscribe("#", 1)
        subscribed.wait(LIMIT_S)
        started_s = time.perf_counter()
        for number in range(messages):
            publisher.publish(f"device/{number % 100}", b"x" * 250, 1)
        if not (received.wait(LIMIT_S) and confirmed.wait(LIMIT_S)):
            raise TimeoutError(f"only {counts} of {messages} within {LIMIT_S:.0f} s")
        return messages / (time.perf_counter() - started_s)
    finally:
        for client in (subscriber, publisher):
            client.disconnect()
            client.loop_stop()


def _start(ours: bool) -> tuple[subprocess.Popen[bytes], int]:
    port, metrics_port = free_ports(2)
    environment = {"TAISHI_MQTT_PORT": str(port), "TAISHI_METRICS_PORT": str(metrics_port - 6)}
    words = ["-m", "taishi.cli.main", "broker"] if ours else ["-c", _STOCK % port]
    process = subprocess.Popen(
        [sys.executable, *words], env=dict(os.environ) | environment, stderr=subprocess.DEVNULL
    )
    deadline_s = time.monotonic() + LIMIT_S
    while is_free(port):
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise TimeoutError("the broker did not start")
        time.sleep(0.05)
    return process, port


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rates: dict[str, list[float]] = {"end_to_end": [], "stock": []}
    for _ in range(given.rounds):
        for name, results in rates.items():
            process, port = _start(ours=name == "end_to_end")
            try:
                results.append(messages_per_s(port, given.messages))
            finally:
                process.terminate()
                process.wait(10)
    figures = {f"{name}_messages_per_s": round(statistics.median(values)) for name, values in rates.items()}
    ratio = round(statistics.median(rates["end_to_end"]) / statistics.median(rates["stock"]), 2)
    if given.json:
        print(json.dumps(figures | {"ratio": ratio}))
    else:
        print(*(f"{name}: {value}" for name, value in figures.items()), f"ratio: {ratio}", sep="\n")


if __name__ == "__main__":
    main()
