"""Records are found in a batch as they were put into it, or the batch is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.record_batches import split


def varint(value):
    value = (value << 1) ^ (value >> 63)
    octets = b""
    while value >= 0x80:
        octets, value = octets + bytes([value & 0x7F | 0x80]), value >> 7
    return octets + bytes([value])


def record(number, at_ms, key, value):
    body = b"\0" + varint(at_ms) + varint(number)
    body += (varint(-1) if key is None else varint(len(key)) + key) + varint(len(value)) + value + b"\0"
    return varint(len(body)) + body


ROWS = st.lists(
    st.tuples(
        st.integers(-5, 10**9),
        st.none() | st.binary(max_size=20),
        st.dictionaries(st.text(max_size=30), st.integers()),
    ),
    min_size=1,
    max_size=40,
)


@given(ROWS)
def test_records_come_out_as_they_went_in(rows):
    values = [json.dumps(value).encode() for *_, value in rows]
    data = b"".join(
        record(number, at_ms, key, value)
        for number, ((at_ms, key, _), value) in enumerate(zip(rows, values, strict=True))
    )
    try:
        block = split(data)
    except ValueError:  # a key or a length that looks like an end: told, never guessed
        assert data.count(b"}\0") > len(rows)
        return
    assert block.values() == values
    assert block.time_delta_ms.tolist() == [at_ms for at_ms, *_ in rows]
    assert block.offset_delta.tolist() == list(range(len(rows)))


def test_a_batch_whose_lengths_lie_is_refused():
    data = record(0, 0, b"k", b'{"a":1}')
    with pytest.raises(ValueError, match="does not lead to the next"):
        split(bytes([data[0] + 2]) + data[1:])
