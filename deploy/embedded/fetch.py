"""The programs of the embedded stack: fetched or built once into the cache, found there afterwards."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.embedded import toolchains
from deploy.embedded.building import BuildError, built, check_space

__all__ = [
    "ARTIFACTS",
    "INFLUXD",
    "KAFKA",
    "PRISM",
    "Artifact",
    "GoProgram",
    "Jars",
    "copy_jars",
    "fetch",
    "missing",
]

Report = Callable[[str, str], None]
"""Told (artifact, what happens now); called from the fetching thread."""


@dataclass(frozen=True, slots=True)
class Jars:
    """A Java program with everything it needs, by Maven coordinates."""

    name: str
    version: str
    coordinates: str


@dataclass(frozen=True, slots=True)
class GoProgram:
    """A Go program built from the module proxy."""

    name: str
    version: str
    package: str


Artifact = Jars | GoProgram

_KAFKA: Final = os.environ.get("TAISHI_EMBEDDED_KAFKA", "4.3.1")
"""Another version is for the tests of compatibility: `make test-compatibility`."""
KAFKA: Final = Jars("kafka", _KAFKA, f"org.apache.kafka:kafka_2.13:{_KAFKA}+org.slf4j:slf4j-simple:1.7.36")
PRISM: Final = GoProgram("prism", "2.77.0", "github.com/apache/beam/sdks/v2/go/cmd/prism@v2.77.0")
INFLUXD: Final = GoProgram("influxd", "1.8.10", "github.com/influxdata/influxdb/cmd/influxd@v1.8.10")
ARTIFACTS: Final[Mapping[str, Artifact]] = {"kafka": KAFKA, "influxdb": INFLUXD, "prism": PRISM}
"""By the family of parts that runs them."""

_NO_NETWORK: Final = (
    "the first start needs the network (afterwards the cache serves); connect, or copy the folder {cache} "
    "from a machine that has started once"
)


def folder_of(artifact: Artifact, cache: Path) -> Path:
    """Where the artifact is once fetched."""
    return cache / f"{artifact.name}-{artifact.version}"


def missing(artifacts: list[Artifact], cache: Path) -> list[Artifact]:
    """Those not in the cache yet."""
    return [artifact for artifact in artifacts if not folder_of(artifact, cache).is_dir()]


def fetch(artifacts: list[Artifact], cache: Path, report: Report) -> None:
    """Make every artifact present in the cache; does nothing, and needs no network, when all are.

    Raises:
        BuildError: no network, no toolchain, no space: the message says what to do.
    """
    wanted = missing(artifacts, cache)
    if not wanted:
        return
    check_space(cache)
    for artifact in wanted:
        _fetch(artifact, cache, report)
    _drop_sources(cache)


def _fetch(artifact: Artifact, cache: Path, report: Report) -> None:
    def say(text: str) -> None:
        report(artifact.name, text)

    started_s = time.monotonic()
    if isinstance(artifact, Jars):
        say(f"resolving {artifact.coordinates}")
        built(
            cache,
            folder_of(artifact, cache).name,
            lambda target: copy_jars(artifact.coordinates, target, cache),
        )
    else:
        go = toolchains.provide(toolchains.GO, cache, say)
        say(f"building {artifact.package} (one to three minutes)")
        built(cache, folder_of(artifact, cache).name, lambda target: _go(artifact, go, target, cache))
    say(f"ready after {time.monotonic() - started_s:.0f} s")


def copy_jars(coordinates: str, target: Path, cache: Path) -> None:
    """Put what the coordinates name, with all it needs, into a folder. BuildError when it cannot be had."""
    import jgo  # noqa: PLC0415 - heavy, and needed once in the life of a machine

    logging.getLogger("jgo").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix=".jgo-", dir=cache) as scratch:
        try:
            jars = jgo.build(coordinates, cache_dir=Path(scratch)).all_jars
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise
            raise BuildError(f"{coordinates}: {error}. {_NO_NETWORK.format(cache=cache)}") from error
        for jar in jars:
            shutil.copy(jar, target / Path(jar).name)


def _go(artifact: GoProgram, go: Path, target: Path, cache: Path) -> None:
    sources = cache / ".go"
    inherited = {name: value for name, value in os.environ.items() if name != "GOROOT"}  # go knows its own
    environment = inherited | {
        "GOBIN": str(target),
        "GOPATH": str(sources / "path"),
        "GOCACHE": str(sources / "build"),
        "GOFLAGS": "-modcacherw",
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
    }
    command = [str(go), "install", "-ldflags=-s -w", artifact.package]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(_go_error(artifact, done.stderr, cache))


def _go_error(artifact: GoProgram, printed: str, cache: Path) -> str:
    last = " / ".join(printed.strip().splitlines()[-3:])
    if "no space left" in printed:
        return (
            f"disk full while building {artifact.package}; free space on the disk of {cache} and start again"
        )
    if any(
        mark in printed for mark in ("dial tcp", "no such host", "connection refused", "lookup ", "timeout")
    ):
        return f"cannot download {artifact.package}: {last}. {_NO_NETWORK.format(cache=cache)}"
    return f"go install {artifact.package} failed: {last}"


def _drop_sources(cache: Path) -> None:
    """Sources and build cache of Go are needed once; they are more than ten times the programs."""
    shutil.rmtree(cache / ".go", ignore_errors=True)
