"""Taishi on one host, from its compose file, without Docker: each service a process as the file says.

The same commands, environments, users, secrets, volumes and read-only roots, in one network namespace
(container.py). Kafka, InfluxDB 2.7, PostgreSQL and Mosquitto are the real ones of this machine; what the
entry points of their images do is done here. Not started: the door before the pages (nginx), Prometheus,
Grafana.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import psycopg

from deploy.embedded import toolchains
from deploy.embedded.fetch import KAFKA, PRISM, folder_of
from tests import influxdb2
from tests.host import compose
from tests.host.namespace import asked_in
from tests.waiting import wait_until

Answer = TypeVar("Answer")
ABSENT: Final = {"pages-door", "prometheus", "grafana"}
VOLUME_OWNERS: Final = {"kafka": 1000, "influxdb": 1000, "influxdb-config": 1000, "postgres": 999}
"""Of an image's folders; all others belong to ours."""
TAISHI: Final = 10001
UP_S: Final = 180
ENVIRONMENT: Final = {
    "PATH": "/opt/taishi/bin:/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONPATH": "/opt/source",
    "PYTHONDONTWRITEBYTECODE": "1",
    "HOME": "/tmp",  # noqa: S108 - of the container
}
"""Of the images."""


class Host:
    """The services, each a process; `at` their network."""

    def __init__(self, folder: Path, at: str, cache: Path) -> None:
        self.folder, self.at, self.cache = folder, at, cache
        self.secrets, self.volumes, self.etc = (folder / name for name in ("secrets", "volumes", "etc"))
        for each in (self.secrets, self.volumes, self.etc):
            each.mkdir()
        folder.chmod(0o755)
        self.senders: dict[str, str] = {}
        self.services = compose.services(
            {
                "TAISHI_ETC": str(self.etc),
                "TAISHI_DEPLOY_SECRETS": str(self.secrets),
                "TAISHI_KAFKA_CLUSTER_ID": "dGFpc2hpLWhvc3Qtc2VydmVyIQ",
            }
        )
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.programs = _programs(folder / "bin", cache)

    def taishi(self, *words: str, **environment: str) -> str:
        """As the operator would before the first start; what it printed."""
        given = os.environ | {"TAISHI_HOME": str(self.folder / "operator")} | environment
        done = subprocess.run(
            [sys.executable, "-m", "taishi.cli.main", *words],
            check=False,
            cwd=compose.ROOT,
            env=given,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, name: str) -> None:
        """Start it, and wait until it is well or has done its work."""
        command, more = self._command(name, self.services[name])
        with (self.folder / f"{name}.log").open("ab") as log:
            words = self._container(name, command, more)
            self.running[name] = subprocess.Popen(words, cwd=compose.ROOT, stdout=log, stderr=log)
        self._wait(name, self.services[name])

    def run(self, name: str, words: list[str], given: str) -> None:
        """`docker compose run`: another command in the service's place, which reads what is given."""
        container = self._container(name, words, [])
        done = subprocess.run(
            container, cwd=compose.ROOT, input=given, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def _container(self, name: str, command: list[str], more: list[tuple[str, str, bool]]) -> list[str]:
        service = self.services[name]
        volumes = list(compose.binds(service, self.secrets, self.volumes))
        for source, _, _ in volumes:
            self._volume(Path(source))
        ours = [(compose.ROOT, "/opt/source"), (self.folder / "bin", "/opt/taishi/bin")]
        given = {
            "user": service["user"],
            "command": command,
            "read_only": service["read_only"],
            "tmpfs": compose.tmpfs(service),
            "binds": [*volumes, *more, *((str(source), target, True) for source, target in ours)],
            "programs": self.programs,
            "environment": ENVIRONMENT | compose.environment(service),
        }
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps(given))
        apart = ("ip", "netns", "exec", self.at, "unshare", "--mount")
        return [*apart, sys.executable, "-m", "tests.host.container", str(file)]

    def said(self, name: str) -> str:
        """The end of its log."""
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")[-3_000:]

    def ask(self, what: Callable[[], Answer]) -> Answer:
        """In their network."""
        return asked_in(self.at, what)

    def end(self) -> None:
        for process in reversed(self.running.values()):
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _volume(self, path: Path) -> None:
        """A named volume belongs to the user of the image's folder."""
        if path.parent == self.volumes and not path.exists():
            path.mkdir()
            owner = VOLUME_OWNERS.get(path.name, TAISHI)
            os.chown(path, owner, owner)

    def _command(self, name: str, service: dict[str, Any]) -> tuple[list[str], list[tuple[str, str, bool]]]:
        """Its own, or what the entry point of its image does."""
        if name == "kafka":
            file = self.folder / "server.properties"
            file.write_text(compose.kafka_properties(service))
            file.chmod(0o644)
            java = f"java $KAFKA_HEAP_OPTS $KAFKA_OPTS -cp '{folder_of(KAFKA, self.cache)}/*'"
            tool = f"{java} kafka.tools.StorageTool format --ignore-formatted -t $CLUSTER_ID"
            script = f"{tool} -c /server.properties && exec {java} kafka.Kafka /server.properties"
            return ["sh", "-c", script], [(str(file), "/server.properties", True)]
        if name == "influxdb":
            data = "/var/lib/influxdb2"
            words = [
                "--bolt-path",
                f"{data}/influxd.bolt",
                "--engine-path",
                f"{data}/engine",
                "--http-bind-address",
            ]
            return [str(influxdb2.program(self.cache)), "run", *words, ":8086"], []
        if name == "postgres":
            data = "/var/lib/postgresql/data"
            words = "-U $POSTGRES_USER --pwfile=$POSTGRES_PASSWORD_FILE $POSTGRES_INITDB_ARGS"
            made = f"[ -e {data}/PG_VERSION ] || initdb {words} -D {data}"
            return ["sh", "-c", f"{{ {made}; }} && exec postgres -D {data} -c listen_addresses='*'"], []
        return [str(word) for word in service["command"]], []

    def _wait(self, name: str, service: dict[str, Any]) -> None:
        process = self.running[name]
        if "healthcheck" not in service:
            assert process.wait(UP_S) == 0, f"{name}: {self.said(name)}"
            return

        def well() -> bool:
            assert process.poll() is None, f"{name} ended: {self.said(name)}"
            return self._well(name, service)

        try:
            wait_until(well, UP_S, pause_s=0.5)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}: {self.said(name)}") from error

    def _well(self, name: str, service: dict[str, Any]) -> bool:
        if name in READY:
            return READY[name](self)
        words = [sys.executable, *service["healthcheck"]["test"][2:]]
        probe = subprocess.run(
            ["ip", "netns", "exec", self.at, *words], cwd=compose.ROOT, capture_output=True, check=False
        )
        return probe.returncode == 0


def _programs(folder: Path, cache: Path) -> list[str]:
    """What the images hold, as it is here: `python`, `taishi` and `prism` in a folder, and what they want."""
    folder.mkdir()
    (folder / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (folder / "taishi").write_text(f'#!/bin/sh\nexec {sys.executable} -m taishi.cli.main "$@"\n')
    (folder / "prism").symlink_to(folder_of(PRISM, cache) / "prism")
    (folder / "java").symlink_to(toolchains.provide(toolchains.JAVA, cache, print))
    for name in ("python", "taishi"):
        (folder / name).chmod(0o755)
    return [str(path) for path in (Path(sys.prefix), Path(sys.base_prefix), cache)]


def _kafka_is_ready(host: Host) -> bool:
    log = host.folder / "kafka.log"
    return b"Kafka Server started" in log.read_bytes() or host.ask(lambda: _listens(9092))


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _influxdb_is_ready(host: Host) -> bool:
    """What the entry point of its image does once it answers, from the same files."""
    url, given = "http://127.0.0.1:8086", host.services["influxdb"]["environment"]

    def set_up() -> bool:
        try:
            allowed = httpx.get(f"{url}/api/v2/setup", timeout=2).json()["allowed"]
        except httpx.TransportError:
            return False
        if allowed:
            asked = {"org": given["DOCKER_INFLUXDB_INIT_ORG"], "bucket": given["DOCKER_INFLUXDB_INIT_BUCKET"]}
            for name in ("username", "password", "token"):
                which = {"username": "user", "token": "token"}.get(name, name)
                asked[name] = (host.secrets / f"influxdb_admin_{which}").read_text()
            httpx.post(f"{url}/api/v2/setup", json=asked, timeout=30).raise_for_status()
        return True

    return host.ask(set_up)


def _postgres_is_ready(host: Host) -> bool:
    """With the database that the entry point of its image makes."""
    password = (host.secrets / "postgres_password").read_text()

    def made() -> bool:
        words = {"host": "127.0.0.1", "user": "taishi", "password": password, "dbname": "postgres"}
        try:
            with psycopg.connect(**words, autocommit=True) as opened:
                if not opened.execute("SELECT 1 FROM pg_database WHERE datname = 'taishi'").fetchall():
                    opened.execute("CREATE DATABASE taishi")
        except psycopg.OperationalError:
            return False
        return True

    return host.ask(made)


READY: Final[dict[str, Callable[[Host], bool]]] = {
    "kafka": _kafka_is_ready,
    "influxdb": _influxdb_is_ready,
    "postgres": _postgres_is_ready,
    "mosquitto": lambda host: host.ask(lambda: _listens(8883)),
}
