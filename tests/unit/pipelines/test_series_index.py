"""The index of series against a dict, and names that look alike."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.kernels.series import UNKNOWN, SeriesTable
from pipelines.kernels.series_index import MISSING, SeriesIndex, keys_of

NAMES = st.integers(0, 300).map(lambda number: f"{number:03d}")


def octets(texts):
    return np.frombuffer("".join(texts).encode(), np.uint8).reshape(len(texts), -1)


@given(st.lists(st.lists(NAMES, min_size=1, max_size=80), min_size=1, max_size=6))
def test_it_finds_what_a_dict_finds(batches):
    index, model = SeriesIndex(2), {}
    for names in batches:
        keys = keys_of(0, octets(names))
        assert index.find(keys).tolist() == [model.get(name, MISSING) for name in names]
        new = sorted(set(names) - model.keys())
        if new:
            numbers = np.arange(len(model), len(model) + len(new))
            index.add(keys_of(0, octets(new)), numbers)
            model |= dict(zip(new, numbers.tolist(), strict=True))
    assert index.find(keys_of(0, octets(list(model)))).tolist() == list(model.values())


def test_a_hundred_thousand_keys_are_all_found_and_no_others():
    index, names = SeriesIndex(3), [f"{number:012d}" for number in range(100_000)]
    index.add(keys_of(7, octets(names)), np.arange(100_000))
    assert (index.find(keys_of(7, octets(names))) == np.arange(100_000)).all()
    assert (index.find(keys_of(8, octets(names))) == MISSING).all()
    assert (index.find(keys_of(7, octets([f"x{name[1:]}" for name in names]))) == MISSING).all()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "ab", "b", "网"]), st.sampled_from(["g", "bg", "1"]), st.integers(0, 2)
        )
    )
)
def test_the_table_finds_a_series_by_bytes_as_by_name(rows):
    table, numbers = SeriesTable(), {}
    for device, grid, metric in rows:
        key = (device, "k", str(metric), grid)
        if key not in numbers:
            numbers[key] = table.add(key, metric, "")
        if device.isascii():
            found = table.find(metric, octets([device]), octets([grid]))
            assert found.tolist() == [numbers[key]]
    assert table.find(9, octets(["a"]), octets(["g"])).tolist() == [UNKNOWN]
    assert table.find(0, octets(["zzz"]), octets(["g"])).tolist() == [UNKNOWN]
