"""A real InfluxDB 2.x for tests: `python -m tests.influxdb2` builds it once, where the other programs are.

From its Go module and, for Flux, a Rust library of another (a quarter of an hour on two cores). Wanted are
Go, cargo, a C compiler and pkg-config; `make test-compatibility` builds it, no other test does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest

from deploy.embedded import toolchains
from deploy.embedded.building import BuildError, built, check_space
from deploy.embedded.children import die_with_parent
from deploy.embedded.ports import free_ports
from taishi.settings import load_settings
from tests.waiting import wait_until

VERSION: Final = "2.7.12"
_MODULE: Final = f"github.com/influxdata/influxdb/v2@v{VERSION}"
_FLUX: Final = "github.com/influxdata/flux"
_TAGS: Final = "sqlite_foreign_keys,sqlite_json"
_NEEDED_BYTES: Final = 8 * 1024**3
_DENIED: Final = re.compile(r"deny\(warnings[^)]*\)")
"""Flux's Rust turns warnings into errors, which a newer compiler has more of."""

ORG: Final = "district"
ADMIN_TOKEN: Final = "made-by-the-operator"  # noqa: S105 - a test's own


@dataclass(frozen=True, slots=True)
class InfluxDb2:
    """One that is set up: its organisation and its administrator's token."""

    url: str
    org: str = ORG
    token: str = ADMIN_TOKEN


def program(cache: Path) -> Path | None:
    """The one built; None where `python -m tests.influxdb2` has not been run."""
    found = cache / f"influxd-{VERSION}" / "influxd"
    return found if found.is_file() else None


def wanted(cache: Path) -> Path:
    """The one built; the test is skipped where it is not asked for."""
    found = program(cache)
    if found is None or not os.environ.get("TAISHI_COMPATIBILITY"):
        pytest.skip("an InfluxDB 2.x is for make test-compatibility")
    return found


@contextmanager
def running(influxd: Path, folder: Path) -> Iterator[InfluxDb2]:
    """One of its own in this folder."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    files = {"bolt-path": "meta", "sqlite-path": "sqlite", "engine-path": "data"}
    words = [f"--{option}={folder / name}" for option, name in files.items()]
    words += [f"--http-bind-address=127.0.0.1:{port}", "--reporting-disabled", "--log-level=warn"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(influxd), "run", *words],
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - one system call
        )
    try:
        wait_until(lambda: process.poll() is None and _answers(url))
        asked = {"username": "operator", "password": "of the operator", "org": ORG, "bucket": "setup"}
        httpx.post(f"{url}/api/v2/setup", json=asked | {"token": ADMIN_TOKEN}, timeout=30).raise_for_status()
        yield InfluxDb2(url)
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False


def build(target: Path, cache: Path) -> None:
    """`target/influxd`. BuildError says what is missing or what failed."""
    for name in ("cargo", "pkg-config", "cc"):
        if shutil.which(name) is None:
            raise BuildError(f"InfluxDB {VERSION}: {name} is not on this machine, and Flux is built with it")
    go = str(toolchains.provide(toolchains.GO, cache, print))
    work = target / "sources"
    ours = {
        "GOPATH": f"{work}/path",
        "GOCACHE": f"{work}/cache",
        "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "local",
    }
    ours |= {"GOBIN": str(work), "RUSTUP_TOOLCHAIN": "stable"}
    environment = {name: value for name, value in os.environ.items() if name != "GOROOT"} | ours
    environment["PATH"] = f"{work}:{environment['PATH']}"
    work.mkdir()
    _run([go, "mod", "download", _MODULE], work, environment)
    sources = work / "influxdb"
    shutil.copytree(work / "path" / "pkg" / "mod" / _MODULE, sources)
    _run([go, "mod", "download", _FLUX], sources, environment)
    for file in (work / "path" / "pkg" / "mod" / "github.com" / "influxdata").glob(
        "flux@*/libflux/**/lib.rs"
    ):
        file.write_text(_DENIED.sub("allow(warnings)", file.read_text("utf-8")), "utf-8")
    _run([go, "install", "github.com/influxdata/pkg-config"], sources, environment)  # it builds Flux
    words = ["-ldflags", f"-s -w -X main.version={VERSION}", "-tags", _TAGS, "-o", str(target / "influxd")]
    _run([go, "build", *words, "./cmd/influxd"], sources, environment)
    shutil.rmtree(work)


def _run(words: list[str], folder: Path, environment: dict[str, str]) -> None:
    sys.stderr.write(f"{' '.join(words)}\n")
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(words)} failed: {done.stderr.strip()[-2000:]}")


def main() -> None:
    """Build it where it is not built yet."""
    cache = load_settings().cache
    check_space(cache, _NEEDED_BYTES)
    folder = built(cache, f"influxd-{VERSION}", lambda target: build(target, cache))
    sys.stderr.write(f"{folder / 'influxd'}\n")


if __name__ == "__main__":
    main()
