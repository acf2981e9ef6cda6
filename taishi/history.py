"""The simulated past into InfluxDB, in the very form in which the live jobs write: windows, alerts, sources.

Every point is an upsert with a key of its own and the same value whenever it is made: dying between any two
lines leaves part of the past, and loading again completes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby, product
from typing import Final

from pipelines.io.influxdb import InfluxDb
from pipelines.kernels.annotations import annotation
from pipelines.kernels.point_columns import point_lines
from schemas.errors import Refused
from schemas.kinds import DOMAINS, Domain
from schemas.store import (
    DEFAULT_POLICY,
    EVENTS,
    HOUR_S,
    KEEP_DAYS,
    MINUTE_S,
    bucket,
    policy_of,
    window_name,
)
from schemas.window_columns import WindowColumns
from simulation.history.sources import SourceMinute, source_minutes
from simulation.history.windows import Past
from taishi.history_alerts import past_alerts
from taishi.settings import Settings
from taishi.status.vendors import ALL, VendorScore, points
from taishi.store import influx_settings

__all__ = ["FINE_S", "Load", "Span", "load_past"]

FINE_S: Final = 10
_HOUR_MS: Final = HOUR_S * 1000
_DAY_H: Final = 24
_AT_ONCE: Final = 2
"""Jobs at a time: one is made while another is written."""


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when, ms; from when on there are windows of 10 s, minutes, and minutes of single grids.

    What InfluxDB would drop again at `now_ms` by `keep_days` (`influxdb_keep_days`) is not written.
    """

    from_ms: int
    until_ms: int
    fine_from_ms: int
    now_ms: int
    grid_minutes_from_ms: int = 0
    domains: tuple[Domain, ...] = DOMAINS
    minutes_from_ms: int = 0
    keep_days: Mapping[str, float] = field(default_factory=lambda: KEEP_DAYS)

    def begin_ms(self, window_s: int) -> int:
        """From when on there are windows of a size."""
        begins_ms = {FINE_S: self.fine_from_ms, MINUTE_S: max(self.from_ms, self.minutes_from_ms)}
        return max(begins_ms.get(window_s, self.from_ms), self.kept_from_ms(window_s))

    def kept_from_ms(self, window_s: int) -> int:
        """From when on InfluxDB keeps what goes where windows of a size go."""
        return self.now_ms - policy_of(window_s, self.keep_days).keep_s * 1000 + _HOUR_MS


@dataclass(slots=True)
class Load:
    """What has been written so far; `jobs_done` of `jobs`."""

    jobs: int = 0
    jobs_done: int = 0
    points: dict[str, int] = field(default_factory=dict)

    def add(self, what: str, count: int) -> None:
        """Count points of a window size, of `alerts` or of `sources`."""
        self.points[what] = self.points.get(what, 0) + count

    @property
    def total(self) -> int:
        """All points."""
        return sum(self.points.values())


@dataclass(frozen=True, slots=True)
class _Job:
    """Hours of one domain in one size, written together."""

    domain: Domain
    window_s: int
    hours_ms: tuple[int, ...]


def load_past(
    settings: Settings, past: Past, span: Span, report: Callable[[Load], object] = lambda _load: None
) -> Load:
    """Write the past of a span; returns what was written. Refused when InfluxDB refuses a point.

    Nothing older than its policy keeps is written. Blocks while InfluxDB is away, as every sink of ours.
    """
    jobs = list(_jobs(span))
    done = Load(jobs=len(jobs))
    store = InfluxDb(influx_settings(settings))
    try:
        store.patiently(store.create_database)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for job, count in pool.map(lambda job: (job, _write_windows(store, past, span, job)), jobs):
                done.add(window_name(job.window_s), count)
                done.jobs_done += 1
                report(done)
        _write_events(store, past, span, done)
    finally:
        store.close()
    return done


def _jobs(span: Span) -> Iterator[_Job]:
    """By time, so that InfluxDB fills one shard after the other.

    A day's hours are one job: a write costs InfluxDB milliseconds, however few points it brings.
    """
    for day in _days(span.from_ms, span.until_ms):
        for domain, window_s in product(span.domains, (FINE_S, MINUTE_S, HOUR_S)):
            begin_ms = span.begin_ms(window_s)
            wanted = tuple(hour_ms for hour_ms in day if hour_ms + _HOUR_MS > begin_ms)
            together = _DAY_H if window_s == HOUR_S else 1
            for first in range(0, len(wanted), together):
                yield _Job(domain, window_s, wanted[first : first + together])


def _days(from_ms: int, until_ms: int) -> Iterator[range]:
    """The begins of the hours of a span, as many at a time as a day has; the first may begin before it."""
    hours = range(from_ms // _HOUR_MS * _HOUR_MS, until_ms, _HOUR_MS)
    for begin in range(0, len(hours), _DAY_H):
        yield hours[begin : begin + _DAY_H]


def _write_windows(store: InfluxDb, past: Past, span: Span, job: _Job) -> int:
    lines: list[str] = []
    for hour_ms in job.hours_ms:
        for columns in past.windows(job.domain, job.window_s, hour_ms):
            wanted = _within(columns, span)
            if wanted.present.any():
                lines += point_lines(wanted).to_pylist()
    return _write(store, store.settings.bucket_of(job.domain, job.window_s), lines)


def _within(columns: WindowColumns, span: Span) -> WindowColumns:
    """Without what lies outside the span: a window belongs to it when it has ended."""
    from_ms = span.begin_ms(columns.window_s)
    if columns.window_s == MINUTE_S and columns.level == "grid":
        from_ms = max(from_ms, span.grid_minutes_from_ms)
    starts_ms = columns.starts_ms
    inside = (starts_ms >= from_ms) & (starts_ms + columns.window_s * 1000 <= span.until_ms)
    return replace(columns, present=columns.present & inside)


def _write_events(store: InfluxDb, past: Past, span: Span, done: Load) -> None:
    """The alerts, and the scorecard of sources minute by minute."""
    events, default = (bucket(store.settings.database, policy) for policy in (EVENTS, DEFAULT_POLICY))
    seed, happened = past.equipment.seed, past.happenings(span.from_ms, span.until_ms)
    alerts = past_alerts([one for one in happened if one.from_ms >= span.from_ms], span.until_ms)
    done.add("alerts", _write(store, events, [annotation(alert) for alert in alerts]))
    from_ms = max(span.from_ms, span.kept_from_ms(MINUTE_S))
    for day in _days(from_ms, span.until_ms):
        minutes = [minute for hour_ms in day for minute in source_minutes(seed, hour_ms, happened)]
        told = [minute for minute in minutes if from_ms <= minute.at_ms <= span.until_ms]
        lines = [line for _, at_once in groupby(told, lambda m: m.at_ms) for line in _scores(list(at_once))]
        done.add("sources", _write(store, default, lines))


def _scores(minutes: list[SourceMinute]) -> list[str]:
    """The points that the live scorecard would have: one a vendor and source, one a source as a whole."""
    counts: dict[tuple[str, str], dict[str, float]] = {}
    for minute in minutes:
        own = _counts(minute)
        counts[minute.source, minute.vendor] = own
        whole = counts.setdefault((minute.source, ALL), {"implausible": 0.0})
        for name, count in own.items():
            whole[name] = whole.get(name, 0.0) + count
    return points({}, counts, [_score(minute) for minute in minutes], minutes[0].at_ms)


def _counts(minute: SourceMinute) -> dict[str, float]:
    return {
        "messages": float(minute.messages),
        "readings": float(minute.readings),
        "late": float(minute.late),
        "duplicate": float(minute.duplicate),
        "bad": float(sum(minute.bad.values())),
        **{f"bad_{reason}": float(count) for reason, count in minute.bad.items() if count},
    }


def _score(minute: SourceMinute) -> VendorScore:
    return VendorScore(
        source=minute.source,
        vendor=minute.vendor,
        silent_s=minute.silent_s,
        usual_s=minute.usual_s,
        silent=minute.silent_s > 180.0,
        clock_s=minute.clock_s,
        clock_p95_s=minute.clock_s * 2,
    )


def _write(store: InfluxDb, where: str, lines: list[str]) -> int:
    refused = store.write(lines, where)
    if refused:
        raise Refused(
            f"InfluxDB refused {len(refused)} points, the first: {refused[0].line}: {refused[0].why}"
        )
    return len(lines)
