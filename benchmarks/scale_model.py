"""What many districts cost, by what one does: `python -m benchmarks.scale_model` prints the tables of docs.

A model, not a measurement: sums of figures that the project's commands have measured on its two-core machine
(each names its command), with the counts that follow from the district's shape. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import click

from schemas.kinds import DOMAINS
from schemas.store import HOUR_S
from schemas.topics import LARGE_BYTES, TOPICS

__all__ = [
    "Costs",
    "District",
    "Limit",
    "Machine",
    "Needs",
    "limits_of_one_stack",
    "machines",
    "needs",
    "tables",
]

DAY_S: Final = 86_400
SIZES_S: Final = (10, 60, HOUR_S)
SPLIT: Final = "a partition of `windows` a district"
COUNTS: Final = (1, 10, 100, 1_000, 3_000)


@dataclass(frozen=True, slots=True)
class District:
    """The simulated Shinan: its grids, the places above them, and what its devices send in a busy hour."""

    grids: int = 573
    areas: int = 62
    domains: int = len(DOMAINS)
    readings_per_s: float = 100.0

    @property
    def windows_per_s(self) -> float:
        """Records of `windows` that grids make, quiet or not."""
        return self.grids * self.domains * sum(1 / size for size in SIZES_S)

    @property
    def points_per_s(self) -> float:
        """Points of all levels."""
        return self.series * sum(1 / size for size in SIZES_S)

    @property
    def series(self) -> int:
        """Places times domains, of one window size."""
        return (self.grids + self.areas) * self.domains


@dataclass(frozen=True, slots=True)
class Costs:
    """Measured once: CPU in µs, sizes in bytes, memory in MiB. The command is behind each."""

    door_us: float = 17.8  # a message; taishi bench mqtt --rounds 5
    aggregate_us: float = 4.2  # a reading, with Prism; taishi bench aggregate
    presence_us: float = 4.2  # a reading; not measured by itself: it decodes the same and folds less
    situation_us: float = 43.0  # a window, folded and encoded; python -m benchmarks.rollup
    watch_us: float = 33.0  # a window, folded, without points; the same, and taishi bench detect
    store_us: float = 70.0  # a point; the whole way of TIHM, 9 min for 7.7 million: more than the store alone
    waiting_cores: float = 0.279  # all parts of a district that nothing is sent to; python -m benchmarks.idle
    memory_mib: float = 2_231.0  # of them; the same
    reading_bytes: float = 256.0  # before compression; len of benchmarks.aggregate_load
    window_bytes: float = 445.0  # before compression; len of benchmarks.rollup
    point_bytes: tuple[float, float, float] = (4.6, 6.5, 6.5)  # by size; taishi simulate --history 3h (0013)
    group_bytes: float = 6_300_000.0  # keys of a shard group; the same
    rollup_checkpoint_bytes: float = 7_605_000.0  # random values; python -m benchmarks.rollup
    detector_bytes: float = 1_454.0  # a series; taishi bench detect
    figures: int = 3  # series that detectors hold of a place and domain


@dataclass(frozen=True, slots=True)
class Machine:
    """One of many; `usable` of it is for us, the rest for bursts, a failed neighbour, the system."""

    cores: int = 16
    memory_gib: float = 64.0
    disk_gb: float = 4_000.0
    usable: float = 0.6


@dataclass(frozen=True, slots=True)
class Needs:
    """Of a number of districts together."""

    readings_per_s: float
    points_per_s: float
    cores: float
    memory_gib: float
    log_gb: float
    store_gb: float


@dataclass(frozen=True, slots=True)
class Limit:
    """How many districts fit into one stack until this is full."""

    what: str
    districts: float
    then: str


def cores_of(district: District, costs: Costs) -> dict[str, float]:
    """Cores by part, of one district."""
    d, c = district, costs
    return {
        "doors": d.readings_per_s * c.door_us / 1e6,
        "aggregate": d.readings_per_s * c.aggregate_us / 1e6,
        "presence": d.readings_per_s * c.presence_us / 1e6,
        "situation": d.windows_per_s * c.situation_us / 1e6,
        "watch": d.windows_per_s * c.watch_us / 1e6,
        "store": d.points_per_s * c.store_us / 1e6,
        "waiting": c.waiting_cores,
    }


def store_bytes(district: District, costs: Costs) -> float:
    """Of one district when every policy is full: points, and the keys of each shard group."""
    kept = ((7 + 1, 1), (90 + 7, 7), (3 * 365 + 30, 30))  # days held at most, days a shard group
    total = 0.0
    for size, (days, group_days), point_bytes in zip(SIZES_S, kept, costs.point_bytes, strict=True):
        total += days * (district.series * DAY_S / size * point_bytes + costs.group_bytes / group_days)
    return total


def log_bytes(district: District, costs: Costs) -> float:
    """Of one district's readings and windows while the log holds them, before compression, one copy."""
    kept_s = 72 * 3_600
    each_s = district.readings_per_s * costs.reading_bytes + district.windows_per_s * costs.window_bytes
    return each_s * kept_s


def needs(count: int, district: District, costs: Costs) -> Needs:
    """Of so many districts, each a stack of its own."""
    return Needs(
        readings_per_s=count * district.readings_per_s,
        points_per_s=count * district.points_per_s,
        cores=count * sum(cores_of(district, costs).values()),
        memory_gib=count * costs.memory_mib / 1_024,
        log_gb=count * log_bytes(district, costs) / 1e9,
        store_gb=count * store_bytes(district, costs) / 1e9,
    )


def machines(need: Needs, machine: Machine) -> tuple[int, str]:
    """How many of these machines, and of what they have too little first."""
    by_resource = {
        "cores": need.cores / machine.cores,
        "memory": need.memory_gib / machine.memory_gib,
        "disk": (need.log_gb + need.store_gb) / machine.disk_gb,
    }
    scarce = max(by_resource, key=lambda name: by_resource[name])
    return max(1, math.ceil(by_resource[scarce] / machine.usable)), scarce


def limits_of_one_stack(district: District, costs: Costs, machine: Machine) -> list[Limit]:
    """How many districts one stack could carry by its figures, the least first."""
    cores, record = cores_of(district, costs), float(LARGE_BYTES)
    readings_shards = sum(topic.partitions for topic in TOPICS.values() if topic.name.startswith("readings."))
    learned = district.series * costs.figures * costs.detector_bytes
    return sorted(
        (
            Limit("one record holds what `watch` has learned", record / learned, SPLIT),
            Limit("one record holds the roll-up", record / costs.rollup_checkpoint_bytes, SPLIT),
            Limit("one process is `situation`", machine.usable / cores["situation"], SPLIT),
            Limit("one process is `watch`", machine.usable / cores["watch"], SPLIT),
            Limit("one machine is the store", machine.cores * machine.usable / cores["store"], "one more"),
            Limit(
                f"{readings_shards} partitions of readings, a core each",
                readings_shards * machine.usable / cores["aggregate"],
                "more partitions",
            ),
        ),
        key=lambda limit: limit.districts,
    )  # fmt: skip


def tables() -> Iterator[str]:
    """The lines of docs/scale.md that are the model's."""
    district, costs, machine = District(), Costs(), Machine()
    yield "| part of a district | cores |"
    yield "|---|---|"
    for name, cores in cores_of(district, costs).items():
        yield f"| {name} | {cores:.4f} |"
    yield ""
    names = "districts", "readings/s", "points/s", "cores", "memory, GiB", "log, GB", "store, GB", "machines"
    yield "| " + " | ".join((*names, "scarce")) + " |"
    yield "|---" * 9 + "|"
    for count in COUNTS:
        need = needs(count, district, costs)
        number, scarce = machines(need, machine)
        figures = (need.readings_per_s, need.points_per_s)
        sizes = (need.memory_gib, need.log_gb, need.store_gb)
        cells = [f"{count:,}", *(f"{each:,.0f}" for each in figures), f"{need.cores:,.2f}"]
        cells += [*(f"{each:,.1f}" for each in sizes), f"{number:,}", scarce]
        yield "| " + " | ".join(cells) + " |"
    yield ""
    yield "| of one stack | full at districts | then |"
    yield "|---|---|---|"
    for limit in limits_of_one_stack(district, costs, machine):
        yield f"| {limit.what} | {limit.districts:,.1f} | {limit.then} |"


@click.command()
def main() -> None:
    """Print the tables."""
    for line in tables():
        click.echo(line)


if __name__ == "__main__":
    main()
