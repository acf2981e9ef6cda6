"""A window: what one grid (or a place above it) was like in one span of event time.

The topic `windows` carries the grids' windows from `aggregate` to `situation`, and between them a
`Progress` mark of each shard: everything that ends at or before `closed_through_ms` has been sent.
"""

from __future__ import annotations

import msgspec

from schemas.kinds import Domain

__all__ = ["Progress", "Window", "WindowRecord"]


class Window(msgspec.Struct, frozen=True, kw_only=True, tag="window", tag_field="type"):
    """One upsert of one grid's window; the key is (domain, grid, window_s, start_ms).

    `revision` is the offset of the record whose append time made the shard say this: a higher one
    replaces a lower one, whole. `metrics` holds every additive measure of the domain
    (`schemas.measures`), never a subset.
    """

    domain: Domain
    grid: str
    window_s: int
    start_ms: int
    revision: int
    shard: str
    metrics: dict[str, float]


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag="progress", tag_field="type"):
    """Shard `shard` has sent every window that ends at or before `closed_through_ms`."""

    domain: Domain
    shard: str
    shards: int
    closed_through_ms: int
    revision: int


WindowRecord = Window | Progress
"""What a record of the topic `windows` holds."""
