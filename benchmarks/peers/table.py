"""The table of a run, and the page that keeps the last one."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.peers.catalogue import Engine
from benchmarks.peers.run import Run

__all__ = ["Row", "page", "row_of", "table"]

_HEAD = (
    "| engine | readings | readings/s | least to most | µs CPU each | broker's | start s | MiB | windows |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---|"
)


@dataclass(frozen=True, slots=True)
class Row:
    """Medians of an engine's runs."""

    name: str
    label: str
    readings: int
    per_s: float
    least_per_s: float
    most_per_s: float
    cpu_us: float
    broker_cpu_us: float
    start_s: float
    peak_mib: float
    verdict: str


def row_of(engine: Engine, runs: Sequence[Run]) -> Row:
    """The medians; of verdicts the first that is not right."""
    rates = [run.per_s for run in runs]
    wrong = [str(run.verdict) for run in runs if str(run.verdict) != "right"]

    def middle(name: str) -> float:
        return float(statistics.median(getattr(run, name) for run in runs))

    return Row(
        name=engine.name,
        label=engine.label,
        readings=runs[0].readings,
        per_s=statistics.median(rates),
        least_per_s=min(rates),
        most_per_s=max(rates),
        cpu_us=middle("cpu_us"),
        broker_cpu_us=middle("broker_cpu_us"),
        start_s=middle("start_s"),
        peak_mib=middle("peak_mib"),
        verdict="–" if engine.writes == "nothing" else wrong[0] if wrong else "right",
    )


def table(rows: Sequence[Row]) -> str:
    """One line an engine, in the order given."""
    return "\n".join([_HEAD, *map(_line, rows)])


def _line(row: Row) -> str:
    span = f"{row.least_per_s:,.0f} to {row.most_per_s:,.0f}"
    cpu = f"{row.cpu_us:.2f} | {row.broker_cpu_us:.2f}"
    rest = f"{row.start_s:.1f} | {row.peak_mib:,.0f} | {row.verdict}"
    return f"| {row.label} | {row.readings:,} | {row.per_s:,.0f} | {span} | {cpu} | {rest} |"


def page(rows: Sequence[Row], rounds: int) -> str:
    """benchmarks/RESULTS.md: the table with where, when and how it was made."""
    return f"""# Results

Written by `make bench-peers` on {datetime.now(UTC):%Y-%m-%d}: {rounds} rounds, medians; {_machine()}.
What is measured and why it comes out so: [docs/performance.md](../docs/performance.md). Only ratios within
one table mean anything.

{table(rows)}
"""


def _machine() -> str:
    told = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = told[0].partition(":")[2].strip() if told else platform.processor()
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores of {model}, {system}"
