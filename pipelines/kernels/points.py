"""Windows as InfluxDB points in line protocol.

Measurement = domain; tags level, place, window; time = the window's start. Every point carries the
full set of its fields, because InfluxDB merges fields: one left out of a revision would keep its
old value. A derived figure (occupancy, a mean) cannot vanish in a revision: late readings only add
to what it is formed from. All measures are floats, always: a field that was integer once refuses
floats for ever.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from pipelines.kernels.plan import SCALE, plan_for
from pipelines.kernels.rollup import PlaceWindow
from schemas.kinds import Domain
from schemas.measures import derive
from schemas.store import window_name

__all__ = ["by_bucket", "line", "newest"]


def line(window: PlaceWindow) -> str:
    """One point, ms precision. Codes are letters and digits (the fold refuses others): nothing to escape."""
    values = dict(zip(plan_for(window.domain).measures, (window.values / SCALE).tolist(), strict=True))
    figures = values | derive(window.domain, values)
    fields = ",".join(f"{name}={value!r}" for name, value in figures.items())
    return (
        f"{window.domain},level={window.level},place={window.place},window={window_name(window.window_s)} "
        f"{fields},grids={window.grids}i,complete={int(window.complete)}i,revision={window.revision}i "
        f"{window.start_ms}"
    )


def newest(windows: Iterable[PlaceWindow]) -> list[PlaceWindow]:
    """The last version of each window: what a write with the same point twice would leave is not said."""
    return list({(w.domain, w.level, w.place, w.window_s, w.start_ms): w for w in windows}.values())


def by_bucket(
    windows: Iterable[PlaceWindow], bucket_of: Callable[[Domain, int], str]
) -> dict[str, list[str]]:
    """The windows' points by the bucket that `bucket_of` says of domain and size."""
    lines: defaultdict[str, list[str]] = defaultdict(list)
    for window in windows:
        lines[bucket_of(window.domain, window.window_s)].append(line(window))
    return dict(lines)
