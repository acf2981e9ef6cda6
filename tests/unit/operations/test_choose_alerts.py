"""Which alerts an operator sees, and in what order."""

import msgspec

from operations.alerts.choose import Selection, choose, facts
from schemas.alerts import Alert

BASE = Alert(
    id="a",
    rule="signal.smoke",
    severity="life_safety",
    domain="security",
    level="grid",
    place="370202001001001",
    onset_ms=1_795_392_000_000,
    active=True,
    title="烟雾报警 smoke",
)


def alert(**changed):
    return msgspec.structs.replace(BASE, **changed)


def ids(alerts, **wanted):
    return [each.id for each in choose(alerts, Selection(**wanted))]


def test_the_most_urgent_first_and_of_those_the_newest():
    given = [
        alert(id="old"),
        alert(id="low", severity="low"),
        alert(id="new", onset_ms=BASE.onset_ms + 1),
        alert(id="high", severity="high"),
    ]
    assert ids(given) == ["new", "old", "high", "low"]


def test_the_list_holds_what_is_active_and_what_waits_for_a_person():
    given = [
        alert(id="active"),
        alert(id="latched", active=False, latched=True),
        alert(id="over", active=False),
    ]
    assert set(ids(given, active=True)) == {"active", "latched"}
    assert ids(given, active=False) == ["over"]


def test_a_severity_means_that_one_and_above():
    given = [alert(id=name, severity=name) for name in ("low", "medium", "high", "life_safety")]
    assert ids(given, severity="high") == ["life_safety", "high"]


def test_a_place_means_all_within_it():
    given = [alert(id="in"), alert(id="out", place="370202002001001")]
    assert ids(given, place="370202001") == ["in"]


def test_since_goes_by_when_it_was_last_told():
    given = [alert(id="told", told_ms=BASE.onset_ms + 500), alert(id="quiet")]
    assert ids(given, since_ms=BASE.onset_ms + 400) == ["told"]


def test_facts_have_times_people_can_read_and_none_that_are_not():
    said = facts(BASE)
    assert said["onset_at"] == "2026-11-23T00:00:00+00:00"
    assert "cleared_at" not in said
