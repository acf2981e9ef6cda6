"""What the source makes of record batches, before a real log is asked (tests/contract/test_log_source.py)."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from pipelines.io.source import ShardSource
from pipelines.kernels.values import Stretches

SHARD = "readings.parking/0"


def fetched(first: int, offsets: list[int], next_offset: int) -> SimpleNamespace:
    held, size = np.array(offsets, np.int64), len(offsets)
    values = Stretches(b"x" * size, np.arange(size), np.ones(size, np.int64))
    return SimpleNamespace(
        shard=SHARD, count=size, next_offset=next_offset, columns=lambda: (held, held + first, values)
    )


def test_record_batches_that_compaction_emptied_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [[fetched(0, [], 10)], [fetched(0, [], 20), fetched(0, [20, 23], 25)]]
    reader = SimpleNamespace(assign=lambda _offsets: None, poll=lambda _timeout_s: answers.pop(0))
    monkeypatch.setattr("pipelines.io.source.LogReader", lambda _bootstrap: reader)
    monkeypatch.setattr("pipelines.io.source.Consumer", lambda _settings: None)
    monkeypatch.setattr("pipelines.io.source.bounds_of", lambda *_asked: (0, 25))
    source = ShardSource("nowhere:1", "test")
    source.add({SHARD: None})
    assert list(source.read(0)) == []
    (batch,) = source.read(0)
    assert (batch.first_offset, batch.next_offset, batch.offsets.tolist()) == (0, 25, [20, 23])
