"""Record batches taken apart at once, beside kafka-python's way, a record at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.record_batch import records_of
from pipelines.kernels.values import Stretches, joined, lengths_of, rows_of

BYTES = st.none() | st.binary(max_size=200)
HEADERS = st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=20)), max_size=3)
RECORDS = st.lists(st.tuples(st.integers(0, 2**41), BYTES, BYTES, HEADERS), min_size=1, max_size=150)


def batch_of(records: list[tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]]) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 24)
    for offset, (time_ms, key, value, headers) in enumerate(records):
        assert builder.append(offset, time_ms, key, value, headers) is not None
    return bytes(builder.build())


@given(RECORDS)
def test_all_at_once_is_one_by_one(records) -> None:
    packed = batch_of(records)
    header = DefaultRecordBatch(packed)
    found = records_of(packed[header.HEADER_STRUCT.size :], header.records_count)
    expected = list(DefaultRecordBatch(packed))
    assert found.offset_deltas.tolist() == [record.offset for record in expected]
    assert (found.time_deltas_ms + header.first_timestamp).tolist() == [
        record.timestamp for record in expected
    ]
    assert list(found.values) == [record.value for record in expected]


@given(RECORDS, st.data())
def test_spoiled_bytes_are_refused_or_read_within_the_batch(records, data) -> None:
    packed = bytearray(batch_of(records)[DefaultRecordBatch.HEADER_STRUCT.size :])
    place = data.draw(st.integers(0, len(packed) - 1))
    packed[place] ^= data.draw(st.integers(1, 255))
    spoiled = bytes(packed[: data.draw(st.integers(0, len(packed)))])
    try:
        found = records_of(spoiled, len(records))
    except ValueError:
        return
    assert len(list(found.values)) == len(records)
    assert (found.values.begins + found.values.lengths <= len(spoiled)).all()


@pytest.mark.parametrize("data", [b"\x80", b"\x04\0", b"\x80" * 12, b"\x0c\0\xff\xff\xff\xff\xff"])
def test_what_does_not_end_is_refused(data) -> None:
    with pytest.raises(ValueError, match="record batch"):
        records_of(data, 1)


VALUES = st.lists(st.none() | st.binary(max_size=8), max_size=30)


def stretches(values: list[bytes | None], before: bytes = b"--") -> Stretches:
    data, begins = before, []
    for value in values:
        begins.append(len(data))
        data += (value or b"") + b"."
    lengths = [-1 if value is None else len(value) for value in values]
    return Stretches(data, np.array(begins, np.int64), np.array(lengths, np.int64))


@given(VALUES, VALUES)
def test_stretches_are_a_sequence_like_any_other(one, other) -> None:
    values, all_of_them = joined([stretches(one), stretches(other, b"")]), [*one, *other]
    assert list(values) == [values[at] for at in range(len(values))] == all_of_them
    assert list(values[1:4]) == all_of_them[1:4]
    assert lengths_of(values).tolist() == lengths_of(all_of_them).tolist()
    for length in {len(value) for value in all_of_them if value}:
        index = np.flatnonzero(lengths_of(values) == length)
        assert (rows_of(values, index, length) == rows_of(all_of_them, index, length)).all()


@given(st.sets(st.integers(0, 400), min_size=1), st.integers(1, 20), st.integers(1, 60))
def test_the_parts_of_a_batch_are_the_batch(offsets, after, records) -> None:
    held = np.array(sorted(offsets), np.int64)
    values = stretches([b"%d" % offset for offset in held.tolist()])
    batch = ShardBatch("t/0", 0, int(held[-1]) + after, held, held + 5, values)
    parts = list(batch.parts(records))
    assert [part.first_offset for part in parts] == [0, *(part.next_offset for part in parts[:-1])]
    assert parts[-1].next_offset == batch.next_offset
    assert all(part.first_offset <= part.offsets[0] <= part.offsets[-1] < part.next_offset for part in parts)
    assert np.concatenate([part.offsets for part in parts]).tolist() == held.tolist()
    assert [value for part in parts for value in part.values] == list(values)
    assert len(parts) == 1 or all(records <= len(part) < 2 * records for part in parts)
