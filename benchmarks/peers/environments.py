"""Each engine's own environment, made once into the project's cache: Python packages and jars by name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.embedded import toolchains
from deploy.embedded.building import BuildError, built
from deploy.embedded.fetch import KAFKA, copy_jars

__all__ = [
    "BYTEWAX",
    "FLINK",
    "KAFKA_STREAMS",
    "QUIX",
    "SPARK",
    "Environment",
    "java_of",
    "javac_of",
    "provide",
]

_Say = Callable[[str], None]
_SOURCES: Final = Path(__file__).with_name("engines")


@dataclass(frozen=True, slots=True)
class Environment:
    """`packages` for a virtual environment, `jars` by Maven coordinates, `source` to compile against them."""

    name: str
    version: str
    packages: tuple[str, ...] = ()
    jars: str = ""
    source: str = ""

    def folder(self, cache: Path) -> Path:
        """Where it is once made."""
        return cache / f"peer-{self.name}-{self.version}"

    def python(self, cache: Path) -> str:
        """Its interpreter."""
        return str(self.folder(cache) / "venv" / "bin" / "python")


BYTEWAX: Final = Environment("bytewax", "0.21.1", ("bytewax[kafka]==0.21.1", "orjson==3.11.4"))
QUIX: Final = Environment("quix", "3.28.1", ("quixstreams==3.28.1",))
FLINK: Final = Environment(
    "flink",
    "2.3.0",
    ("apache-flink==2.3.0", "orjson==3.11.4", "setuptools<81"),
    "org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2",
)
SPARK: Final = Environment(
    "spark", "4.2.0", ("pyspark==4.2.0",), "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0"
)
KAFKA_STREAMS: Final = Environment(
    "kafka-streams",
    KAFKA.version,
    jars=f"org.apache.kafka:kafka-streams:{KAFKA.version}+com.fasterxml.jackson.core:jackson-databind:2.20.1"
    "+org.slf4j:slf4j-simple:1.7.36",
    source="WindowsOfGrids.java",
)


def provide(environment: Environment, cache: Path, say: _Say) -> None:
    """Make it if it is not there yet (minutes, and the network). BuildError says what could not be had."""
    if not environment.folder(cache).is_dir():
        say(f"{environment.name} {environment.version}: installing")
        built(cache, environment.folder(cache).name, lambda target: _make(environment, target, cache))


def java_of(cache: Path) -> Path:
    """The Java that the embedded Kafka runs on."""
    return toolchains.provide(toolchains.JAVA, cache, lambda _text: None)


def javac_of(cache: Path) -> Path:
    """The compiler beside that Java. BuildError where there is only a runtime."""
    compiler = java_of(cache).resolve().with_name("javac")
    if not compiler.is_file():
        raise BuildError(f"no Java compiler at {compiler} (Debian: apt-get install openjdk-17-jdk-headless)")
    return compiler


def _make(environment: Environment, target: Path, cache: Path) -> None:
    if environment.packages:
        _install(environment.packages, target / "venv")
    if environment.jars:
        (target / "jars").mkdir()
        copy_jars(environment.jars, target / "jars", cache)
    if environment.source:
        source = str(_SOURCES / environment.source)
        _run(str(javac_of(cache)), "-cp", f"{target / 'jars'}/*", "-d", str(target / "classes"), source)


def _install(packages: tuple[str, ...], folder: Path) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    _run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
    _run(uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *packages)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(command)} failed: {done.stderr.strip()[-1000:]}")
