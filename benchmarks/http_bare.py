"""A door written by hand, for `taishi bench http`: each reading of a list to Kafka, 202 when all are there.

    python -m benchmarks.http_bare PORT BOOTSTRAP TOPIC

It believes everything: no senders, no registry of devices, no codecs, no quarantine, no limits.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import uvicorn
from confluent_kafka import Producer

__all__ = ["main"]

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Door:
    """The ASGI application."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        self._producer = Producer({
            "bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5,
            "compression.type": "lz4", "queue.buffering.max.messages": 1_000_000,
        })  # fmt: skip
        threading.Thread(target=self._serve, daemon=True).start()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        told = msgspec.json.decode(await _body(receive))
        await self._append(told if isinstance(told, list) else [told])
        await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def _append(self, readings: list[dict[str, Any]]) -> None:
        loop, left = asyncio.get_running_loop(), len(readings)
        there = loop.create_future()

        def delivered(error: object, _message: object) -> None:
            nonlocal left
            if error is not None:
                raise RuntimeError(str(error))
            left -= 1
            if not left:
                loop.call_soon_threadsafe(there.set_result, None)

        for reading in readings:
            value = msgspec.json.encode(reading)
            self._producer.produce(self._topic, value, reading["device"], on_delivery=delivered)
        await there

    def _serve(self) -> None:
        while True:
            self._producer.poll(0.1)


async def _body(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def main() -> None:
    """See the module."""
    port, bootstrap, topic = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    uvicorn.run(Door(bootstrap, topic), port=port, lifespan="off", log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
