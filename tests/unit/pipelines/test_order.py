"""Rows are ordered by several columns as `np.lexsort` orders them, however wide the columns are."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.kernels.order import order_by

NARROW = st.integers(-5, 5)
WIDE = st.integers(-(2**63), 2**63 - 1)
ROWS = st.lists(st.tuples(NARROW, st.one_of(NARROW, WIDE), NARROW), max_size=50)


@given(ROWS)
@example([])
@example([(0, -(2**63), 0), (0, 2**63 - 1, 0)])
@example([(0, 2**62, 0), (0, -(2**62) + 1, 0), (0, 0, 0)])
@example([(1, 2**59, 3), (1, 0, 2), (0, 0, 1), (0, 2**59, 0)])
def test_rows_come_in_the_order_of_their_columns(rows):
    columns = [np.array([row[at] for row in rows], np.int64) for at in range(3)]
    assert [rows[at] for at in order_by(*columns)] == sorted(rows)
