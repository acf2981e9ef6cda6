"""A first start that cannot be: no network, no Java, no Go, no space. It says what to do, and leaves nothing.

Each is the real command in a process of its own, on an empty machine: no cache, no programs on the PATH,
and every way to the network through a proxy that is not there.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.embedded.fetch import KAFKA, folder_of
from deploy.embedded.ports import free_ports
from deploy.embedded.state import is_running

LIMIT_S = 120.0


@dataclass
class Machine:
    """Where nothing of Taishi has run, in a folder that goes away."""

    folder: Path
    nowhere: int
    path: list[Path] = field(default_factory=list)
    before: tuple[str, ...] = ()

    @property
    def home(self) -> Path:
        return self.folder / ".local/state/taishi"

    @property
    def cache(self) -> Path:
        return self.folder / ".cache/taishi"

    def taishi(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        proxy = f"http://127.0.0.1:{self.nowhere}"
        environment = {
            "HOME": str(self.folder),
            "PATH": ":".join(map(str, self.path)),
            "PIP_RETRIES": "0",
            "PIP_CONFIG_FILE": "/dev/null",
            **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy),
        }
        return subprocess.run(
            [*self.before, sys.executable, "-m", "taishi.cli.main", *words],
            env=environment | settings,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    def refused(self, *words: str, **settings: str) -> str:
        """What stderr says of a start that cannot be; it is one line, without a traceback."""
        done = self.taishi("up", "--detach", *words, **settings)
        assert done.returncode == 1, done.stdout + done.stderr
        assert not is_running(self.home)
        (line,) = done.stderr.splitlines()
        return line


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (nowhere,) = free_ports(1)
    return Machine(tmp_path, nowhere)


@pytest.fixture
def small_disk(machine: Machine, tmp_path: Path) -> Path:
    """A disk of eight megabytes in a mount namespace of the command's own."""
    unshare, disk = shutil.which("unshare"), tmp_path / "disk"
    disk.mkdir()
    mounted = f"mount -t tmpfs -o size=8m tmpfs {disk}"
    machine.before = (str(unshare), "-rm", "/bin/sh", "-c", f'{mounted} && exec "$@"', "sh")
    allowed = unshare and subprocess.run([*machine.before, "/bin/true"], capture_output=True, check=False)
    if not allowed or allowed.returncode:
        pytest.skip("no mount namespace is to be had here (unshare -rm)")
    machine.path = [Path("/usr/bin"), Path("/bin")]  # for mount
    return disk


def test_without_a_network_it_says_that_the_first_start_needs_one(machine: Machine) -> None:
    line = machine.refused("--only", "kafka")
    assert "org.apache.kafka" in line
    assert "the first start needs the network" in line
    assert f"copy the folder {machine.cache} from a machine that has started once" in line
    assert not folder_of(KAFKA, machine.cache).exists()


def test_without_java_it_says_how_to_come_by_one(machine: Machine) -> None:
    folder_of(KAFKA, machine.cache).mkdir(parents=True)
    line = machine.refused("--only", "kafka")
    assert "no usable Java: no java on the PATH; Java 17.0 or newer is wanted" in line
    assert "apt-get install openjdk-17-jre-headless" in line
    assert "set JAVA_HOME, or connect this machine to the network" in line


def test_without_go_it_says_how_to_come_by_one(machine: Machine) -> None:
    line = machine.refused("--only", "influxdb")
    assert "no usable Go: no go on the PATH; Go 1.26 or newer is wanted" in line
    assert "apt-get install golang-go" in line
    assert "set GOROOT, or connect this machine to the network" in line


def test_with_an_old_go_it_names_both_versions(machine: Machine) -> None:
    machine.path = [machine.folder / "bin"]
    machine.path[0].mkdir()
    go = machine.path[0] / "go"
    go.write_text("#!/bin/sh\necho go version go1.19.8 linux/amd64\n")
    go.chmod(0o755)
    line = machine.refused("--only", "influxdb")
    assert f"no usable Go: Go 1.19 at {go}" in line
    assert "1.26 or newer is wanted" in line


def test_a_full_disk_is_named_before_anything_starts(machine: Machine, small_disk: Path) -> None:
    data = machine.refused("--only", "mqtt", TAISHI_HOME=str(small_disk / "home"))
    assert f"disk full: 0.0 GiB free at {small_disk / 'home'}, 0.5 GiB needed" in data
    programs = machine.refused("--only", "kafka", TAISHI_CACHE=str(small_disk / "cache"))
    assert f"disk full: 0.0 GiB free at {small_disk / 'cache'}, 2.0 GiB needed" in programs
    assert "set TAISHI_CACHE (programs) or TAISHI_HOME (data) to a larger disk" in programs


def test_doctor_says_all_of_it_at_once(machine: Machine) -> None:
    told = machine.taishi("doctor", "--offline", "--json")
    assert told.returncode == 1
    findings = {each["check"]: each for each in json.loads(told.stdout)}
    failed = {check for check, each in findings.items() if each["level"] == "fail" and "port" not in check}
    assert failed == {"java", "go", "kafka 4.3.1", "prism 2.77.0", "influxd 1.8.10"}
    assert all(findings[check]["advice"] for check in failed)
    assert "openjdk-17-jre-headless" in findings["java"]["advice"]


def test_doctor_sees_a_full_disk(machine: Machine, small_disk: Path) -> None:
    told = machine.taishi("doctor", TAISHI_HOME=str(small_disk), TAISHI_CACHE=str(small_disk))
    assert told.returncode == 1
    assert f"fail  data disk                0.0 GiB free at {small_disk}" in told.stdout
    assert "fail  cache disk" in told.stdout
    assert "2.0 GiB are needed; free some or set TAISHI_CACHE" in told.stdout
