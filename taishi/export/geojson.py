"""A period as a map: a feature a place, with the outline then in force and the figures of all its windows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from operations.outgoing.geography import Geography
from taishi.analysis.blocks import Block, Floats
from taishi.analysis.boundaries import NONE, Boundaries
from taishi.analysis.figures import Figure
from taishi.analysis.question import Question
from taishi.analysis.table import formed, share, unknown_share

__all__ = ["GeoJsonFile"]

_DIGITS: Final = 6


class GeoJsonFile:
    """A FeatureCollection in WGS-84; where the boundaries changed in the period, a place is several features.

    A figure that adds up is the sum of the windows there are, one that lasts their mean, a ratio is formed of
    the sums. One that is left out of a single window, because it tells of few people, is left out.
    """

    def __init__(self, path: Path, question: Question, boundaries: Boundaries) -> None:
        self._path, self._question, self._boundaries = path, question, boundaries
        self._totals: dict[int, _Totals] = {}

    def take(self, block: Block, rows: pa.Table) -> None:  # noqa: ARG002 - every writer is given both
        """Add up the windows."""
        layers = self._boundaries.in_force(block.starts_ms)
        for layer in np.unique(layers):
            total = self._totals.setdefault(int(layer), _Totals(self._question, block.places))
            total.add(block, layers == layer)

    def finish(self, description: dict[str, Any]) -> dict[str, bytes]:
        """Write the features; nothing lies beside."""
        head = {"type": "FeatureCollection", "crs": "WGS-84", "taishi": description}
        features = [feature for layer in sorted(self._totals) for feature in self._features(layer)]
        self._path.write_text(json.dumps(head | {"features": features}, ensure_ascii=False), "utf-8")
        return {}

    def close(self) -> None:
        """Nothing is open."""

    def _features(self, layer: int) -> list[dict[str, Any]]:
        geography = None if layer == NONE else Geography(self._boundaries.places[layer])
        day = None if layer == NONE else self._boundaries.layers[layer].valid_from.isoformat()
        return [
            {
                "type": "Feature",
                "id": place if day is None else f"{place}@{day}",
                "geometry": geography and geography.geojson(place),
                "properties": {
                    "place": place,
                    "name": self._boundaries.name(layer, place),
                    "level": self._question.level,
                    **told,
                    "boundary_valid_from": day,
                },
            }
            for place, told in self._totals[layer].told()
        ]


class _Totals:
    """Windows under one grid layer, added up by place."""

    def __init__(self, question: Question, places: tuple[str, ...]) -> None:
        self._question, self._places = question, places
        count = len(places)
        self._windows, self._there, self._complete = (np.zeros(count, np.int64) for _ in range(3))
        self._sums: dict[str, Floats] = {}
        self._masked = {figure.name: np.zeros(count, np.bool_) for figure in question.figures}
        self._unknown, self._known_windows = np.zeros(count), np.zeros(count, np.int64)

    def add(self, block: Block, windows: npt.NDArray[np.bool_]) -> None:
        """The block's windows that are of this layer."""
        complete, unknown = (
            values[windows] for values in (block.values["complete"], unknown_share(self._question, block))
        )
        self._windows += complete.shape[0]
        self._there += (~np.isnan(complete)).sum(axis=0)
        self._complete += (complete == 1).sum(axis=0)
        self._unknown += np.nansum(unknown, axis=0)
        self._known_windows += (~np.isnan(unknown)).sum(axis=0)
        for name, values in block.values.items():
            self._sums[name] = self._sums.get(name, 0.0) + np.nansum(values[windows], axis=0)
        for name in self._masked.keys() & block.hidden.keys():
            self._masked[name] |= block.hidden[name][windows].any(axis=0)

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Code and properties of each place that has a window."""
        figures = {figure.name: self._figure(figure) for figure in self._question.figures}
        masked = np.logical_or.reduce(list(self._masked.values()))
        unknown = share(self._unknown, self._known_windows)
        simulated = share(self._sums["readings_simulated"], self._sums["readings"])
        return [
            (
                place,
                {
                    **{name: _number(values[n]) for name, values in figures.items()},
                    "windows": int(self._there[n]),
                    "windows_missing": int(self._windows[n] - self._there[n]),
                    "complete": bool(self._complete[n] == self._windows[n]),
                    "unknown_share": _number(unknown[n]),
                    "simulated_share": _number(simulated[n]),
                    "masked": bool(masked[n]),
                },
            )
            for n, place in enumerate(self._places)
            if self._there[n]
        ]

    def _figure(self, figure: Figure) -> Floats:
        if figure.ratio is not None:
            return formed(figure.ratio, self._sums)
        total = np.where(self._masked[figure.name], np.nan, self._sums[figure.name])
        return share(total, self._there) if figure.lasts else total


def _number(value: float) -> float | int | None:
    if np.isnan(value):
        return None
    return int(value) if float(value).is_integer() else round(float(value), _DIGITS)
