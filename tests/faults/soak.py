"""Does anything creep? Samples of a stack that runs for hours under load, and the judge of them. Pure.

Judged is what lies after the first quarter of an hour. A process that was killed begins anew, so the slope
of its memory is that within its lives: each from its own mean, and without its first minutes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

WARM_UP_S: Final = 900.0
"""Of the stack: until then caches fill and what is remembered grows."""
LIFE_WARM_UP_S: Final = 300.0
"""Of a process that was started again."""
JUDGED_S: Final = 600.0
"""Observed for less than this, after warming up, nothing is said of it."""
QUIET_AFTER_S: Final = 90.0
"""So long after an act a delay is that of the act and not of the city's everyday."""
SLOPE_MAX: Final = 0.01
DRIFT_MAX: Final = 0.10
HANDLES_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """One look; `at_s` counts from the start of the load. Parts that were down are missing."""

    at_s: float
    pid: Mapping[str, int]
    rss_bytes: Mapping[str, float]
    handles: Mapping[str, int]
    checkpoint_bytes: Mapping[str, float]
    """Job -> the newest checkpoints of its shards together; only where each shard has one."""
    accounts: Mapping[str, int]
    """Verdict of the product's own equations -> how many."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `holds` None: observed for too short to say."""

    what: str
    found: str
    allowed: str
    holds: bool | None


def judge_soak(
    samples: Sequence[Sample],
    recoveries: Sequence[tuple[float, str, float]],
    delays: Sequence[tuple[float, float]],
) -> list[Row]:
    """Every row of the verdict.

    `recoveries`: when, which part, how long it took, s. `delays`: when a window could be read, and how long
    after its end that was, s.
    """
    late = [each for each in samples if each.at_s >= WARM_UP_S]
    return [
        *(_memory(part, samples) for part in _names(samples, lambda each: each.rss_bytes)),
        *(_checkpoints(job, late) for job in _names(samples, lambda each: each.checkpoint_bytes)),
        *(_handles(part, late) for part in _names(samples, lambda each: each.handles)),
        _recovery(recoveries),
        _drift(delays, [at_s for at_s, _, _ in recoveries]),
        _accounts(samples),
    ]


def slope_per_h(lives: Iterable[Sequence[tuple[float, float]]]) -> float | None:
    """Growth an hour as a part of the mean: one line's slope through all lives, each from its own mean.

    A point is (s, size). None when the lives together are shorter than `JUDGED_S`.
    """
    kept = [np.array(life) for life in lives if len(life) > 2]
    if sum(life[-1, 0] - life[0, 0] for life in kept) < JUDGED_S:
        return None
    centred = np.concatenate([life - life.mean(axis=0) for life in kept])
    slope = (centred[:, 0] @ centred[:, 1]) / (centred[:, 0] @ centred[:, 0])
    return float(slope * 3600 / np.concatenate(kept)[:, 1].mean())


def table(rows: Sequence[Row]) -> str:
    """As it is printed."""
    words = {True: "ok", False: "BROKEN", None: "too short"}
    return "\n".join(
        f"{words[row.holds]:<10}{row.what:<34}{row.found:<44}allowed {row.allowed}" for row in rows
    )


def broken(rows: Iterable[Row]) -> list[str]:
    """What must not be, and is."""
    return [f"{row.what}: {row.found}, allowed {row.allowed}" for row in rows if row.holds is False]


def _names(samples: Sequence[Sample], of: Callable[[Sample], Mapping[str, float]]) -> list[str]:
    return sorted({name for sample in samples for name in of(sample)})


def _memory(part: str, samples: Sequence[Sample]) -> Row:
    lives: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for each in samples:
        if part in each.rss_bytes:
            lives[each.pid[part]].append((each.at_s, each.rss_bytes[part] / 2**20))
    first = {pid: max(WARM_UP_S, life[0][0] + LIFE_WARM_UP_S) for pid, life in lives.items()}
    judged = [[point for point in life if point[0] >= first[pid]] for pid, life in lives.items()]
    return _slope(f"memory {part}", judged, "MiB")


def _checkpoints(job: str, late: Sequence[Sample]) -> Row:
    points = [(each.at_s, each.checkpoint_bytes[job] / 1024) for each in late if job in each.checkpoint_bytes]
    return _slope(f"checkpoints {job}", [points], "KiB")


def _slope(what: str, lives: Sequence[Sequence[tuple[float, float]]], unit: str) -> Row:
    slope = slope_per_h(lives)
    sizes = [size for life in lives for _, size in life]
    found = f"{sizes[0]:.1f} .. {sizes[-1]:.1f} {unit}" if sizes else "-"
    if slope is not None:
        found = f"{slope:+.2%} an hour ({found})"
    return Row(what, found, f"{SLOPE_MAX:+.0%} an hour", None if slope is None else slope <= SLOPE_MAX)


def _handles(part: str, late: Sequence[Sample]) -> Row:
    """The middle of the first and the last third: a few are opened and closed all the time."""
    seen = [each.handles[part] for each in late if part in each.handles]
    what, third = f"handles {part}", len(seen) // 3
    if not third:
        return Row(what, "-", f"+{HANDLES_MAX}", None)
    first, last = float(np.median(seen[:third])), float(np.median(seen[-third:]))
    return Row(what, f"{first:g} .. {last:g}", f"+{HANDLES_MAX}", last - first <= HANDLES_MAX)


def _recovery(recoveries: Sequence[tuple[float, str, float]]) -> Row:
    """Each part's last against its first: a start that reads ever more takes ever longer."""
    of: dict[str, list[float]] = defaultdict(list)
    for _, part, took_s in recoveries:
        of[part].append(took_s)
    again = {part: took_s for part, took_s in of.items() if len(took_s) > 1}
    found = ", ".join(f"{part} {each[0]:.1f} .. {each[-1]:.1f} s" for part, each in again.items())
    holds = all(each[-1] <= 1.5 * each[0] + 5 for each in again.values()) if again else None
    return Row("recovery", found or "-", "last <= 1.5 x first + 5 s", holds)


def _drift(delays: Sequence[tuple[float, float]], acts_s: Sequence[float]) -> Row:
    quiet = [
        (at_s, delay_s)
        for at_s, delay_s in delays
        if at_s >= WARM_UP_S and not any(0 <= at_s - act_s < QUIET_AFTER_S for act_s in acts_s)
    ]
    what, allowed = "p99 window to reader", f"+{DRIFT_MAX:.0%}"
    if not quiet or quiet[-1][0] - quiet[0][0] < JUDGED_S:
        return Row(what, "-", allowed, None)
    middle_s = (quiet[0][0] + quiet[-1][0]) / 2
    first, last = (
        float(np.quantile([delay_s for at_s, delay_s in quiet if (at_s >= middle_s) == half], 0.99))
        for half in (False, True)
    )
    drift = last / first - 1
    return Row(what, f"{first:.2f} .. {last:.2f} s ({drift:+.0%})", allowed, drift <= DRIFT_MAX)


def _accounts(samples: Sequence[Sample]) -> Row:
    """received = stored + quarantined + late + in flight, as `taishi status` says it at every sample."""
    counts = {
        word: sum(each.accounts.get(word, 0) for each in samples)
        for word in ("holds", "settling", "unknown", "broken")
    }
    found = ", ".join(f"{word} {count:,}" for word, count in counts.items())
    return Row("accounts", found, "broken 0", counts["broken"] == 0 and counts["holds"] > 0)
