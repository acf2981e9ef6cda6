"""Many windows as InfluxDB points at once: the same points as `pipelines.kernels.points`, made in columns.

For what writes months, not seconds: Arrow prints whole columns and joins them, and the bytes of the joined
column are the body of a write. A series' points stand together, which InfluxDB takes fastest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.kernels.batch import Int64s
from pipelines.kernels.plan import SCALE, plan_for
from schemas.measures import DERIVED, Ratio
from schemas.store import window_name
from schemas.window_columns import WindowColumns

__all__ = ["point_lines"]

Floats = npt.NDArray[np.float64]


def point_lines(columns: WindowColumns) -> pa.StringArray:
    """A line a window, place by place in the order of time; ms precision."""
    names = plan_for(columns.domain).measures
    present = columns.present
    sums = {name: columns.values[row][present] / SCALE for row, name in enumerate(names)}
    parts: list[pa.Array | pa.Scalar] = [_series(columns)]
    for number, (name, value) in enumerate(sums.items()):
        parts += [_text(f"{',' if number else ''}{name}="), _printed(value)]
    parts += [_known(f",{name}=", _formed(form, sums)) for name, form in DERIVED[columns.domain].items()]
    complete = np.broadcast_to(columns.complete, present.shape).astype(np.int64)
    whole = {"grids": columns.grids, "complete": complete, "revision": columns.revision}
    for name, numbers in whole.items():
        parts += [_text(f",{name}="), _printed(numbers[present]), _text("i")]
    parts += [_text(" "), _printed(np.broadcast_to(columns.starts_ms, present.shape)[present])]
    return pc.binary_join_element_wise(*parts, _text(""))


def _series(columns: WindowColumns) -> pa.Array:
    tags = f"{columns.domain},level={columns.level},place="
    size = window_name(columns.window_s)
    texts = pa.array([f"{tags}{place},window={size} " for place in columns.places])
    return texts.take(pa.array(np.nonzero(columns.present)[0]))


def _printed(values: Floats | Int64s) -> pa.Array:
    """Numbers as text that reads back the same; whole ones without a fraction, which prints faster."""
    if values.dtype == np.float64 and (values == np.rint(values)).all():
        values = values.astype(np.int64)
    return pc.cast(pa.array(values), pa.string())


def _formed(form: Ratio, sums: dict[str, Floats]) -> Floats:
    """The ratio of each window, NaN where there is none."""
    below = sums[form.whole] - (sums[form.minus] if form.minus else 0.0)
    formed: Floats = np.divide(sums[form.part], below, out=np.full(below.shape, np.nan), where=below > 0)
    return formed


def _known(prefix: str, values: Floats) -> pa.Array:
    """A field that is absent where its value is NaN."""
    known = ~np.isnan(values)
    text = pc.binary_join_element_wise(_text(prefix), pc.cast(pa.array(values), pa.string()), _text(""))
    return pc.if_else(pa.array(known), text, _text(""))


def _text(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.string())
