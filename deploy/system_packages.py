"""The Debian packages that tests need, installed where that can be done without asking anybody.

    python -m deploy.system_packages     (scripts/system-packages, which `make test` runs)

Nothing happens, and no network is needed, when all are there. As root with apt-get the missing ones are
installed; else they are named, with the tests that will be skipped. It never fails: a test that lacks its
program skips by itself and says so. No service of these packages is started, now or at the next boot: tests
start their own, on ports of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.programs import find_program

__all__ = ["PACKAGES", "Machine", "Package", "install_missing", "services_stay_down"]

_POLICY: Final = Path("/usr/sbin/policy-rc.d")
_FONTS: Final = (Path("/usr/share/fonts"), Path.home() / ".local/share/fonts", Path.home() / ".fonts")
_QUIET: Final = (
    *("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"),
    *("-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=20"),
)


@dataclass(frozen=True)
class Package:
    """A Debian package, what a test looks for of it, and what is skipped without it."""

    debian: str
    program: str
    """A program on the PATH, or a pattern of file names among the fonts."""
    tests: str
    service: bool = False

    def there(self) -> bool:
        """Whether a test would find it, whoever installed it."""
        if "*" in self.program:
            return any(True for folder in _FONTS for _ in folder.rglob(self.program))
        return find_program(self.program) is not None


PACKAGES: Final = (
    Package("mosquitto", "mosquitto", "the MQTT connector and its access rules on Mosquitto", service=True),
    Package("postgresql", "initdb", "the desk's database on PostgreSQL", service=True),
    Package("chromium", "chromium", "pages and boards in a browser"),
    Package("fonts-noto-cjk", "NotoSansCJK*", "pictures of pages and boards in Chinese"),
    Package("curl", "curl", "the examples of docs/trust.md"),
    Package("openssl", "openssl", "the signed examples of docs/trust.md"),
)


@dataclass(frozen=True)
class Machine:
    """What this machine allows, and how a command is run on it: (exit code, all it printed)."""

    may_install: bool
    run: Callable[[Sequence[str]], tuple[int, str]]
    policy: Path = _POLICY


def install_missing(packages: Sequence[Package], machine: Machine, say: Callable[[str], None]) -> None:
    """Install what is not there; say what is done, or what could not be and which tests that costs."""
    missing = [package for package in packages if not package.there()]
    if not missing:
        return
    names = " ".join(package.debian for package in missing)
    if not machine.may_install:
        why = "not installed (that takes root and apt-get)"
    else:
        say(f"installing {names} (once; a minute or two)")
        why = _installed(missing, machine)
        missing = [package for package in missing if not package.there()]
    for package in missing:
        say(f"{package.debian} is missing: {why}; skipped: {package.tests}")
    if missing:
        say(f"to have them: sudo apt-get install --no-install-recommends {names}")


def _installed(missing: Sequence[Package], machine: Machine) -> str:
    """Install these; returns what to say of one that is still missing afterwards."""
    names = [package.debian for package in missing]
    with services_stay_down(machine.policy):
        # Lists that are already there may do where a mirror is away, so this one may fail.
        machine.run([*_QUIET, "update"])
        code, printed = machine.run([*_QUIET, "install", "--yes", "--no-install-recommends", *names])
    if code:
        return f"apt-get failed: {(printed.strip().splitlines() or ['without a word'])[-1]}"
    for package in missing:
        if package.service:
            machine.run(["update-rc.d", package.debian, "disable"])
    return "installed, and still not found"


@contextmanager
def services_stay_down(policy: Path = _POLICY) -> Iterator[None]:
    """Packages installed meanwhile start no service; a policy that the machine has already is left as it is.

    Killed in between, the file that stays forbids nothing: it asks whether this process still lives.
    """
    if policy.exists() or not policy.parent.is_dir():
        yield
        return
    policy.write_text(f"#!/bin/sh\nkill -0 {os.getpid()} 2>/dev/null && exit 101\nexit 0\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)


def _run(command: Sequence[str]) -> tuple[int, str]:
    done = subprocess.run(
        command,
        env=dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout


def _say(text: str) -> None:
    sys.stderr.write(f"system-packages: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    this = Machine(os.geteuid() == 0 and find_program("apt-get") is not None, _run)
    install_missing(PACKAGES, this, _say)
