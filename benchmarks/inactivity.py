"""Stillness of people on a recording: `python -m benchmarks.inactivity ACTIVITY.csv`.

Feeds `pipelines.kernels.presence.habits` the movements of real homes in event time (columns `id`,
`date`, as the TIHM recording has them: Palermo et al., Scientific Data 10:606, 2023), counts what it would
have raised, and asks at moments drawn beforehand: if this person did not move from now on, when would it be
told? Alerts on a recording of people who were well count as false.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import click
import numpy as np
import pandas as pd

from pipelines.kernels.batch import Int64s
from pipelines.kernels.presence.habits import Habits, Person
from schemas.calendar import ZONE

__all__ = ["main", "measure"]

_MINUTE_MS = 60_000
_ASK_EVERY = 977
"""Minutes; prime to the day's length, so that every hour is asked at."""
_ASK_LIMIT_MIN = 3 * 1440


def _minutes(path: str) -> tuple[list[str], Int64s, Int64s, Int64s]:
    """Homes, and of each active minute (once) its number, the home's row and its last sensor; by time."""
    table = pd.read_csv(path, usecols=["id", "location_name", "date"])
    at = pd.to_datetime(table["date"]).dt.tz_localize(ZONE).dt.as_unit("ms").astype("int64")
    table["minute"] = at // _MINUTE_MS
    table["home"], names = pd.factorize(table["id"])
    table["sensor"] = pd.factorize(table["location_name"])[0]
    last = table.sort_values(["date"], kind="stable").drop_duplicates(["minute", "home"], keep="last")
    last = last.sort_values(["minute", "home"])
    minute, home, sensor = (last[column].to_numpy(np.int64) for column in ("minute", "home", "sensor"))
    return [str(name) for name in names], minute, home, sensor


def measure(path: str) -> dict[str, float]:
    """Figures of the whole recording."""
    names, minute, row, sensor = _minutes(path)
    habits = Habits()
    habits.meet([(Person(name, "", "", False, {}), 0) for name in names])
    first = np.array([minute[row == n][0] for n in range(len(names))])
    last = np.array([minute[row == n][-1] for n in range(len(names))])
    habits.last_ms[:] = first * _MINUTE_MS
    edges = np.searchsorted(minute, np.arange(minute[0], minute[-1] + 2))
    alarms, judged_min, told_h, asked_h = 0, 0, [], []
    for number in range(edges.size - 1):
        now = int(minute[0]) + number
        span = slice(edges[number], edges[number + 1])
        found, _ = habits.close_minute(now * _MINUTE_MS, row[span], sensor[span])
        inside = (now >= first) & (now <= last)
        habits.known_min[now < first] = 0
        judged = inside & (habits.known_min >= 7 * 1440)
        judged_min += int(judged.sum())
        alarms += int(inside[found].sum())
        told_h += [(now * _MINUTE_MS - habits.last_ms[r]) / 3_600_000 for r in found if inside[r]]
        if number % _ASK_EVERY == 0:
            asked_h += list(_delays_h(habits, now, np.flatnonzero(judged & ~habits.still)))
    days = judged_min / 1440
    return {
        "homes": len(names),
        "judged_days": round(days, 1),
        "false_alarms": alarms,
        "false_alarms_per_day_and_home": round(alarms / max(days, 1e-9), 3),
        "still_for_h_when_told_median": round(float(np.median(told_h)), 2) if told_h else -1.0,
        "delay_h_mean": round(float(np.mean(asked_h)), 2),
        "delay_h_median": round(float(np.median(asked_h)), 2),
        "delay_h_p95": round(float(np.quantile(asked_h, 0.95)), 2),
        "asked": len(asked_h),
    }


def _delays_h(habits: Habits, now: int, rows: Int64s) -> Iterator[float]:
    """How long after the last movement each would be told of, if nothing came any more."""
    if not rows.size:
        return
    limit, since = habits.limits(rows), habits.since[rows].copy()
    open_ = np.ones(rows.size, np.bool_)
    for ahead in range(_ASK_LIMIT_MIN):
        at_ms = (now + 1 + ahead) * _MINUTE_MS
        since += habits.rate_at(at_ms)[rows]
        told = open_ & (since > limit) & (at_ms - habits.last_ms[rows] >= 3_600_000)
        yield from ((at_ms - habits.last_ms[rows[told]]) / 3_600_000).tolist()
        open_ &= ~told
        if not open_.any():
            return
    yield from [float(_ASK_LIMIT_MIN) / 60] * int(open_.sum())


@click.command()
@click.argument("activity", type=click.Path(exists=True, dir_okay=False))
def main(activity: str) -> None:
    """Print what would have been raised on a recording, and how fast."""
    click.echo(json.dumps(measure(activity), indent=2))


if __name__ == "__main__":
    main()
