"""The engines that are measured: what each is started with, and how much it is given to do."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.peers.environments import (
    BYTEWAX,
    FLINK,
    KAFKA_STREAMS,
    QUIX,
    SPARK,
    Environment,
    java_of,
)

__all__ = ["ENGINES", "OURS", "Engine", "Job", "named"]

_ENGINES: Final = Path(__file__).with_name("engines")
_FAST, _MIDDLE, _SLOW, _SLOWEST = 2_000_000, 400_000, 200_000, 40_000


@dataclass(frozen=True, slots=True)
class Job:
    """Where one run reads and writes."""

    bootstrap: str
    topic: str
    out: str
    partitions: int
    folder: Path
    cache: Path

    @property
    def environment(self) -> dict[str, str]:
        """The same for a process that reads it from its environment."""
        told = {"BOOTSTRAP": self.bootstrap, "TOPIC": self.topic, "OUT": self.out}
        return told | {"PARTITIONS": str(self.partitions), "FOLDER": str(self.folder)}


@dataclass(frozen=True, slots=True)
class Engine:
    """`words` follow the interpreter; `processes` of them share the partitions, and get `readings` to fold.

    `writes` says what its rows are: an engine's (`rows`), the `product`'s own, or `nothing` (a limit).
    """

    name: str
    label: str
    words: tuple[str, ...]
    environment: Environment | None = None
    java: bool = False
    processes: int = 1
    readings: int = _FAST
    writes: str = "rows"

    def commands(self, job: Job) -> list[list[str]]:
        """One command a process."""
        if self.java and self.environment:
            folder = self.environment.folder(job.cache)
            program = [str(java_of(job.cache)), "-Xmx1g", "-cp", f"{folder / 'classes'}:{folder / 'jars'}/*"]
            given = [job.bootstrap, job.topic, job.out, str(job.folder)]
            return [[*program, self.words[0], *given, *self.words[1:]]]
        python = self.environment.python(job.cache) if self.environment else sys.executable
        command = [python, *self.words]
        if self.processes == 1:
            return [command]
        shares = [range(share, job.partitions, self.processes) for share in range(self.processes)]
        return [[*command, "--shards", ",".join(map(str, share))] for share in shares]

    def variables(self, job: Job) -> dict[str, str]:
        """What its processes find in their environment, beside the runner's own."""
        jars = {"JARS": str(self.environment.folder(job.cache) / "jars")} if self.environment else {}
        return job.environment | jars


def _script(name: str) -> str:
    return str(_ENGINES / name)


def _module(name: str) -> tuple[str, str]:
    return "-m", f"benchmarks.peers.engines.{name}"


def _java(store: str) -> dict[str, Any]:
    return {"words": ("WindowsOfGrids", store), "environment": KAFKA_STREAMS, "java": True}


def _foreign(environment: Environment, *words: str, readings: int = _FAST) -> dict[str, Any]:
    return {"words": words, "environment": environment, "readings": readings}


_BYTEWAX = ("-m", "bytewax.run", _script("bytewax_flow.py"), "-w2")
OURS: Final = Engine("ours", "Taishi aggregate, 1 worker", _module("taishi_worker"), writes="product")
ENGINES: Final = (
    Engine("consume", "limit: consume", (*_module("limit"), "consume"), writes="nothing"),
    Engine("decode", "limit: consume + decode", (*_module("limit"), "decode"), writes="nothing"),
    Engine("hand", "loop by hand, 1 process", _module("hand")),
    OURS,
    Engine("hand-2", "loop by hand, 2 processes", _module("hand"), processes=2),
    Engine("ours-2", "Taishi aggregate, 2 workers", OURS.words, processes=2, writes="product"),
    Engine("flink-sql", "Flink 2.3 SQL", **_foreign(FLINK, _script("flink_sql.py"))),
    Engine("kafka-streams", "Kafka Streams 4.3, state in memory", **_java("memory")),
    Engine("kafka-streams-default", "Kafka Streams 4.3, default store", **_java("default")),
    Engine("spark", "Spark 4.2 Structured Streaming", **_foreign(SPARK, _script("spark_structured.py"))),
    Engine(
        "flink-udf",
        "Flink 2.3 SQL, one Python function",
        **_foreign(FLINK, _script("flink_sql.py"), "udf", readings=_MIDDLE),
    ),
    Engine("bytewax", "Bytewax 0.21, 2 workers", **_foreign(BYTEWAX, *_BYTEWAX, readings=_MIDDLE)),
    Engine("quix", "Quix Streams 3.28", **_foreign(QUIX, _script("quix_app.py"), readings=_SLOW)),
    Engine("beam", "Beam 2.77 on Prism, an element a reading", _module("beam_on_prism"), readings=_SLOW),
    Engine(
        "pyflink",
        "PyFlink 2.3 DataStream",
        **_foreign(FLINK, _script("flink_datastream.py"), readings=_SLOWEST),
    ),
)
"""In the order of the table."""


def named(names: str) -> tuple[Engine, ...]:
    """The engines of a list `ours,hand`; all for an empty one. ValueError names what is not there."""
    known = {engine.name: engine for engine in ENGINES}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"engines: received {', '.join(unknown)}, allowed: {', '.join(known)}")
    return tuple(known[name] for name in wanted) or ENGINES
