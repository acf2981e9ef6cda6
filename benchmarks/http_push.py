"""`taishi bench http`: readings a second pushed over HTTP in batches, on one core.

The connector is held to one core; Kafka and the sender share the others. A request is a list of readings in
our own format and counts when it is answered 202, which is after Kafka's delivery report for every one of
them. Messages of one reading are measured too, and beside, in turns, a door written by hand
(`benchmarks.http_bare`).

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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pinned import cores, cpu_s, devices_file, line_of, started, wait_for
from deploy.embedded.ports import free_ports, is_free
from schemas.topics import readings_topic

__all__ = ["HttpFigures", "bench_http"]

_GRID = "370202001001001"
_DEVICES = 100
_SINGLES = 5_000


@dataclass(frozen=True, slots=True)
class HttpFigures:
    """Medians over the rounds; `cpu_us`: processor time a reading. `ratios`: batches, ours by bare door."""

    readings: int
    batch: int
    rounds: int
    batched_per_s: float
    batched_cpu_us: float
    single_per_s: float
    single_cpu_us: float
    bare_batched_per_s: float
    bare_batched_cpu_us: float
    bare_single_per_s: float
    bare_single_cpu_us: float
    ratios: tuple[float, ...]


_Pushed = tuple[float, float]
"""Readings a second, and processor microseconds a reading."""


def bench_http(
    bootstrap: str, *, readings: int, batch: int, rounds: int, say: Callable[[str], None]
) -> HttpFigures:
    """Measure batches and single readings in turns. Kafka has Taishi's topics already."""
    measured, others = cores()
    os.sched_setaffinity(0, set(others))
    ours, bare = list[tuple[_Pushed, _Pushed]](), list[tuple[_Pushed, _Pushed]]()
    with tempfile.TemporaryDirectory(prefix="taishi-bench-") as folder:
        home = Path(folder)
        devices_file(home / "devices.csv", (f"bench{n}" for n in range(_DEVICES)), _GRID)
        with _connector(home, bootstrap, measured) as door, _bare(home, bootstrap, measured) as by_hand:
            for each in (door, by_hand):
                _push(home, *each, others, _SINGLES, 1)  # what is not loaded yet is not measured
            for number in range(1, rounds + 1):
                for each, found in ((door, ours), (by_hand, bare)):
                    found.append((
                        _push(home, *each, others, readings, batch),
                        _push(home, *each, others, _SINGLES, 1),
                    ))  # fmt: skip
                told = "; ".join(
                    f"{name} {found[-1][0][0]:,.0f} readings/s, single {found[-1][1][0]:,.0f}/s"
                    for name, found in (("connector", ours), ("bare", bare))
                )
                say(f"round {number}, batches of {batch}: {told}")
    batched, single = (_median(each) for each in zip(*ours, strict=True))
    bare_batched, bare_single = (_median(each) for each in zip(*bare, strict=True))
    return HttpFigures(
        readings=readings,
        batch=batch,
        rounds=rounds,
        batched_per_s=batched[0],
        batched_cpu_us=batched[1],
        single_per_s=single[0],
        single_cpu_us=single[1],
        bare_batched_per_s=bare_batched[0],
        bare_batched_cpu_us=bare_batched[1],
        bare_single_per_s=bare_single[0],
        bare_single_cpu_us=bare_single[1],
        ratios=tuple(mine[0] / its[0] for (mine, _), (its, _) in zip(ours, bare, strict=True)),
    )


def _median(pushed: Iterable[_Pushed]) -> _Pushed:
    rates, costs = zip(*pushed, strict=True)
    return statistics.median(rates), statistics.median(costs)


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


@contextmanager
def _bare(home: Path, bootstrap: str, core: int) -> Iterator[tuple[int, int]]:
    (port,) = free_ports(1)
    words = ("benchmarks.http_bare", str(port), bootstrap, readings_topic("parking"))
    with started(words, (core,), home / "bare.log") as process:
        wait_for(lambda: not is_free(port), what="the bare door")
        yield port, process.pid


def _push(home: Path, port: int, pid: int, cores_: tuple[int, ...], readings: int, batch: int) -> _Pushed:
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
