"""What a file says about itself: what was asked, what the columns are, how whole it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operations.outgoing.masking import K
from schemas.calendar import ZONE, local
from schemas.store import window_name
from taishi.analysis.blocks import Block
from taishi.analysis.boundaries import NONE, Boundaries
from taishi.analysis.question import Question

__all__ = ["Wholeness", "description"]


@dataclass(slots=True)
class Wholeness:
    """How whole a file is, counted as it is written; `layers` are the numbers of the grid layers used."""

    rows: int = 0
    missing: int = 0
    incomplete: int = 0
    masked: int = 0
    readings: float = 0.0
    simulated: float = 0.0
    layers: set[int] = field(default_factory=set)

    def count(self, block: Block, rows: pa.Table, boundaries: Boundaries) -> None:
        """Add the rows of a block."""
        missing, whole, masked = (
            int(pc.sum(rows[name]).as_py() or 0) for name in ("missing", "complete", "masked")
        )
        self.rows += rows.num_rows
        self.missing += missing
        self.incomplete += rows.num_rows - whole - missing
        self.masked += masked
        self.readings += float(np.nansum(block.values["readings"]))
        self.simulated += float(np.nansum(block.values["readings_simulated"]))
        self.layers |= set(np.unique(boundaries.in_force(block.starts_ms)).tolist()) - {NONE}

    @property
    def simulated_share(self) -> float | None:
        """Share of all readings behind the rows that are simulated; None without any."""
        return self.simulated / self.readings if self.readings else None


def description(
    question: Question, whole: Wholeness, boundaries: Boundaries, export_id: str, at: datetime
) -> dict[str, Any]:
    """Everything there is to know of a file but its columns, ready for JSON."""
    begin_ms, end_ms = question.extent_ms
    return {
        "export_id": export_id,
        "exported_at": at.astimezone(ZONE).isoformat(timespec="seconds"),
        "domain": question.domain,
        "level": question.level,
        "window": window_name(question.window_s),
        "from": local(begin_ms).isoformat(),
        "to": local(end_ms).isoformat(),
        "time_zone": str(ZONE),
        "within": {place.code: place.name for place in question.within},
        "figures": {
            figure.name: {
                "unit": figure.unit,
                "description": figure.description,
                "over_time": figure.over_time,
            }
            for figure in question.figures
        },
        "boundaries": [
            {"valid_from": layer.valid_from.isoformat(), "synthetic": layer.synthetic}
            for number, layer in enumerate(boundaries.layers)
            if number in whole.layers
        ],
        "masked_below": K if question.masked else None,
        "rows": whole.rows,
        "rows_missing": whole.missing,
        "rows_incomplete": whole.incomplete,
        "rows_masked": whole.masked,
        "simulated_share": whole.simulated_share,
    }
