"""The desk's people as those who act on cases."""

from operations.cases.codes import ROLES
from operations.cases.people import CASE_ROLES, actor_of
from operations.people.roles import ROLES as PERSON_ROLES
from operations.people.roles import Person


def test_every_role_of_the_desk_has_its_roles_in_cases_and_every_role_of_cases_somebody():
    assert set(CASE_ROLES) == set(PERSON_ROLES)
    given = {role for roles in CASE_ROLES.values() for role in roles}
    assert given == set(ROLES) - {"resident", "system"}


def test_a_person_acts_in_all_their_roles_each_once():
    person = Person(
        id="wang", name="王芳", roles=("operator", "shift_leader"), places=("370202",), department="中心"
    )
    actor = actor_of(person, "pc")
    assert actor.roles == ("receiver", "dispatcher", "shift_leader")
    assert (actor.name, actor.department, actor.places, actor.terminal) == ("王芳", "中心", ("370202",), "pc")
