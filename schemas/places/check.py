"""Is a grid layer fit for use? Every problem is named with its feature; nothing is mended silently.

A layer is refused for: a code that is none or not of this district, a code twice, an orphan (its
community is unknown), a kind that is none, a shape that is none, grids that overlap, and holes in
the covered area. Areas under `TOLERANCE_M2` count as rounding of coordinates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from schemas.errors import SettingsError, received_allowed
from schemas.places.model import DEFAULT_SCHEME, GRID_KINDS, CodeScheme, Place

__all__ = ["TOLERANCE_M2", "Feature", "Problem", "check_features"]

TOLERANCE_M2: Final = 1.0
_M2_PER_DEGREE2: Final = 111_320.0 * 111_320.0


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature as it came; `number` counts from 1 in the file; `shape` is in WGS-84."""

    number: int
    code: object
    name: object
    kind: object
    shape: shapely.Geometry | None

    @property
    def label(self) -> str:
        """How a person finds it again."""
        return f"feature {self.number} (code {self.code!r})"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with which feature."""

    feature: str
    what: str


def check_features(
    features: Sequence[Feature], places: Iterable[Place], district: str, scheme: CodeScheme = DEFAULT_SCHEME
) -> list[Problem]:
    """All problems of a layer, in the order of the file; empty when it is fit for use."""
    communities = {place.code for place in places if place.level == "community"}
    problems = [problem for feature in features for problem in _alone(feature, communities, district, scheme)]
    counts = Counter(feature.code for feature in features if isinstance(feature.code, str))
    problems += [
        Problem(feature.label, f"code: received {counts[feature.code]} times, allowed: once")
        for feature in features
        if isinstance(feature.code, str) and counts[feature.code] > 1
    ]
    return problems + list(_together([f for f in features if _is_area(f.shape)]))


def _alone(feature: Feature, communities: set[str], district: str, scheme: CodeScheme) -> Iterator[Problem]:
    yield from _code_problems(feature, communities, district, scheme)
    if feature.kind not in GRID_KINDS:
        yield Problem(feature.label, received_allowed("kind", feature.kind, GRID_KINDS))
    if not isinstance(feature.name, str) or not feature.name.strip():
        yield Problem(feature.label, f"name: received {feature.name!r}, allowed: a text")
    if not _is_area(feature.shape):
        yield Problem(feature.label, f"geometry: received {_shape_text(feature.shape)}")


def _code_problems(
    feature: Feature, communities: set[str], district: str, scheme: CodeScheme
) -> Iterator[Problem]:
    code = feature.code
    if not isinstance(code, str):
        yield Problem(
            feature.label, f"code: received a {type(code).__name__}, allowed: text (codes are never numbers)"
        )
        return
    try:
        level = scheme.level(code)
    except SettingsError as error:
        yield Problem(feature.label, str(error))
        return
    if level != "grid":
        yield Problem(
            feature.label, received_allowed("code", f"a {level}'s code", [f"{scheme.length('grid')} digits"])
        )
    elif not code.startswith(district):
        yield Problem(feature.label, received_allowed("code", code, [f"codes that begin with {district}"]))
    elif communities and scheme.ancestor(code, "community") not in communities:
        parent = scheme.ancestor(code, "community")
        yield Problem(
            feature.label, f"orphan: its community {parent} is not one of the {len(communities)} known"
        )


def _is_area(shape: shapely.Geometry | None) -> bool:
    return (
        shape is not None
        and shape.geom_type in {"Polygon", "MultiPolygon"}
        and not shape.is_empty
        and shapely.is_valid(shape)
    )


def _shape_text(shape: shapely.Geometry | None) -> str:
    if shape is None:
        return "none, allowed: Polygon or MultiPolygon"
    if shape.geom_type not in {"Polygon", "MultiPolygon"} or shape.is_empty:
        return f"{shape.geom_type}, allowed: Polygon or MultiPolygon with an area"
    return f"an invalid one: {shapely.is_valid_reason(shape)}"


def _together(features: Sequence[Feature]) -> Iterator[Problem]:
    """Overlaps and holes; metres by the cosine of the layer's middle latitude."""
    if not features:
        return
    shapes = np.array([feature.shape for feature in features], dtype=object)
    _, south, _, north = shapely.total_bounds(shapes)
    m2 = _M2_PER_DEGREE2 * float(np.cos(np.radians((south + north) / 2)))
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = first < second
    areas = shapely.area(shapely.intersection(shapes[first[pairs]], shapes[second[pairs]])) * m2
    for one, other, area in zip(first[pairs].tolist(), second[pairs].tolist(), areas.tolist(), strict=True):
        if area > TOLERANCE_M2:
            yield Problem(features[one].label, f"overlaps {features[other].label} by {area:.0f} m²")
    yield from _holes(shapes, features, m2)


def _holes(shapes: np.ndarray, features: Sequence[Feature], m2: float) -> Iterator[Problem]:
    covered = shapely.union_all(shapes)
    for part in shapely.get_parts(covered):
        for ring in part.interiors:
            hole = shapely.Polygon(ring)
            if hole.area * m2 > TOLERANCE_M2:
                beside = features[int(shapely.STRtree(shapes).nearest(hole.centroid))]
                at = hole.representative_point()
                yield Problem(
                    beside.label,
                    f"a hole of {hole.area * m2:.0f} m² beside it, at {at.x:.6f} {at.y:.6f}, is no grid's",
                )
