"""Our own format has a quick way for what is usual: it says exactly what the long way says, or nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.fuzz_payloads import CLASSES, spoiled
from connectors.base import Message
from connectors.native import decode

FOLDER = Path(decode.__file__).parent
GOOD = [path.read_bytes() for path in (*FOLDER.glob("sample.*"), *FOLDER.glob("testcases/*/input.*"))]
ITEM = {
    "device": "a",
    "kind": "care.emergency",
    "metric": "sos",
    "value": 1,
    "observed_at_ms": 1_795_392_000_000,
}
TEXTS = st.one_of(st.text(max_size=3), st.sampled_from(["a", "é", "\u202e", "x" * 200, "x" * 201, "\ud800"]))
VALUES = st.one_of(
    TEXTS,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([2**53, 2**53 + 1, -1, [], {}]),
)
NAMES = st.sampled_from([*ITEM, "seq", "subject", "longitude", "latitude", "crs", "observed_at", "other"])


def same(payload: bytes) -> None:
    quick = decode._plain(payload)
    if quick is not None:
        assert quick == decode.NativeCodec()._each(Message(payload, "x", 0))


@pytest.mark.parametrize("kind", CLASSES)
def test_spoiled_payloads(kind: str) -> None:
    rng = random.Random(kind)
    for _ in range(300):
        same(spoiled(rng.choice([good for good in GOOD if good]), kind, rng))


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=3), min_size=1, max_size=3), st.booleans())
def test_any_item(changes: list[dict[str, object]], several: bool) -> None:
    items = [ITEM | change for change in changes]
    same(json.dumps(items if several else items[0]).encode("utf-8", "surrogatepass"))


def test_the_usual_item_takes_it() -> None:
    for payload in (ITEM, [ITEM] * 3, ITEM | {"seq": 4, "subject": "p1-00"}):
        assert decode._plain(json.dumps(payload).encode()) is not None
