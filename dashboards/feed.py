"""What boards need in InfluxDB beside windows and alerts: names of places, policies, special days. Pure.

- `places`: a point a place; tags level, place, parent, name, and what the variables offer: `option`
  (`370202001 香港中路街道`) and `compare` (`street 街道`);
- `policies`: a point a retention policy, for `dashboards.variables.policy_query`;
- `calendar`: a point a holiday or make-up working day at its midnight, for the marks on charts.

Written by `taishi boards feed`, again and again: a point written twice is one point. A place that is no more
keeps its point, so a feed of places begins by dropping the measurement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from dashboards.variables import HORIZON_MS
from dashboards.words import LEVEL_WORDS
from schemas.calendar import ZONE, day_kind, holiday_name
from schemas.places.model import DEFAULT_SCHEME, CodeScheme, Place
from schemas.store import DEFAULT_POLICY, EVENTS, HOUR_S, KEEP_DAYS, LONGEST_S, policy_of, window_name

__all__ = ["calendar_points", "feed", "place_points", "policy_points"]

_FOR_EVER_MS: Final = 100 * 365 * 86_400_000
_TAG: Final = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\n": "\\ ", "\\": "/"})


def feed(
    places: Sequence[Place],
    sizes_s: Iterable[int],
    days: Iterable[date],
    keep_days: Mapping[str, float] = KEEP_DAYS,
) -> dict[str, list[str]]:
    """Policy -> lines of it; `days` are those whose kind is told."""
    described = [*place_points(places), *policy_points(sizes_s, keep_days)]
    return {DEFAULT_POLICY: described, EVENTS: calendar_points(days)}


def place_points(places: Iterable[Place], scheme: CodeScheme = DEFAULT_SCHEME) -> list[str]:
    """A point a place, in the order of their codes."""
    return [
        f"places,level={place.level},place={place.code},name={place.name.translate(_TAG)},"
        f"option={f'{place.code} {place.name}'.translate(_TAG)},"
        f"compare={f'{place.level} {LEVEL_WORDS[place.level].chinese}'.translate(_TAG)},"
        f"parent={scheme.parent(place.code) or 'none'} order={order}i {HORIZON_MS}"
        for order, place in enumerate(sorted(places, key=lambda place: place.code))
    ]


def policy_points(sizes_s: Iterable[int], keep_days: Mapping[str, float] = KEEP_DAYS) -> list[str]:
    """A point a window size, at the time it is kept; the longest serves what goes further back, too."""
    longest = dict(LONGEST_S)
    sizes = sorted(sizes_s)
    lines = []
    for size in sizes:
        last = size == sizes[-1]
        span_ms = _FOR_EVER_MS if last else longest.get(size, HOUR_S) * 1000
        kept_ms = _FOR_EVER_MS if last else policy_of(size, keep_days).keep_s * 1000
        name = window_name(size)
        lines.append(f'policies,of={name} policy="{name}",span_ms={float(span_ms)!r} {HORIZON_MS + kept_ms}')
    return lines


def calendar_points(days: Iterable[date]) -> list[str]:
    """A point a holiday or make-up working day; ordinary working days and weekends have none."""
    lines = []
    for day in days:
        kind = day_kind(day)
        if kind not in ("holiday", "make_up"):
            continue
        start_ms, end_ms = _midnight_ms(day), _midnight_ms(day + timedelta(days=1)) - 1
        title = (
            f"{holiday_name(day)}{'调休上班 make-up working day' if kind == 'make_up' else '假期 holiday'}"
        )
        lines.append(f'calendar,kind={kind} title="{title}",until_ms={end_ms}i {start_ms}')
    return lines


def _midnight_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp() * 1000)
