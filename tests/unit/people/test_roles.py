"""What each role may do, and where. The table is written out again here, by hand."""

from __future__ import annotations

import pytest

from operations.people.roles import GRANTS, PERMISSIONS, ROLES, Person, checked_roles, denial
from schemas.errors import SettingsError

EXPECTED = """
                    op sl de st co gw pm cw an ad sc
alerts.read         x  x  x  x  x  x  .  x  x  .  x
alerts.answer       x  x  .  .  .  x  .  x  .  .  .
alerts.shelve       x  x  .  .  .  .  .  .  .  .  .
alerts.suppress     .  x  .  .  .  .  .  .  .  .  .
handover.sign       x  x  .  .  .  .  .  .  .  .  .
cases.read          x  x  x  x  x  x  x  x  x  .  x
cases.report        x  x  .  x  x  x  x  x  .  .  .
cases.dispatch      x  x  .  x  x  .  .  .  .  .  .
cases.handle        .  .  x  .  .  x  .  .  .  .  .
cases.claim         .  .  .  .  .  .  x  .  .  .  .
cases.check         .  .  .  x  x  x  .  .  .  .  .
cases.supervise     .  x  .  .  .  .  .  .  .  .  .
major.command       .  x  .  .  .  .  .  .  .  .  .
major.report        x  x  x  x  x  x  .  .  .  .  .
export              .  x  .  .  .  .  .  .  x  .  .
care.identity       .  .  .  .  .  .  .  x  .  .  .
people.manage       .  .  .  .  .  .  .  .  .  x  .
audit.read          .  x  .  .  .  .  .  .  .  x  .
"""


def expected() -> list[tuple[str, str, bool]]:
    rows = [line.split() for line in EXPECTED.strip().splitlines()[1:]]
    return [(role, row[0], mark == "x") for row in rows for role, mark in zip(ROLES, row[1:], strict=True)]


@pytest.mark.parametrize(("role", "permission", "may"), expected())
def test_a_role_may_what_the_table_says_and_nothing_else(role, permission, may):
    person = Person(id="p", name="P", roles=(role,), places=("370202",))
    assert (denial(person, permission, "370202001001001") == "") is may


def test_the_table_here_names_every_role_and_permission():
    named = {(role, permission) for role, permission, _ in expected()}
    assert named == {(role, permission) for role in GRANTS for permission in PERMISSIONS}


def test_a_permission_counts_in_ones_places_and_below_and_the_refusal_names_them():
    person = Person(id="p", name="P", roles=("community",), places=("370202001001", "370202002"))
    assert denial(person, "cases.check", "370202001001007") == ""
    assert denial(person, "cases.check", "370202002003") == ""
    words = denial(person, "cases.check", "370202001002001")
    assert "370202001002001" in words
    assert "370202001001, 370202002" in words
    assert denial(person, "cases.check", "370202")  # above one's own place is not one's own


def test_the_refusal_names_what_one_is_and_who_may():
    words = denial(Person(id="p", name="P", roles=("analyst",), places=("370202",)), "alerts.answer")
    assert "analyst" in words
    assert "operator" in words
    assert "grid_worker" in words


def test_who_is_disabled_may_nothing():
    person = Person(id="p", name="P", roles=ROLES, places=("370202",), disabled=True)
    assert all(denial(person, permission, "370202") for permission in PERMISSIONS)


def test_several_roles_grant_what_each_grants():
    person = Person(id="p", name="P", roles=("analyst", "party_member"), places=("370202",))
    assert person.permissions == GRANTS["analyst"] | GRANTS["party_member"]


def test_an_unknown_role_is_refused_by_name_with_those_there_are():
    with pytest.raises(SettingsError, match=r"role: received 'boss', allowed: operator, shift_leader"):
        checked_roles(("operator", "boss"))
    with pytest.raises(SettingsError, match="role: received ''"):
        checked_roles(())
    assert checked_roles(("analyst", "operator", "analyst")) == ("operator", "analyst")
