"""T17: all that can be wrong with a line, on the lines to Kafka, to InfluxDB and to who is told.

While it is wrong nobody ends; when it is right again all goes on, nothing is missing, double or changed, and
no socket and no thread stays behind. In `make test` one toxic a line for 3 s; in `make test-faults-long` all
six for 60 s (`TAISHI_FAULT_TOXIC_S=n`).
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from operations.oncall.load import parse_oncall
from operations.oncall.service import Teller
from operations.oncall.store import Store
from pipelines.jobs.situation import SituationFactory
from schemas.alerts import Alert
from tests.behaviour.sharing import SHARDS, Load, Worker, all_alone, ends, folded, prepare, records
from tests.behaviour.test_influxdb_upserts import City
from tests.faults.apart import Apart
from tests.faults.hook import Hook
from tests.faults.nemesis import LONG
from tests.faults.toxic_line import TOXICS, Toxic, ToxicLine
from tests.waiting import never, wait_until

WRONG_S = float(os.environ.get("TAISHI_FAULT_TOXIC_S", "60" if LONG else "3"))
NORMAL_S = 30.0
"""So long after the line is right again all must be as it was."""
FEW = 3
"""Sockets or threads more than before that may be there by chance."""
STREETS = {"370202001": "王芳", "370202002": "李强"}

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(7_200)]


def stays_wrong(line: ToxicLine, failed: Callable[[], Any]) -> None:
    """For so long as the test says; AssertionError as soon as somebody failed."""
    never(failed, for_s=WRONG_S)
    assert line.toxic == "cut" or line.met, f"{line.toxic}: nothing was said over the line"
    line.heal()


def toxics(short: Toxic) -> tuple[Toxic, ...]:
    """Which ones: all, or the one of the short form."""
    return TOXICS if LONG else (short,)


@contextmanager
def timed(peer: str, toxic: Toxic) -> Iterator[None]:
    """Says how long it took after the line was right again."""
    began_s = time.monotonic()
    yield
    took_s = time.monotonic() - began_s
    sys.stderr.write(f"{peer}, {toxic} for {WRONG_S:g} s: as before after {took_s:.1f} s\n")


def test_on_the_line_to_kafka(stack, tmp_path):
    """A worker that reads and writes over it, of a group that takes its shards away meanwhile."""
    bootstrap, prefix = stack.kafka_bootstrap, "toxic."
    prepare(bootstrap, prefix)
    load = Load(bootstrap, f"{prefix}readings.parking")
    words = ["-m", "tests.behaviour.sharing", bootstrap, prefix, "toxic"]

    def reached(wanted: dict[str, int]) -> bool:
        at = folded(bootstrap, prefix)
        return all(shard in at and at[shard][0] >= offset for shard, offset in wanted.items())

    with Apart(stack.settings.kafka_port) as apart:
        worker = Worker(words, tmp_path / "worker.log", apart.inside)
        process = psutil.Process(worker.process.pid)
        try:
            load.start()
            wait_until(lambda: len(folded(bootstrap, prefix)) == SHARDS, 90)
            sockets, threads = process.num_fds(), process.num_threads()
            for toxic in toxics("hang"):
                apart.line.befall(toxic)
                stays_wrong(apart.line, lambda: worker.process.poll() is not None)
                with timed("kafka", toxic):
                    wanted = ends(bootstrap, f"{prefix}readings.parking")
                    wait_until(lambda wanted=wanted: reached(wanted), NORMAL_S)
                wait_until(lambda: process.num_fds() <= sockets + FEW, NORMAL_S)
                wait_until(lambda: process.num_threads() <= threads + FEW, NORMAL_S)
            load.end()
            wanted = ends(bootstrap, f"{prefix}readings.parking")
            assert sum(wanted.values()) == load.sent
            wait_until(lambda: reached(wanted))
            assert worker.end() == 0
        finally:
            load.end()
            worker.process.kill()
            worker.process.wait()
    windows, accounts = all_alone(bootstrap, prefix)
    assert records(bootstrap, f"{prefix}windows") == windows
    assert folded(bootstrap, prefix) == accounts


def test_on_the_line_to_influxdb(stack):
    """The job that rolls up, while the district goes on."""
    city, line = City(stack), ToxicLine(("127.0.0.1", stack.settings.influxdb_port))
    made = city.factory
    try:
        store = type(city.influxdb)(line.url, city.influxdb.database, policies=city.influxdb.policies)
        city.factory = SituationFactory(made.line, store, made.rollup)
        runtime = city.runtime()
        city.run(runtime)
        sockets, threads = line.connections, threading.active_count()
        for toxic in toxics("reset"):
            city.say(city.windows + 20)
            with ThreadPoolExecutor(1) as jobs:
                line.befall(toxic)
                going = jobs.submit(city.run, runtime)
                stays_wrong(line, lambda going=going: going.done() and going.exception())
                with timed("influxdb", toxic):
                    going.result(NORMAL_S)
            wait_until(lambda: line.connections <= sockets + FEW, NORMAL_S)
            wait_until(lambda: threading.active_count() <= threads + FEW, NORMAL_S)
        runtime.close()
        city.check()
    finally:
        city.wipe()
        line.close()


def alert(number: int, street: str, now_ms: int) -> Alert:
    return Alert(
        id=f"{number:032x}", rule="signal.sos", severity="life_safety", domain="care", level="grid",
        place=f"{street}001001", onset_ms=now_ms, active=True, title="紧急呼救", latched=True,
    )  # fmt: skip


def test_on_the_line_to_who_is_told(tmp_path):
    """王芳 is at its end, 李强 is not: he is told meanwhile as ever, and she of everything afterwards."""
    far, near = Hook(), Hook()
    line = ToxicLine(("127.0.0.1", far.port))
    people = {"王芳": [f"json://127.0.0.1:{line.port}/"], "李强": [f"json://127.0.0.1:{near.port}/"]}
    routes = [
        {"name": name, "place": place, "steps": [{"people": [name]}]} for place, name in STREETS.items()
    ]
    calm = {"flood_start": 100_000, "flood_end": 99_999}
    store = Store(f"sqlite:///{tmp_path / 'desk.db'}")
    teller = Teller(parse_oncall({"people": people, "routes": routes} | calm), store)
    stopping, wanted = threading.Event(), {name: set[str]() for name in people}

    def raised() -> None:
        """Something happens in both streets; 李强 knows of it soon."""
        now_ms = time.time_ns() // 1_000_000
        number = sum(map(len, wanted.values())) + 1
        news = [alert(number + each, street, now_ms) for each, street in enumerate(STREETS)]
        for each, name in zip(news, people, strict=True):
            wanted[name].add(f"{each.id}/0/{name}")
        store.take("alerts", news, number, now_ms)
        teller.wake()
        wait_until(lambda: set(near.keys) == wanted["李强"], 2)

    with ThreadPoolExecutor(1) as services:
        going = services.submit(teller.run, stopping)
        try:
            raised()
            wait_until(lambda: set(far.keys) == wanted["王芳"], NORMAL_S)
            sockets, threads = line.connections, threading.active_count()
            for toxic in toxics("cut"):
                line.befall(toxic)
                stays_wrong(line, lambda: raised() or (going.done() and going.exception()))
                with timed("webhook", toxic):
                    raised()
                    wait_until(lambda: set(far.keys) == wanted["王芳"], 2 * NORMAL_S)
                wait_until(lambda: line.connections <= sockets + FEW, NORMAL_S)
                wait_until(lambda: threading.active_count() <= threads + FEW, NORMAL_S)
        finally:
            stopping.set()
            teller.wake()
    going.result()
    assert set(near.keys.values()) == {1}
    for each in (line, far, near, store):
        each.close()
