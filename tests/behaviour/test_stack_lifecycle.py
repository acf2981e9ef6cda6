"""`taishi up` and `taishi down` on a home of one's own: quick, honest about what is wrong, nothing left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy.embedded import stack as embedded
from deploy.embedded.ports import free_ports
from deploy.embedded.state import StackState, is_running, read_state
from taishi.settings import Settings
from taishi.stack_settings import environment_of, stack_settings

pytestmark = pytest.mark.stack

LIGHT = ("--only", "influxdb-database", "--only", "mqtt", "--only", "prism-aggregate")
FULL = (*LIGHT, "--only", "topics", "--only", "prism-situation")


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    ports = free_ports(30, consecutive=True)
    names = ("kafka_port", "kafka_controller_port", "influxdb_port", "mqtt_port", "http_port")
    prisms = ("prism_aggregate_port", "prism_situation_port", "prism_signals_port")
    prisms += ("prism_presence_port", "prism_watch_port")
    given = dict(zip((*names, *prisms, "metrics_port"), ports, strict=False))
    mine = Settings(home=tmp_path / "home", **given)  # type: ignore[arg-type]
    yield mine
    embedded.down(stack_settings(mine))


def taishi(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "taishi.cli.main", *words],
        env=dict(os.environ) | environment_of(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def state_of(settings: Settings) -> StackState:
    state = read_state(settings.home)
    assert state is not None
    return state


def processes_of(settings: Settings) -> list[str]:
    """Whatever still mentions this home in its command line, and every part's pid that lives."""
    mentioned = [
        " ".join(process.info["cmdline"] or [])
        for process in psutil.process_iter(["cmdline", "status"])
        if process.info["status"] != psutil.STATUS_ZOMBIE
        and str(settings.home) in " ".join(process.info["cmdline"] or [])
    ]
    return mentioned + [str(p.pid) for p in psutil.process_iter() if p.pid in pids_of(settings)]


def pids_of(settings: Settings) -> set[int]:
    return {part.pid for part in state_of(settings).parts if part.pid is not None}


def test_a_second_start_takes_seconds_and_down_leaves_nothing(settings: Settings) -> None:
    assert taishi(settings, "up", *FULL).returncode == 0
    pids = pids_of(settings)
    assert taishi(settings, "down").returncode == 0
    assert not any(map(psutil.pid_exists, pids))
    started_s = time.monotonic()
    again = taishi(settings, "up", *FULL)
    assert again.returncode == 0, again.stderr
    assert time.monotonic() - started_s < 40
    assert "kafka" in again.stdout
    assert taishi(settings, "down").returncode == 0
    assert processes_of(settings) == []
    assert list((settings.home / "pids").glob("*.pid")) == []


def test_up_twice_says_so_and_changes_nothing(settings: Settings) -> None:
    assert taishi(settings, "up", *LIGHT).returncode == 0
    before = pids_of(settings)
    again = taishi(settings, "up", *LIGHT)
    assert again.returncode == 0
    assert "already running" in again.stdout
    assert pids_of(settings) == before


def test_a_taken_port_is_named_with_its_holder_and_its_setting(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", settings.influxdb_port)):
        refused = taishi(settings, "up", *LIGHT)
    assert refused.returncode == 1
    assert f"port {settings.influxdb_port} is held by" in refused.stderr
    assert f"pid {os.getpid()}" in refused.stderr
    assert "TAISHI_INFLUXDB_PORT" in refused.stderr
    assert not is_running(settings.home)


def test_a_killed_supervisor_leaves_nothing_and_the_next_up_serves(settings: Settings) -> None:
    assert taishi(settings, "up", *LIGHT).returncode == 0
    parts = [psutil.Process(pid) for pid in pids_of(settings)]
    os.kill(state_of(settings).pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(parts, timeout=10)
    assert not alive
    assert not is_running(settings.home)
    again = taishi(settings, "up", *LIGHT)
    assert again.returncode == 0, again.stderr


def test_a_part_that_cannot_run_is_told_with_its_last_words(settings: Settings) -> None:
    conflicting = settings.home / "data" / "influxdb"
    conflicting.parent.mkdir(parents=True)
    conflicting.write_text("a file where influxd wants a folder")
    failed = taishi(settings, "up", "--only", "influxdb", "--timeout", "4")
    assert failed.returncode == 1
    assert "influxdb is" in failed.stderr
    assert "exit code 1" in failed.stderr
    assert "influxdb.log" in failed.stderr


def test_a_part_that_hangs_is_seen_as_unhealthy(settings: Settings) -> None:
    assert taishi(settings, "up", "--only", "influxdb").returncode == 0
    pid = state_of(settings).part("influxdb").pid
    assert pid is not None
    wanted = stack_settings(settings)
    os.kill(pid, signal.SIGSTOP)
    embedded.wait_for(wanted, 30, lambda state: state.part("influxdb").phase == "unhealthy")
    os.kill(pid, signal.SIGCONT)
    embedded.wait_for(wanted, 30, lambda state: state.part("influxdb").phase == "healthy")
    assert state_of(settings).part("influxdb").pid == pid
