"""`taishi bench http`: readings a second pushed over HTTP in batches, on one core.

The connector is held to one core; Kafka and the sender share the others. A request is a list of readings in
our own format and counts when it is answered 202, which is after Kafka's delivery report for every one of
them. Messages of one reading are measured beside, in turns.

    python -m benchmarks.http_push PORT REQUESTS BATCH CONNECTIONS   the sender: waits for a line on stdin
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pinned import cores, cpu_s, devices_file, line_of, started, wait_for
from deploy.embedded.ports import free_ports, is_free

__all__ = ["HttpFigures", "bench_http"]

_GRID = "370202001001001"
_DEVICES = 100
_SINGLES = 5_000


@dataclass(frozen=True, slots=True)
class HttpFigures:
    """Medians over the rounds. `cpu_us` is the connector's processor time a reading."""

    readings: int
    batch: int
    rounds: int
    batched_per_s: float
    batched_cpu_us: float
    single_per_s: float
    single_cpu_us: float


def bench_http(
    bootstrap: str, *, readings: int, batch: int, rounds: int, say: Callable[[str], None]
) -> HttpFigures:
    """Measure batches and single readings in turns. Kafka has Taishi's topics already."""
    measured, others = cores()
    os.sched_setaffinity(0, set(others))
    batched, single = [], []
    with tempfile.TemporaryDirectory(prefix="taishi-bench-") as folder:
        home = Path(folder)
        devices_file(home / "devices.csv", (f"bench{n}" for n in range(_DEVICES)), _GRID)
        with _connector(home, bootstrap, measured) as (port, pid):
            _push(home, port, pid, others, _SINGLES, 1)  # what is not loaded yet is not measured
            for number in range(1, rounds + 1):
                batched.append(_push(home, port, pid, others, readings, batch))
                single.append(_push(home, port, pid, others, _SINGLES, 1))
                say(f"round {number}: batches of {batch} {batched[-1][0]:,.0f} readings/s, "
                    f"single {single[-1][0]:,.0f}/s")  # fmt: skip
    return HttpFigures(
        readings=readings,
        batch=batch,
        rounds=rounds,
        batched_per_s=statistics.median(rate for rate, _ in batched),
        batched_cpu_us=statistics.median(cpu for _, cpu in batched),
        single_per_s=statistics.median(rate for rate, _ in single),
        single_cpu_us=statistics.median(cpu for _, cpu in single),
    )


@contextmanager
def _connector(home: Path, bootstrap: str, core: int) -> Iterator[tuple[int, int]]:
    port, metrics_port = free_ports(2)
    environment = {
        "TAISHI_HOME": str(home),
        "TAISHI_KAFKA_ADDRESS": bootstrap,
        "TAISHI_HTTP_PORT": str(port),
        "TAISHI_METRICS_PORT": str(metrics_port - 2),
        "TAISHI_DEVICE_RATE_PER_S": "1e9",  # all of it from a few devices
    }
    words = ("taishi.cli.main", "connect", "http")
    with started(words, (core,), home / "connector.log", environment) as process:
        wait_for(lambda: not is_free(port), what="the connector")
        yield port, process.pid


def _push(
    home: Path, port: int, pid: int, cores_: tuple[int, ...], readings: int, batch: int
) -> tuple[float, float]:
    """Readings a second, and processor microseconds of the connector a reading."""
    requests, connections = readings // batch, 8 if batch > 1 else 64
    words = ("benchmarks.http_push", str(port), str(requests), str(batch), str(connections))
    with started(words, cores_, home / "sender.log") as sender:
        line_of(sender)
        before_s, start_s = cpu_s(pid), time.perf_counter()
        if sender.stdin is not None:  # started with a pipe there
            sender.stdin.write(b"go\n")
            sender.stdin.flush()
        line_of(sender)
        taken_s, used_s = time.perf_counter() - start_s, cpu_s(pid) - before_s
    return requests * batch / taken_s, used_s / (requests * batch) * 1e6


def _requests(requests: int, batch: int) -> list[bytes]:
    now_ms, made = time.time_ns() // 1_000_000, []
    plain = {"kind": "parking.space", "metric": "occupied", "observed_at_ms": now_ms}
    for first in range(0, requests * batch, batch):
        items = [
            plain | {"device": f"bench{number % _DEVICES}", "value": number % 2, "seq": number}
            for number in range(first, first + batch)
        ]
        body = json.dumps(items if batch > 1 else items[0]).encode()
        head = f"POST /readings HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
        made.append(head.encode() + body)
    return made


async def _send(port: int, requests: Iterator[bytes], connections: int) -> None:
    """Plain keep-alive connections: a client library would cost more than the connector."""

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in requests:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            if b" 202 " not in answer.split(b"\r\n", 1)[0]:
                raise RuntimeError(f"received {answer[:60]!r}, allowed: 202")
            length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))


def main() -> None:
    """The sender; see the module."""
    port, requests, batch, connections = map(int, sys.argv[1:])
    made = _requests(requests, batch)
    print("ready", flush=True)
    sys.stdin.readline()
    asyncio.run(_send(port, iter(made), connections))
    print("sent", flush=True)


if __name__ == "__main__":
    main()
