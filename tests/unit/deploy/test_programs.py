"""Programs of the system are found where Debian puts them; missing packages are installed, or named."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy import system_packages
from deploy.programs import find_program, need_program
from deploy.system_packages import PACKAGES, Machine, Package, install_missing, services_stay_down
from schemas.errors import SettingsError


def program(folder: Path, name: str = "initdb") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_program_on_the_path_comes_first(tmp_path: Path) -> None:
    program(tmp_path / "postgresql/15/bin")
    mine = program(tmp_path / "mine")
    found = find_program("initdb", {"PATH": str(tmp_path / "mine")}, tmp_path / "postgresql")
    assert found == mine


def test_the_newest_of_several_postgresqls_is_found_by_number_not_by_letter(tmp_path: Path) -> None:
    for version in ("9.6", "15", "17"):
        program(tmp_path / version / "bin")
    assert find_program("initdb", {"PATH": ""}, tmp_path) == tmp_path / "17/bin/initdb"


def test_a_program_that_is_nowhere_is_named_with_what_brings_it() -> None:
    assert find_program("no-such-program") is None
    with pytest.raises(SettingsError, match=r"no-such-program.*scripts/system-packages"):
        need_program("no-such-program")


class Debian:
    """A machine whose apt-get brings what it is asked for, unless it lacks a network."""

    def __init__(self, folder: Path, online: bool = True, root: bool = True) -> None:
        self.folder, self.online = folder, online
        self.ran: list[list[str]] = []
        self.said: list[str] = []
        self.policy = folder / "policy-rc.d"
        self.policies: list[bool] = []
        self.machine = Machine(root, self.run, self.policy)

    def run(self, command: Sequence[str]) -> tuple[int, str]:
        self.ran.append(list(command))
        self.policies.append(self.policy.exists())
        if not self.online:
            return 100, "E: Unable to locate package\nE: nothing to be had\n"
        if "install" in command:
            for name in command[command.index("--no-install-recommends") + 1 :]:
                program(self.folder / "bin", f"the-{name}")
        return 0, ""

    def install(self, *packages: Package) -> str:
        install_missing(packages, self.machine, self.said.append)
        return "\n".join(self.said)


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Debian:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return Debian(tmp_path)


SERVER = Package("server", "the-server", "tests of the server", service=True)
TOOL = Package("tool", "the-tool", "tests of the tool")


def test_only_what_is_missing_is_installed_and_its_service_stays_down(debian: Debian) -> None:
    program(debian.folder / "bin", "the-tool")
    assert debian.install(SERVER, TOOL) == "installing server (once; a minute or two)"
    update, install, disable = debian.ran
    assert update[-1] == "update"
    assert install[-3:] == ["--yes", "--no-install-recommends", "server"]
    assert disable == ["update-rc.d", "server", "disable"]
    assert debian.policies == [True, True, False], "a service could start while it is installed"


def test_nothing_runs_when_all_is_there(debian: Debian) -> None:
    program(debian.folder / "bin", "the-tool")
    assert debian.install(TOOL) == ""
    assert debian.ran == []


def test_without_root_the_missing_are_named_with_the_tests_they_cost(debian: Debian) -> None:
    debian.machine = Machine(False, debian.run, debian.policy)
    said = debian.install(SERVER, TOOL)
    assert debian.ran == []
    assert (
        "server is missing: not installed (that takes root and apt-get); skipped: tests of the server" in said
    )
    assert "sudo apt-get install --no-install-recommends server tool" in said


def test_without_a_network_the_reason_is_told_and_work_goes_on(debian: Debian) -> None:
    debian.online = False
    assert (
        "tool is missing: apt-get failed: E: nothing to be had; skipped: tests of the tool"
        in debian.install(TOOL)
    )


def policy_says(policy: Path) -> int:
    return subprocess.run(["sh", str(policy)], check=False).returncode


def test_services_may_not_start_while_we_install_and_the_policy_goes_away(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    with services_stay_down(policy):
        assert policy_says(policy) == 101
    assert not policy.exists()


def test_the_policy_of_a_killed_installation_forbids_nothing(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(system_packages.os, "getpid", lambda: gone.pid)
        with services_stay_down(policy):
            assert policy_says(policy) == 0


def test_a_policy_of_the_machines_own_is_left_alone(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("exit 7\n")
    with services_stay_down(policy):
        assert policy_says(policy) == 7
    assert policy.read_text() == "exit 7\n"


def test_a_font_counts_as_there_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    font = Package("fonts", "AFont*", "pictures")
    monkeypatch.setattr(system_packages, "_FONTS", (tmp_path,))
    assert not font.there()
    (tmp_path / "opentype").mkdir()
    (tmp_path / "opentype/AFont-Regular.ttc").touch()
    assert font.there()


def test_each_package_says_which_tests_it_is_for() -> None:
    assert len({package.debian for package in PACKAGES}) == len(PACKAGES)
    assert all(package.tests for package in PACKAGES)
