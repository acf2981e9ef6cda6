"""`taishi bench mqtt`: messages a second from Mosquitto to Kafka on one core, beside a bare client.

The bare client is paho's and does nothing but acknowledge; ours acknowledges what Kafka has confirmed. Each
is held to one core, and to the same one; Mosquitto, Kafka and the publisher share the others. Both take
the same messages (one reading each, QoS 1) from a broker started anew, in turns; only their ratio means
anything on a shared machine.

Measured is what goes on for long: Kafka's first ten thousands of records cost it four times what later
ones do (its code is not compiled yet), so a run that is not counted comes first. And nothing asks Kafka for
its end while the publisher sends: that is work on the core of the broker, which the bare rounds are without.

One, two and four connectors that share a subscription are each held to a tenth of a core, as in a container
of its own: what more processes bring is then not hidden by the cores that broker, Kafka and publisher need.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.mqtt_clients import DEVICES
from benchmarks.pinned import LogEnd, cores, cpu_s, devices_file, end, line_of, started, wait_for
from benchmarks.quota import held_to, quotas_root
from deploy.embedded.ports import free_ports, is_free
from deploy.programs import need_program
from schemas.errors import SettingsError
from schemas.topics import readings_topic

__all__ = ["MqttFigures", "bench_mqtt"]

_COUNTED = "taishi_messages_acknowledged_total{"
_GRID = "370202001001001"
_CONFIGURATION = "listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages {in_flight}\n"
_CONFIGURATION += "max_queued_messages 0\n"
_IN_FLIGHT = 1000
_SHARING = (1, 2, 4)
_PART = 0.1
"""Of a core, for each of those that share."""


@dataclass(frozen=True, slots=True)
class MqttFigures:
    """Medians over the rounds, messages a second; `ratio` is the median of each round's own ratio.

    `bare_cpu_us` and `connector_cpu_us`: processor time a message. `shared_per_s`: by how many connectors
    share; `shared_cpu_us`: what they used of all cores together, a message; `shared_least`: the part of the
    messages that the least busy one of the most took. Empty and 0 where none can be held so.
    """

    messages: int
    rounds: int
    bare_per_s: float
    connector_per_s: float
    ratio: float
    ratios: tuple[float, ...]
    bare_cpu_us: float
    connector_cpu_us: float
    shared_per_s: dict[int, float]
    shared_cpu_us: dict[int, float]
    shared_least: float


@dataclass(frozen=True, slots=True)
class _Bench:
    bootstrap: str
    home: Path
    messages: int
    program: str
    one: tuple[int, ...]
    others: tuple[int, ...]


def bench_mqtt(bootstrap: str, *, messages: int, rounds: int, say: Callable[[str], None]) -> MqttFigures:
    """Measure bare client and connector in turns, and those that share. Kafka has Taishi's topics already."""
    measured, others = cores()
    os.sched_setaffinity(0, set(others))
    with tempfile.TemporaryDirectory(prefix="taishi-bench-") as folder:
        home = Path(folder)
        devices_file(home / "devices.csv", (f"bench{n}" for n in range(DEVICES)), _GRID)
        bench = _Bench(bootstrap, home, messages, str(need_program("mosquitto")), (measured,), others)
        warm = _connectors(bench, 1, bench.one)
        say(f"before: connector {warm[0]:,.0f}/s to a Kafka just started, not counted")
        bare, ours = [], []
        shared: dict[int, list[tuple[float, float, float]]] = {count: [] for count in _sharing(say)}
        for number in range(1, rounds + 1):
            bare.append(_bare(bench))
            ours.append(_connectors(bench, 1, bench.one))
            for count, taken in shared.items():
                taken.append(_connectors(bench, count, (*bench.one, *others), _PART))
            told = ", ".join(f"{count}: {taken[-1][0]:,.0f}/s" for count, taken in shared.items())
            say(f"round {number}: bare {bare[-1][0]:,.0f}/s, connector {ours[-1][0]:,.0f}/s; sharing {told}")
    ratios = tuple(mine / its for (its, _), (mine, *_) in zip(bare, ours, strict=True))
    return MqttFigures(
        messages=messages,
        rounds=rounds,
        bare_per_s=statistics.median(rate for rate, _ in bare),
        connector_per_s=statistics.median(rate for rate, *_ in ours),
        ratio=statistics.median(ratios),
        ratios=ratios,
        bare_cpu_us=statistics.median(cpu for _, cpu in bare),
        connector_cpu_us=statistics.median(cpu for _, cpu, _ in ours),
        shared_per_s={
            count: statistics.median(rate for rate, *_ in taken) for count, taken in shared.items()
        },
        shared_cpu_us={
            count: statistics.median(cpu for _, cpu, _ in taken) for count, taken in shared.items()
        },
        shared_least=statistics.median([least for *_, least in shared[_SHARING[-1]]] if shared else [0.0]),
    )


def _sharing(say: Callable[[str], None]) -> tuple[int, ...]:
    """How many connectors share, one after the other; none where processes cannot be held to a part."""
    try:
        quotas_root()
    except SettingsError as error:
        say(f"connectors that share are not measured: {error}")
        return ()
    return _SHARING


def _bare(bench: _Bench) -> tuple[float, float]:
    """Messages a second, and processor microseconds a message, of the bare client."""
    with _broker(bench) as port, _publisher(bench, port) as go:
        words = ("benchmarks.mqtt_clients", "acknowledge", str(port), str(bench.messages))
        with started(words, bench.one, bench.home / "bare.log") as client:
            line_of(client)
            start_s = time.perf_counter()
            go()
            used_s = float(line_of(client))
            taken_s = time.perf_counter() - start_s
    return bench.messages / taken_s, used_s / bench.messages * 1e6


def _connectors(
    bench: _Bench, processes: int, on: tuple[int, ...], part: float | None = None
) -> tuple[float, float, float]:
    """The same of our connector, or of several that share one subscription; and the least one's part.

    `part`: of a core, what each is held to once it has subscribed.
    """
    log_end = LogEnd(bench.bootstrap, readings_topic("parking"))
    with ExitStack() as running:
        port = running.enter_context(_broker(bench))
        go = running.enter_context(_publisher(bench, port))
        metrics = free_ports(processes)
        ours = [
            running.enter_context(_connector(bench, port, own, "bench" if processes > 1 else "", on))
            for own in metrics
        ]
        for each in ours if part else ():
            running.enter_context(held_to(part or 1.0, each.pid))
        before_s, before = sum(cpu_s(each.pid) for each in ours), log_end()
        start_s = time.perf_counter()
        go()
        wait_for(lambda: log_end() - before >= bench.messages, what="the log")
        taken_s = time.perf_counter() - start_s
        wait_for(lambda: sum(map(_acknowledged, metrics)) >= bench.messages, 0.1, "the last PUBACK")
        least = min(map(_acknowledged, metrics)) / bench.messages
        used_s = sum(cpu_s(each.pid) for each in ours) - before_s
    return bench.messages / taken_s, used_s / bench.messages * 1e6, least


def _acknowledged(metrics_port: int) -> float:
    """How many messages a connector says it has acknowledged."""
    text = httpx.get(f"http://127.0.0.1:{metrics_port}/metrics", trust_env=False).text
    lines = (line.split() for line in text.splitlines())
    return sum(float(value) for name, value in (x for x in lines if len(x) == 2) if name.startswith(_COUNTED))


@contextmanager
def _broker(bench: _Bench) -> Iterator[int]:
    (port,) = free_ports(1)
    configuration = bench.home / "mosquitto.conf"
    configuration.write_text(_CONFIGURATION.format(port=port, in_flight=_IN_FLIGHT))
    broker = subprocess.Popen([bench.program, "-c", str(configuration)], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: not is_free(port), what="Mosquitto")
        yield port
    finally:
        end(broker)


@contextmanager
def _publisher(bench: _Bench, port: int) -> Iterator[Callable[[], None]]:
    """A publisher that has its packets ready; what is yielded sends them, until the broker has all."""
    words = ("benchmarks.mqtt_clients", "publish", str(port), str(bench.messages))
    with started(words, bench.others, bench.home / "publisher.log") as publisher:
        line_of(publisher)

        def go() -> None:
            if publisher.stdin is not None:  # started with a pipe there
                publisher.stdin.write(b"go\n")
                publisher.stdin.flush()
            line_of(publisher)

        yield go


@contextmanager
def _connector(
    bench: _Bench, port: int, metrics_port: int, share: str, on: tuple[int, ...]
) -> Iterator[subprocess.Popen[bytes]]:
    """A connector that has subscribed."""
    log = bench.home / f"connector-{port}-{metrics_port}.log"
    environment = {
        "TAISHI_HOME": str(bench.home),
        "TAISHI_KAFKA_ADDRESS": bench.bootstrap,
        "TAISHI_MQTT_ADDRESS": f"127.0.0.1:{port}",
        "TAISHI_MQTT_CLIENT_ID": f"bench-connector-{metrics_port}",
        "TAISHI_METRICS_PORT": str(metrics_port - 1),
        "TAISHI_DEVICE_RATE_PER_S": "1e9",  # all of it from a few devices
        "TAISHI_MQTT_SHARE": share,
    }
    with started(("taishi.cli.main", "connect", "mqtt"), on, log, environment) as process:
        wait_for(lambda: b"mqtt connected" in log.read_bytes(), what=f"a connector (see {log})")
        yield process
