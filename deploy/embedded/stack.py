"""Bringing the stack up and down: what `taishi up`, `taishi down` and the tests' fixture call."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import psutil

from deploy.embedded import apps, children, fetch, influxdb, kafka, prism, toolchains
from deploy.embedded.building import DATA_BYTES, check_space
from deploy.embedded.logs import last_line
from deploy.embedded.parts import Part, Plan, ordered, write_plan
from deploy.embedded.ports import check_ports
from deploy.embedded.settings import StackSettings
from deploy.embedded.state import StackState, is_running, read_state
from schemas.errors import SettingsError, TaishiError

__all__ = ["APPS", "StackError", "declared", "down", "up", "wait_for", "wait_well"]

APPS: Final = (
    *("connect-mqtt", "connect-http", "worker-aggregate", "worker-situation"),
    *("worker-signals", "worker-presence", "worker-watch"),
)
"""What flows; the simulated city comes on top."""

STOP_LIMIT_S: Final = 120.0
_POLL_S: Final = 0.1
_STARTED: Final[list[subprocess.Popen[bytes]]] = []
"""Supervisors started here that may still live: they outlive us on purpose, so only `down` waits for them."""


class StackError(TaishiError):
    """The stack did not come up or go down as it should; the message names the part and its log."""


def declared(settings: StackSettings, java: Path, demo: bool = True) -> tuple[Part, ...]:
    """Every part these settings ask for, in starting order, except those with an address of one's own."""
    parts: list[Part] = []
    if settings.kafka_address is None:
        parts.append(kafka.part(settings, java))
    if settings.influxdb_address is None:
        parts.append(influxdb.part(settings))
    if settings.mqtt_address is None:
        parts.append(apps.broker(settings))
    parts.append(prism.part(settings, "aggregate", settings.prism_aggregate_port))
    parts.append(prism.part(settings, "situation", settings.prism_situation_port))
    parts.append(prism.part(settings, "signals", settings.prism_signals_port))
    parts.append(prism.part(settings, "presence", settings.prism_presence_port))
    parts.append(prism.part(settings, "watch", settings.prism_watch_port))
    parts.append(apps.topics(settings))
    parts.append(apps.store(settings))
    parts.extend(apps.connectors(settings))
    parts.extend(apps.workers(settings))
    parts.append(apps.scorecard(settings))
    parts.extend(apps.oncall(settings))
    parts.extend(apps.outgoing(settings))
    parts.extend(apps.pages(settings))
    parts.extend(apps.desk(settings))
    if demo:
        if not {"mqtt", "http"} <= set(settings.doors):
            raise SettingsError(
                f"doors: received {', '.join(settings.doors)}, allowed: mqtt and http among them, which the "
                "simulated city speaks; or start with --no-demo"
            )
        parts.append(apps.simulation(settings))
    return ordered(parts)


def up(
    settings: StackSettings,
    only: Iterable[str] | None = None,
    demo: bool = True,
    report: fetch.Report = lambda _what, _now: None,
    outlive: bool = True,
) -> bool:
    """Fetch what is missing and start the supervisor with the parts (or `only` those and their needs).

    False when a supervisor was running already (nothing is changed then). Returns as soon as the
    supervisor lives; `wait_well` waits for the parts. Without `outlive` the stack ends with this
    process, however that ends (on Linux), so that a killed test run leaves nothing.

    Raises:
        BuildError: something cannot be fetched. SettingsError: a port is taken. Both say what to do.
        StackError: the supervisor did not start.
    """
    if is_running(settings.home):
        return False
    for folder in (settings.home, settings.data, settings.logs, settings.pids):
        folder.mkdir(parents=True, exist_ok=True)
    check_space(settings.home, DATA_BYTES)
    wanted = ordered(declared(settings, Path("java"), demo), only)
    names = [part.name for part in wanted]
    java = _prepare(settings, names, report)
    parts = ordered(declared(settings, java, demo), names)
    for name in children.end_leftovers(settings.pids):
        report(name, "ended what a killed supervisor had left")
    check_ports([*parts, _supervisor_ports(settings)])
    if "kafka" in names:
        report("kafka", "preparing its storage")
        kafka.format_storage(settings, java)
    if "influxdb" in names:
        influxdb.write_configuration(settings)
    write_plan(settings.home, Plan(parts, settings.metrics_of("supervisor"), settings.log_limits))
    _start_supervisor(settings, outlive)
    return True


def wait_for(
    settings: StackSettings,
    limit_s: float,
    ready: Callable[[StackState], bool],
    seen: Callable[[StackState], None] = lambda _state: None,
) -> StackState:
    """Wait until `ready` says yes to the state; `seen` is told each state on the way.

    Raises:
        StackError: the supervisor ended, or the limit passed; names the parts, why, and their logs.
    """
    deadline_s = time.monotonic() + limit_s
    while True:
        alive = is_running(settings.home)
        state = read_state(settings.home)
        if state is not None and alive:
            seen(state)
            if ready(state):
                return state
        if not alive or time.monotonic() > deadline_s:
            raise StackError(_why(settings, state, alive, limit_s))
        time.sleep(_POLL_S)


def wait_well(
    settings: StackSettings, limit_s: float, seen: Callable[[StackState], None] = lambda _state: None
) -> StackState:
    """`wait_for` every part to be well."""
    return wait_for(settings, limit_s, lambda state: state.well, seen)


def down(settings: StackSettings) -> bool:
    """Stop every part and the supervisor; leaves no process. False when nothing was running."""
    state = read_state(settings.home)
    running = is_running(settings.home)
    if running and state is not None:
        supervisor = psutil.Process(state.pid)
        supervisor.send_signal(signal.SIGTERM)
        try:
            supervisor.wait(STOP_LIMIT_S)
        except psutil.TimeoutExpired:
            supervisor.kill()
            supervisor.wait(10)
    _STARTED[:] = [process for process in _STARTED if process.poll() is None]
    left = children.end_leftovers(settings.pids) if settings.pids.is_dir() else []
    return running or bool(left)


def _prepare(settings: StackSettings, names: list[str], report: fetch.Report) -> Path:
    """Everything the named parts need in the cache; the Java to run Kafka with."""
    families = {name.partition("-")[0] for name in names}
    fetch.fetch([a for name, a in fetch.ARTIFACTS.items() if name in families], settings.cache, report)
    if "kafka" not in names:
        return Path("java")
    return toolchains.provide(toolchains.JAVA, settings.cache, lambda text: report("java", text))


def _supervisor_ports(settings: StackSettings) -> Part:
    ports = {"metrics_port": settings.metrics_of("supervisor")}
    return Part(name="supervisor", command=(), log="supervisor", ports=ports)


def _start_supervisor(settings: StackSettings, outlive: bool) -> None:
    before = read_state(settings.home)
    log = settings.logs / "supervisor.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.embedded.supervisor", str(settings.home)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(os.environ),
            start_new_session=True,
            preexec_fn=None if outlive else children.die_with_parent(),  # noqa: PLW1509 - one system call
        )
    _STARTED.append(process)
    deadline_s = time.monotonic() + 30.0
    while True:
        state = read_state(settings.home)
        if state is not None and state != before and state.pid == process.pid:
            return
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise StackError(f"the supervisor did not start: {last_line(log)} (log: {log})")
        time.sleep(_POLL_S)


def _why(settings: StackSettings, state: StackState | None, alive: bool, limit_s: float) -> str:
    if not alive:
        log = settings.logs / "supervisor.log"
        return f"the supervisor is not running: {last_line(log)} (log: {log})"
    parts = () if state is None else tuple(part for part in state.parts if not part.well)
    lines = [
        f"{p.name} is {p.phase}{': ' + p.detail if p.detail else ''} (log: {settings.logs / p.log})"
        for p in parts
    ]
    return f"not well after {limit_s:.0f} s: " + "; ".join(lines)
