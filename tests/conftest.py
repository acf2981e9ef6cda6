"""Fixtures for everybody: `stack` is a real, isolated embedded stack, shared by one test session."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import psycopg
import pytest

from deploy.embedded import children
from deploy.embedded import stack as embedded
from deploy.embedded.fetch import PRISM, folder_of
from deploy.embedded.ports import SCRATCH_PORTS, free_ports
from deploy.embedded.state import PartState, StackState, read_state
from deploy.programs import find_program
from taishi.settings import Settings
from taishi.stack_settings import environment_of, stack_settings

if TYPE_CHECKING:  # most tests never load it
    from pipelines.io.influxdb import InfluxDb

pytest_plugins = ("tests.promises_plugin",)

if worker := os.environ.get("PYTEST_XDIST_WORKER"):  # gw0, gw1: half of the ports each
    first_port = 20_000 + 6_000 * (int(worker.removeprefix("gw")) % 2)
    os.environ[SCRATCH_PORTS] = f"{first_port}-{first_port + 6_000}"

PARTS = (
    *("kafka", "topics", "influxdb", "influxdb-database", "mqtt"),
    *("prism-aggregate", "prism-situation", "prism-signals", "prism-presence", "prism-watch"),
)

# How fast examples are made depends on what else the machine does: no reason for a test to fail.
hypothesis.settings.register_profile(
    "taishi", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("taishi")


@dataclass
class Stack:
    """A running stack of one's own: the real parts on free ports, in a home that goes away.

    `settings` are what `taishi` commands need to reach it; `environment` is the same for child processes.
    """

    settings: Settings
    environment: dict[str, str]
    _killed: dict[str, int] = field(default_factory=dict)

    @property
    def kafka_bootstrap(self) -> str:
        return self.settings.kafka_bootstrap

    @property
    def influxdb_url(self) -> str:
        return self.settings.influxdb_url

    @property
    def influxdb_database(self) -> str:
        return self.settings.influxdb_database

    @property
    def mqtt_host(self) -> str:
        return self.settings.mqtt_host_port[0]

    @property
    def mqtt_port(self) -> int:
        return self.settings.mqtt_host_port[1]

    @property
    def prism_program(self) -> Path:
        """To start a Prism of one's own, for a job of one's own."""
        return folder_of(PRISM, self.settings.cache) / "prism"

    @property
    def state(self) -> StackState:
        state = read_state(self.settings.home)
        assert state is not None
        return state

    def part(self, name: str) -> PartState:
        return self.state.part(name)

    def kill(self, name: str, signal_number: int = signal.SIGKILL) -> int:
        """Signal the part's process (kill -9 by default); returns its pid. See `wait_healthy`."""
        pid = self.part(name).pid
        assert pid is not None, f"{name} does not run: {self.part(name)}"
        self._killed[name] = pid
        os.kill(pid, signal_number)
        return pid

    def wait_healthy(self, name: str, timeout_s: float = 60.0) -> PartState:
        """Wait until the part serves; after `kill`, until another process of it does."""
        killed = self._killed.pop(name, None)

        def ready(state: StackState) -> bool:
            return state.part(name).well and state.part(name).pid != killed

        return embedded.wait_for(stack_settings(self.settings), timeout_s, ready).part(name)

    def run(self, *words: str, timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
        """`taishi words…` against this stack, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "taishi.cli.main", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def start(self, *words: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        """`taishi words…` against this stack, left running; the caller ends it."""
        with (log or Path(os.devnull)).open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "taishi.cli.main", *words],
                env=self.environment,
                stdout=output,
                stderr=output,
            )


def isolated_settings(home: Path, **given: object) -> Settings:
    """Settings of a stack that meets no other: its own home, free ports, the shared cache."""
    names = (
        *("kafka_port", "kafka_controller_port", "influxdb_port", "mqtt_port", "http_port"),
        *("prism_aggregate_port", "prism_situation_port", "prism_signals_port", "sip_port", "tcp_port"),
        *("prism_presence_port", "prism_watch_port", "pages_port", "desk_port"),
    )
    ports = free_ports(len(names) + 20, consecutive=True)
    fixed = dict(zip(names, ports, strict=False)) | {"metrics_port": ports[len(names)], "home": home}
    return Settings(**(fixed | given))  # type: ignore[arg-type]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of faults first: with two sessions side by side the longest file must not begin last."""
    items.sort(key=lambda item: "tests/faults/" not in item.nodeid)


@pytest.fixture(autouse=True)
def every_store_is_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what a test opened of InfluxDB, as a process's end would."""
    module = sys.modules.get("pipelines.io.influxdb")
    if module is None:
        yield
        return
    opened: list[InfluxDb] = []
    begin = module.InfluxDb.__init__

    def noted(store: InfluxDb, *args: Any, **named: Any) -> None:
        begin(store, *args, **named)
        opened.append(store)

    monkeypatch.setattr(module.InfluxDb, "__init__", noted)
    yield
    for store in opened:
        store.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Kafka with the topics, InfluxDB with its database, the MQTT broker and two Prisms; no apps.

    Fetches what the cache lacks (minutes, once). Tests that use it carry `@pytest.mark.stack`.
    """
    settings = isolated_settings(tmp_path_factory.mktemp("stack"))
    running = Stack(settings, dict(os.environ) | environment_of(settings))
    wanted = stack_settings(settings)
    try:
        embedded.up(wanted, only=PARTS, report=_tell, outlive=False)
        embedded.wait_well(wanted, 120)
        yield running
    finally:
        embedded.down(wanted)


@pytest.fixture(scope="session")
def stack_at() -> Callable[[Path], Stack]:
    """Makes the handle of one more isolated stack in a home of its own; the caller brings it up and down."""

    def make(home: Path) -> Stack:
        settings = isolated_settings(home)
        return Stack(settings, dict(os.environ) | environment_of(settings))

    return make


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Where a program of the system is; the test is skipped where it is not."""

    def find(name: str) -> str:
        found = find_program(name)
        if found is None:
            pytest.skip(f"{name} is not on this machine (as root, scripts/system-packages installs it)")
        return str(found)

    return find


@pytest.fixture(scope="session")
def postgresql(program: Callable[[str], str]) -> Iterator[str]:
    """URL of a PostgreSQL of this session's own (each xdist worker's: it starts in two seconds).

    On loopback, in a folder that goes away with it; as a user of few rights where we are root, which it
    refuses.
    """
    initdb, postgres = program("initdb"), program("postgres")
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="taishi-postgresql-") as home:
        run_as = _few_rights(home)
        words = [
            "--no-sync",
            "--auth=trust",
            "--username=desk",
            "--encoding=UTF8",
            "--locale=C",
            "-D",
            f"{home}/data",
        ]
        made = subprocess.run([initdb, *words], capture_output=True, text=True, check=False, **run_as)
        assert made.returncode == 0, made.stdout + made.stderr
        words = ["-D", f"{home}/data", "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
        words += ["-c", "unix_socket_directories=", "-c", "fsync=off"]
        with Path(home, "log").open("wb") as log:
            server = subprocess.Popen(
                [postgres, *words],
                stdout=log,
                stderr=log,
                preexec_fn=children.die_with_parent(),  # noqa: PLW1509 - one system call
                **run_as,
            )
        try:
            _wait_for_postgresql(server, port, Path(home, "log"))
            yield f"postgresql+psycopg://desk@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # its "fast shutdown"
            server.wait(30)


def _few_rights(home: str) -> dict[str, Any]:
    """How to start a child that works in `home` and is not root; gives it the folder."""
    if os.geteuid() != 0:
        return {"cwd": home}
    users = {user.pw_name: user for user in pwd.getpwall()}
    user = users.get("postgres") or users["nobody"]
    os.chown(home, user.pw_uid, user.pw_gid)
    return {"cwd": home, "user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _wait_for_postgresql(server: subprocess.Popen[bytes], port: int, log: Path, tries: int = 600) -> None:
    for _ in range(tries):
        with suppress(psycopg.OperationalError):
            psycopg.connect(host="127.0.0.1", port=port, user="desk", dbname="postgres").close()
            return
        with suppress(subprocess.TimeoutExpired):
            server.wait(0.05)
            break
    pytest.fail(f"PostgreSQL does not answer: {log.read_text()}")


@pytest.fixture(scope="session")
def fault_kills() -> int:
    """How many kills a fault test makes: few in `make test`, 30 or more in `make test-faults-long`."""
    return int(os.environ.get("TAISHI_FAULT_KILLS", "5"))


def _tell(what: str, now: str) -> None:
    sys.stderr.write(f"{what}: {now}\n")
