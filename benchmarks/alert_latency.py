"""From an MQTT publish to its alert on the log: `python -m benchmarks.alert_latency` on the running stack.

Presses of registered devices are published at a steady rate (`--per-s`, 1000 for a storm) and looked for on
the topic `alerts`. Printed: p50, p95, p99 from the publish to the alert's append time, and how many are
missing or doubled. Run `taishi simulate --rate 2000 --duration 120` beside it for other traffic.
"""

from __future__ import annotations

import csv
import json
import time

import click
import msgspec
import numpy as np
import paho.mqtt.client as paho
from confluent_kafka import Consumer, TopicPartition
from paho.mqtt.enums import CallbackAPIVersion

from schemas.alerts import Alert
from schemas.errors import SettingsError
from schemas.topics import ALERTS
from taishi.settings import Settings, load_settings

__all__ = ["main"]

_LIMIT_S = 60.0
_DECODE = msgspec.json.Decoder(Alert).decode


def _devices(settings: Settings, count: int) -> list[str]:
    path = settings.devices_file or settings.home / "devices.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = [row["device"] for row in csv.DictReader(file)]
    if len(names) < count:
        raise SettingsError(f"{path}: {len(names)} devices, {count} are needed")
    return names[:count]


def _publish(settings: Settings, devices: list[str], per_s: float) -> dict[str, int]:
    """Press each device once; returns device -> publish time in ms."""
    host, port = settings.mqtt_host_port
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(2_000)
    client.connect(host, port)
    client.loop_start()
    began_s, pressed = time.monotonic(), {}
    for number, device in enumerate(devices):
        time.sleep(max(0.0, began_s + number / per_s - time.monotonic()))
        pressed[device] = time.time_ns() // 1_000_000
        said = {"kind": "care.emergency", "metric": "sos", "value": 1, "observed_at_ms": pressed[device]}
        client.publish("taishi/readings/bench", json.dumps(said | {"device": device}), qos=1)
    client.loop_stop()
    client.disconnect()
    return pressed


def _found(consumer: Consumer, pressed: dict[str, int]) -> dict[str, list[int]]:
    """Device -> append times of the alerts that tell of its press."""
    found: dict[str, list[int]] = {}
    until_s = time.monotonic() + _LIMIT_S
    while len(found) < len(pressed) and time.monotonic() < until_s:
        for message in consumer.consume(10_000, 0.5):
            if message.error() is None and message.value() is not None:
                alert = _DECODE(message.value())
                press_ms = pressed.get(alert.device)
                # Merged into an alert of a minute before it is told of too.
                if press_ms is not None and alert.onset_ms <= press_ms <= alert.told_ms:
                    found.setdefault(alert.device, []).append(message.timestamp()[1])
    return found


@click.command()
@click.option("--presses", default=600, show_default=True)
@click.option("--per-s", default=10.0, show_default=True, help="Presses a second; 1000 for a storm.")
def main(presses: int, per_s: float) -> None:
    """Print the latencies as one JSON object."""
    settings = load_settings()
    consumer = Consumer({"bootstrap.servers": settings.kafka_bootstrap, "group.id": "bench-alerts"})
    shard = TopicPartition(ALERTS, 0)
    shard.offset = consumer.get_watermark_offsets(shard, timeout=10)[1]
    consumer.assign([shard])
    pressed = _publish(settings, _devices(settings, presses), per_s)
    found = _found(consumer, pressed)
    consumer.close()
    waits = [appended[0] - pressed[device] for device, appended in found.items()]
    p50, p95, p99 = (round(float(np.percentile(waits, q)) / 1000, 3) for q in (50, 95, 99))
    doubled = sum(len(appended) - 1 for appended in found.values())
    figures = {"presses": presses, "per_s": per_s, "p50_s": p50, "p95_s": p95, "p99_s": p99}
    click.echo(json.dumps(figures | {"missing": presses - len(found), "doubled": doubled}))


if __name__ == "__main__":
    main()
