"""Hand-overs in the database and on call: signed once, in the record; whose the next alert then is."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from operations.handover.model import Handover, HandoverRules, OutgoingList
from operations.handover.outgoing import list_hash
from operations.oncall.load import parse_oncall
from operations.oncall.store import Store
from operations.people.audit import Said, first_broken
from operations.people.roles import Person
from schemas.errors import Refused, SettingsError
from tests.contract.oncall_fakes import T0, Desk, alert, opened

MIN = 60_000
WANG, LI, QIAN = (
    Person(id=identity, name=name, roles=("operator",), places=("370202",))
    for identity, name in (("wang", "王芳"), ("li", "李强"), ("qian", "钱七"))
)
RULES = HandoverRules()
LISTED = OutgoingList(at_ms=T0, since_ms=T0 - 1)
FILE = parse_oncall(
    {
        "people": {name: ["json://127.0.0.1:9/never"] for name in ("王芳", "李强", "赵敏")},
        "posts": {"值班台": ["王芳", "李强"]},
        "handover": {"unsigned_s": 600, "escalate_to": ["赵敏"]},
        "routes": [{"name": "all", "steps": [{"people": ["值班台"]}]}],
    }
)


@pytest.fixture
def store(desk_url: str) -> Iterator[Store]:
    with opened(desk_url) as made:
        yield made


def said(what: str, who: Person, at_ms: int = T0) -> Said:
    return Said(at_ms=at_ms, who=who.id, terminal="desk", what=f"handover.{what}", of="h1")


def offered(identity: str = "h1", at_ms: int = T0, by: Person = WANG) -> Handover:
    return Handover(
        id=identity, post="值班台", outgoing=by.id, outgoing_name=by.name, offered_ms=at_ms, notes="看锅炉房",
        listed=LISTED, list_hash=list_hash(LISTED),
    )  # fmt: skip


def test_both_signatures_are_kept_and_stand_in_the_chained_record(store: Store) -> None:
    store.offer(offered(), WANG, RULES, said("offer", WANG))
    assert store.offers() == [store.handover("h1")] == [offered()]
    signed = store.sign("h1", LI, said("sign", LI, T0 + MIN))
    assert signed == replace(offered(), incoming="li", incoming_name="李强", signed_ms=T0 + MIN)
    assert store.offers() == []
    assert [(e.said.who, e.said.what) for e in store.entries()] == [
        ("wang", "handover.offer"), ("li", "handover.sign"),
    ]  # fmt: skip
    assert first_broken(store.entries()) == ""


def test_what_is_said_again_changes_nothing_and_what_is_refused_leaves_no_entry(store: Store) -> None:
    for _ in range(2):
        store.offer(offered(), WANG, RULES, said("offer", WANG))
    with pytest.raises(Refused, match="who hands over"):
        store.sign("h1", WANG, said("sign", WANG))
    for _ in range(2):
        store.sign("h1", LI, said("sign", LI))
    with pytest.raises(Refused, match="is held by 李强"):
        store.offer(offered("h2", T0 + MIN), WANG, RULES, said("offer", WANG))
    with pytest.raises(SettingsError, match="received 'h9', which the desk does not know"):
        store.sign("h9", LI, said("sign", LI))
    assert len(list(store.entries())) == 2


def test_of_two_who_sign_at_once_one_has_the_post(desk_url: str, store: Store) -> None:
    store.offer(offered(), WANG, RULES, said("offer", WANG))

    def sign(person: Person) -> str:
        with opened(desk_url) as own:
            try:
                return own.sign("h1", person, said("sign", person, T0 + MIN)).incoming
            except Refused as error:
                return str(error)

    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(sign, (LI, QIAN)))
    winner = store.handover("h1").incoming
    assert winner in answers
    assert sum("already signed by" in answer for answer in answers) == 1
    assert store.duty().holder("值班台", T0 + MIN) is not None


def test_a_withdrawn_offer_hands_nothing_over_and_another_may_follow(store: Store) -> None:
    store.offer(offered(), WANG, RULES, said("offer", WANG))
    store.withdraw_offer("h1", WANG, said("withdraw", WANG))
    assert store.duty().holder("值班台", T0 + MIN) is None
    store.offer(offered("h2", T0 + MIN), WANG, RULES, said("offer", WANG))
    assert [each.id for each in store.handovers()] == ["h2", "h1"]


def test_from_the_signature_on_the_next_alert_is_of_the_incoming_person(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(store, FILE, monkeypatch)
    desk.take(alert(1))
    assert {person for person, _ in desk.look()} == {"王芳", "李强"}  # nobody signed yet: all of the post
    store.offer(offered(), WANG, RULES, said("offer", WANG))
    store.sign("h1", LI, said("sign", LI, T0 + MIN))
    desk.now_ms = T0 + MIN
    desk.take(alert(2))
    assert [person for person, _ in desk.look()] == ["李强"]
    store.offer(offered("h2", T0 + 2 * MIN, LI), LI, RULES, said("offer", LI))
    store.sign("h2", WANG, said("sign", WANG, T0 + 3 * MIN))
    desk.restart()
    desk.now_ms = T0 + 3 * MIN
    desk.take(alert(3))
    assert [person for person, _ in desk.look()] == ["王芳"]


def test_an_unsigned_hand_over_is_told_to_the_leader_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(store, FILE, monkeypatch)
    store.offer(offered(), WANG, RULES, said("offer", WANG))
    assert desk.look(10 * MIN - 1) == []
    assert desk.look(1) == [("赵敏", "【交接班】值班台 交班未签收 hand-over not signed")]
    desk.restart()
    assert desk.look(10 * MIN) == []
