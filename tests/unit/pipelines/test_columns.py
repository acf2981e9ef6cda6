"""Readings come out of a batch the same whether a template or the decoder read them."""

from unittest.mock import patch

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.kernels.columns import Templates, columns_of
from pipelines.kernels.decode import decode_readings
from pipelines.kernels.template import Head, template_of
from schemas.readings import Reading

PLAIN = st.text("abcXYZ019-_.:", min_size=1, max_size=4)
ODD = st.sampled_from(["", 'a"b', "a\\b", "é", "网格", "\t", "a{b", "}", '","seq":9,"', "\x7f"])
VALUES = st.one_of(
    st.integers(-999, 999).map(float),
    st.decimals(-99_999, 99_999, places=3).map(float),
    st.floats(allow_nan=False, allow_infinity=False),
)
WHOLE = st.sampled_from([0, 7, 10, 1_767_225_600_123, 10**15 - 1, 10**15, 2**53])
READINGS = st.builds(
    Reading,
    id=PLAIN,
    kind=st.sampled_from(["parking.space", "care.vitals"]),
    metric=st.sampled_from(["occupied", "spo2"]),
    value=VALUES,
    device=PLAIN | ODD,
    grid=PLAIN,
    source=PLAIN,
    observed_at_ms=WHOLE,
    received_at_ms=WHOLE,
    seq=WHOLE,
    subject=st.just("") | PLAIN | ODD,
    simulated=st.booleans(),
)
SPOILERS = (
    *(b'"', b"\\", b"\n", b"\xff", b"\x00", b"}", b"{", b",", b":", b" ", b"0", b"9", b"-", b".", b"e", b"x"),
    *(b"true", b"null", b'"seq":1,', b"[1]", b"\xc3\xa9"),
)


@st.composite
def records(draw):
    """Records of connectors, some of them spoiled at one place, some ticks."""
    made = []
    for each in draw(st.lists(READINGS, min_size=1, max_size=6)):
        value = msgspec.json.encode(each)
        made += [value] * draw(st.integers(1, 3))
        at = draw(st.integers(0, len(value)))
        spoiler = draw(st.sampled_from(SPOILERS))
        cut = draw(st.sampled_from([0, 1, len(spoiler)]))
        made.append(value[:at] + spoiler + value[at + cut :])
    made += [None] * draw(st.integers(0, 2))
    return draw(st.permutations(made))


def said(columns):
    """record -> everything the fold hears of it."""
    matched = {}
    for group in columns.matched:
        texts = {name: group.text(name) for name in ("device", "grid")}
        for row, place in enumerate(group.records.tolist()):
            matched[place] = tuple(bytes(texts[name][row]).decode() for name in ("device", "grid"))
    rows = {}
    for row, place in enumerate(columns.index.tolist()):
        reading = columns.reading(place)
        names = matched.get(place, (reading.device, reading.grid))
        numbers = (float(columns.value[row]).hex(), int(columns.time_ms[row]), int(columns.seq[row]))
        rows[place] = (*columns.heads[columns.head[row]], *names, *numbers)
    return rows


@given(st.lists(records(), min_size=1, max_size=3))
def test_templates_change_nothing_in_what_is_read(batches):
    templates = Templates()
    for values in batches:
        with patch("pipelines.kernels.columns.LEAST_ROWS", 1):
            by_template = columns_of(values, templates)
        decoded = decode_readings(values)
        expected = {
            place: (
                *(r.kind, r.metric, r.source, r.simulated, r.device, r.grid),
                *(float(r.value).hex(), r.observed_at_ms, r.seq),
            )
            for place, r in zip(decoded.indices, decoded.readings, strict=True)
        }
        assert said(by_template) == expected
        assert by_template.rejections == decoded.rejections


@given(st.decimals(-(10**6), 10**6, places=6))
def test_a_value_is_the_double_nearest_to_what_is_written(number):
    written = f"{number:f}"
    record = READING.replace(b'"value":1', b'"value":' + written.encode())
    template = template_of(record)
    assert template is not None
    rows = np.frombuffer(record, np.uint8).reshape(1, -1)
    assert template.values(rows)[0].hex() == float(written).hex()


READING = msgspec.json.encode({
    "id": "i", "kind": "k", "metric": "m", "value": 1, "device": "d1", "grid": "g", "source": "s",
    "observed_at_ms": 5, "received_at_ms": 6, "seq": 4,
})  # fmt: skip


def test_connectors_readings_have_a_template():
    template = template_of(READING)
    assert template is not None
    assert template.head == Head("k", "m", "s", False)
    with patch("pipelines.kernels.columns.LEAST_ROWS", 1):
        columns = columns_of([READING] * 5, Templates())
    assert not columns.decoded
    assert [group.records.tolist() for group in columns.matched] == [[0, 1, 2, 3, 4]]


def test_long_readings_are_decoded():
    long = READING.replace(b'"id":"i"', b'"id":"%s"' % (b"i" * 1024))
    with patch("pipelines.kernels.columns.LEAST_ROWS", 1):
        columns = columns_of([long] * 3 + [READING], Templates())
    assert list(columns.decoded) == [0, 1, 2]
    assert [group.records.tolist() for group in columns.matched] == [[3]]


@pytest.mark.parametrize(
    "written",
    [
        READING.replace(b",", b", ", 1),
        READING.replace(b'"id":"i"', b'"id":"\\u0069"'),
        READING.replace(b'"seq":4', b'"seq":4,"seq":5'),
        READING.replace(b'"seq":4', b'"seq":4.0'),
        READING.replace(b'"seq":4', b'"seq":-4'),
        READING.replace(b'"seq":4', b'"seq":1234567890123456'),
        READING.replace(b'"value":1', b'"value":1e3'),
        READING.replace(b'"value":1', b'"value":"1"'),
        READING.replace(b'"value":1', b'"value":1.1234567890123456'),
        READING.replace(b'"grid":"g",', b""),
        READING.replace(b'"device":"d1"', b'"device":1'),
        READING.replace(b'"seq":4', b'"simulated":0'),
        READING + b"\n",
        b"[]",
        b"",
    ],
)
def test_what_is_written_otherwise_has_none(written):
    assert template_of(written) is None
