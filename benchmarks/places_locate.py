"""How many points a second find their grid: `python -m benchmarks.places_locate`."""

from __future__ import annotations

import time

import numpy as np

from schemas.places.synthetic import OUTLINE, synthetic_layer

__all__ = ["main"]


def main(points: int = 1_000_000) -> None:
    """Locate seeded points in and around the district."""
    layer = synthetic_layer()
    west, south, east, north = OUTLINE.bounds
    rng = np.random.default_rng(370202)
    longitude, latitude = rng.uniform(west, east, points), rng.uniform(south, north, points)
    started_s = time.perf_counter()
    found = layer.locate(longitude, latitude)
    points_per_s = points / (time.perf_counter() - started_s)
    print(f"{points_per_s:,.0f} points/s over {len(layer.grids)} grids, {(found >= 0).mean():.0%} inside")


if __name__ == "__main__":
    main()
