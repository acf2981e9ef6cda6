"""Many alerts with one cause in one place and time become one parent."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.watch.codec import STORMS
from pipelines.kernels.watch.storms import StormState, fold_storms
from schemas.alerts import Alert, alert_id, stands_for

T0 = 1_790_000_000_000
RULE = "silence.parking.space"


def alert(n, place, *, at_s=0, active=True, rule=RULE, severity="low", level="grid"):
    onset_ms = T0 + at_s * 1000
    return Alert(id=alert_id(rule, place, onset_ms, str(n)), rule=rule, severity=severity, domain="parking",
                 level=level, place=place, onset_ms=onset_ms, active=active, title="车位传感器离线 silent",
                 cleared_ms=0 if active else onset_ms + 900_000)  # fmt: skip


def grid(street=1, community=1, number=1):
    return f"370202{street:03d}{community:03d}{number:03d}"


def fold(alerts, batch_size=None, *, restart=False):
    size = batch_size or max(1, len(alerts))
    state, output = StormState(), []
    for start in range(0, len(alerts), size):
        part = [a if a is None else msgspec.json.encode(a) for a in alerts[start : start + size]]
        offsets, stop = np.arange(start, start + len(part)), start + len(part)
        if restart:
            state = STORMS.from_bytes(STORMS.to_bytes(state))
        output += fold_storms(state, ShardBatch("alerts/0", start, stop, offsets, offsets * 0, part))
    return output


def newest(alerts):
    return list({a.id: a for a in alerts}.values())


def test_an_outage_of_a_street_is_one_parent_however_its_devices_are_spread():
    children = [alert(n, grid(3, 1 + n % 5, 1 + n % 11), at_s=n) for n in range(200)]
    parents = newest(fold(children))
    street = parents[-1]
    assert len(parents) <= 3
    assert (street.level, street.place, street.children, street.severity) == (
        "street",
        "370202003",
        200,
        "medium",
    )
    assert all(stands_for(street, child) for child in [*children, *parents[:-1]])
    assert "×200" in street.title


def test_a_storm_stays_where_most_of_it_is():
    children = [alert(n, grid(3, 1, n + 1), at_s=n) for n in range(40)] + [alert(99, grid(4, 1), at_s=41)]
    (parent,) = newest(fold(children))
    assert (parent.level, parent.place, parent.children) == ("community", "370202003001", 40)


def test_a_storm_that_spreads_grows_to_the_place_above():
    first = [alert(n, grid(3, 1, n + 1), at_s=n) for n in range(6)]
    more = [alert(n + 50, grid(3, 2, n + 1), at_s=60 + n) for n in range(6)]
    community, street = newest(fold([*first, *more]))
    assert (community.level, street.level) == ("community", "street")
    assert stands_for(street, community)


@pytest.mark.parametrize(
    "children",
    [
        [alert(n, grid(3, 1, n + 1), at_s=n) for n in range(4)],
        [alert(n, grid(3, 1, n + 1), at_s=n * 700) for n in range(20)],
        [alert(n, grid(3, 1, n + 1), rule=f"rule.{n}") for n in range(20)],
        [alert(n, "370202", level="district") for n in range(20)],
    ],
    ids=["too few", "too far apart", "different causes", "nothing is above the district"],
)
def test_no_storm(children):
    assert fold(children) == []


def test_a_storm_is_over_when_its_children_are():
    children = [alert(n, grid(3, 1, n + 1), at_s=n) for n in range(8)]
    ends = [alert(n, grid(3, 1, n + 1), at_s=n, active=False) for n in range(8)]
    assert all(parent.active for parent in fold([*children, *ends[:7]]))
    over = fold([*children, *ends])[-1]
    assert (over.active, over.children, over.cleared_ms) == (False, 8, T0 + 907_000)


def test_a_child_that_comes_again_is_counted_once():
    children = [alert(n, grid(3, 1, n + 1), at_s=n) for n in range(8)]
    again = [alert(2, grid(3, 1, 3), at_s=2, active=False), alert(2, grid(3, 1, 3), at_s=2)]
    assert newest(fold([*children, *again, *again]))[0].children == 8


def test_parents_and_what_is_no_alert_are_passed_over():
    children = [alert(n, grid(3, 1, n + 1), at_s=n) for n in range(8)]
    parents = fold(children)
    assert fold([None, *children, *parents])[-1].children == 8
    state = StormState()
    assert fold_storms(state, ShardBatch("alerts/0", 0, 1, np.arange(1), np.zeros(1, np.int64), [b"?"])) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 15), st.integers(1, 2), st.integers(0, 3), st.booleans()), max_size=60),
    st.integers(1, 9),
)
def test_batches_and_restarts_change_nothing(events, size):
    log = [alert(n, grid(3, c, n + 1), at_s=s * 300, active=on) for n, c, s, on in events]
    assert newest(fold(log, size, restart=True)) == newest(fold(log))
