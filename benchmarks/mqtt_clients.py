"""The two ends of `taishi bench mqtt`, each a process of its own.

    python -m benchmarks.mqtt_clients publish PORT COUNT      waits for a line on stdin, then sends
    python -m benchmarks.mqtt_clients acknowledge PORT COUNT  a bare paho client: counts and acknowledges

The publisher writes packets it has made before, as many as the broker takes, and counts PUBACKs: a client
library would cost more than what is measured. Each prints a line when it is ready, and another when it is
through: the publisher when the broker has all, the bare client the processor seconds it has used.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

__all__ = ["DEVICES", "main"]

DEVICES = 100
_PACKET_IDS = 60_000
_BLOCK = 64 * 1024
_CONNECT = bytes.fromhex("10150004") + b"MQTT" + bytes.fromhex("04020000") + b"\x00\x09publisher"


def _publish(port: int, count: int) -> None:
    packets = _packets(count)
    with socket.create_connection(("127.0.0.1", port)) as broker:
        broker.sendall(_CONNECT)
        if broker.recv(4)[3:] != b"\0":
            raise ConnectionRefusedError("the broker refused the publisher")
        print("ready", flush=True)
        sys.stdin.readline()
        broker.setblocking(False)
        sent = answered = 0
        while answered < 4 * count:
            readable, writable, _ = select.select([broker], [broker] if sent < len(packets) else [], [], 60)
            if writable:
                sent += broker.send(packets[sent : sent + _BLOCK])
            if readable:
                answered += len(broker.recv(_BLOCK))
        print("sent", flush=True)


def _packets(count: int) -> memoryview:
    now_ms = time.time_ns() // 1_000_000
    made = bytearray()
    for number in range(count):
        device = f"bench{number % DEVICES}"
        reading = {"device": device, "kind": "parking.space", "metric": "occupied", "value": number % 2}
        payload = json.dumps(reading | {"observed_at_ms": now_ms, "seq": number}).encode()
        topic = f"taishi/readings/{device}".encode()
        packet_id = number % _PACKET_IDS + 1
        body = len(topic).to_bytes(2, "big") + topic + packet_id.to_bytes(2, "big") + payload
        made += bytes((0x32, len(body) & 127 | 128, len(body) >> 7)) + body
    return memoryview(bytes(made))


def _acknowledge(port: int, count: int) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "bare", clean_session=False)
    taken, began_s = 0, time.process_time()

    def on_message(*_: object) -> None:
        nonlocal taken
        taken += 1
        if taken == count:
            client.disconnect()

    def subscribe(*_: object) -> None:
        client.subscribe("taishi/readings/+", 1)

    client.on_message = on_message
    client.on_connect = subscribe
    client.on_subscribe = lambda *_: print("subscribed", flush=True)
    client.connect("127.0.0.1", port)
    client.loop_forever()
    print(time.process_time() - began_s, flush=True)


def main() -> None:
    """See the module."""
    part, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    {"publish": _publish, "acknowledge": _acknowledge}[part](port, count)


if __name__ == "__main__":
    main()
