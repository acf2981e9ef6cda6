"""Which alerts a parent stands for: cause, place, level, time; never for itself, no two for each other."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.alerts import LEVELS, ONSET_BEFORE_MS, Alert, stands_for

T0 = 1_795_392_000_000
PARENT = Alert(
    id="p", rule="storm.silent", cause="device.silent", children=3, severity="high", domain="parking",
    level="street", place="370202001", onset_ms=T0, active=True, title="片区断联 outage",
)  # fmt: skip
CHILD = Alert(
    id="c", rule="device.silent", severity="medium", domain="parking", level="device",
    place="370202001001001", onset_ms=T0, active=True, title="设备失联 silent", device="d1",
)  # fmt: skip


def test_a_parent_stands_for_alerts_of_its_cause_in_its_place():
    assert stands_for(PARENT, CHILD)
    assert not stands_for(PARENT, replace(CHILD, rule="device.battery"))
    assert not stands_for(PARENT, replace(CHILD, place="370202002001001"))
    assert not stands_for(replace(PARENT, cause=""), CHILD)
    assert not stands_for(CHILD, PARENT)


def test_an_alert_of_the_same_level_or_one_that_is_not_known_is_not_below():
    assert not stands_for(PARENT, replace(CHILD, level="street", place=PARENT.place))
    assert not stands_for(PARENT, replace(CHILD, level="galaxy"))
    assert not stands_for(replace(PARENT, level="galaxy"), CHILD)


def test_ten_minutes_before_belong_to_it_and_what_began_after_it_cleared_does_not():
    over = replace(PARENT, active=False, cleared_ms=T0 + 60_000)
    assert stands_for(PARENT, replace(CHILD, onset_ms=T0 - ONSET_BEFORE_MS))
    assert not stands_for(PARENT, replace(CHILD, onset_ms=T0 - ONSET_BEFORE_MS - 1))
    assert stands_for(PARENT, replace(CHILD, onset_ms=T0 + 86_400_000))
    assert stands_for(over, replace(CHILD, onset_ms=T0 + 60_000))
    assert not stands_for(over, replace(CHILD, onset_ms=T0 + 60_001))


def test_a_larger_parent_stands_for_a_smaller_one_of_the_same_cause_and_never_the_other_way():
    smaller = replace(PARENT, id="s", level="community", place="370202001001")
    assert stands_for(PARENT, smaller)
    assert not stands_for(smaller, PARENT)
    assert not stands_for(PARENT, replace(smaller, place=PARENT.place))
    assert not stands_for(PARENT, replace(smaller, cause="device.battery"))


PLACES = st.sampled_from(["370202", "370202001", "370202001001", "370202001001001", "370202002"])
PARENTS = st.builds(
    lambda n, place, level, onset, active: replace(
        PARENT, id=str(n), place=place, level=level, onset_ms=T0 + onset, active=active, cleared_ms=T0
    ),
    st.integers(0, 5), PLACES, st.sampled_from(LEVELS), st.integers(-10**6, 10**6), st.booleans(),
)  # fmt: skip


@given(PARENTS, PARENTS)
def test_no_two_parents_stand_for_each_other_and_none_for_itself(one, other):
    assert not stands_for(one, one)
    assert not (stands_for(one, other) and stands_for(other, one))
