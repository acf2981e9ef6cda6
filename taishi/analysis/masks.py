"""Counts of few people are taken out of a block, as they are out of what other platforms are given."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set

import numpy as np

from operations.outgoing.masking import BASES, concealed_counts
from schemas.kinds import Domain
from schemas.places.model import DEFAULT_SCHEME
from taishi.analysis.blocks import Block, Floats

__all__ = ["conceal"]


def conceal(domain: Domain, block: Block, measures: Set[str]) -> Block:
    """The block with `hidden` of those measures, and NaN there: window by window, over all its places."""
    wanted = {name: base for name, base in BASES[domain].items() if name in measures}
    counts = {name: block.values[name] for name in sorted({*wanted, *wanted.values()} - {""})}
    hidden = {name: np.zeros(block.values["complete"].shape, np.bool_) for name in wanted}
    parents = {place: DEFAULT_SCHEME.parent(place) for place in block.places}
    column = {place: number for number, place in enumerate(block.places)}
    for row in range(block.starts_ms.size):
        for name, places in concealed_counts(domain, _window(block.places, counts, row), parents).items():
            if name in hidden:
                hidden[name][row, [column[place] for place in places]] = True
    given = {name: np.where(hidden[name], np.nan, block.values[name]) for name in hidden}
    return Block(block.starts_ms, block.places, {**block.values, **given}, hidden)


def _window(places: Sequence[str], counts: Mapping[str, Floats], row: int) -> dict[str, dict[str, float]]:
    """Measure -> place -> count, of the places that have the window."""
    there = {name: dict(zip(places, cells[row].tolist(), strict=True)) for name, cells in counts.items()}
    return {
        name: {p: value for p, value in of.items() if not math.isnan(value)} for name, of in there.items()
    }
