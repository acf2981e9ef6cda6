"""Alerts as InfluxDB points."""

import msgspec
import numpy as np
import pytest

from pipelines.kernels.annotations import AnnotationsState, annotation, fold_alerts
from pipelines.kernels.batch import ShardBatch
from schemas.alerts import Alert

ALERT = Alert(id="a1", rule="signal.smoke", severity="life_safety", domain="security", level="grid",
              place="370202001001001", onset_ms=1_790_000_000_000, active=True, title='烟雾 "smoke"',
              explanation="line one\nline two \\ three", device="cam 1,a=b", revision=7)  # fmt: skip


def batch(*alerts, first=0):
    values = [a if a is None or isinstance(a, bytes) else msgspec.json.encode(a) for a in alerts]
    offsets = np.arange(first, first + len(values))
    return ShardBatch("alerts/0", first, first + len(values), offsets, offsets * 0, values)


def test_a_point_says_what_where_and_why():
    assert annotation(ALERT) == (
        "alerts,rule=signal.smoke,severity=life_safety,domain=security,level=grid,place=370202001001001,"
        "device=cam\\ 1\\,a\\=b active=1i,cleared_ms=0i,count=1i,children=0i,simulated=0i,revision=7i,"
        'id="a1",title="烟雾 \\"smoke\\"",explanation="line one line two \\\\ three" 1790000000000'
    )


def test_of_people_nothing_is_written_but_where():
    line = annotation(msgspec.structs.replace(ALERT, subject="p-12345678", explanation="住户 p-123456"))
    assert "p-1234" not in line


def test_the_newest_version_of_a_batch_is_the_point_whatever_the_order():
    over = msgspec.structs.replace(ALERT, active=False, cleared_ms=1, revision=9)
    state = AnnotationsState()
    assert fold_alerts(state, batch(over, None, b"?", ALERT)).lines == [annotation(over)]
    assert state.next_offset == 4


def test_a_batch_that_does_not_begin_where_the_state_stands_is_refused():
    with pytest.raises(ValueError, match="received offset 3, expected 0"):
        fold_alerts(AnnotationsState(), batch(ALERT, first=3))
