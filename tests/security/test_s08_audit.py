"""S8: each reading of who somebody is, each refusal and each administrative act is one entry of the record.

While the record takes nothing the register is closed, but for who calls for help: that waits in the spool.
What somebody changes in the record is found wherever it is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pyotp
import pytest
import sqlalchemy as sql
from click.testing import CliRunner

from operations.people.audit import Anchor, Said, first_broken
from operations.people.roles import Person
from operations.people.spool import Spool
from operations.scenarios.identity import Resident
from operations.store.audit import AuditRows, _entry
from operations.store.people import Credentials
from operations.store.tables import AUDIT
from schemas.errors import SettingsError, TaishiError
from taishi.cli.audit import audit
from taishi.cli.keys import keys
from taishi.people import opened
from tests.contract.desk_client import HASH, NOW, STREET, Served, served

Sized = Callable[[int], int]
Tokens = dict[str, dict[str, str]]
REFUSED_AT = "POST /api/care/residents/p1-a/identity"
RESIDENT = Resident(name="周奶奶", telephone="139", address="香港中路 1 号", contact="女儿")
NO_RECORD = "CREATE TRIGGER no_record BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END"


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Spool:
    return Spool(tmp_path_factory.mktemp("spool") / "spool.jsonl")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, spool: Spool) -> Iterator[Served]:
    url = f"sqlite:///{tmp_path_factory.mktemp('desk') / 'desk.db'}"
    known = {"p1-a": RESIDENT, "p1-sos": RESIDENT}
    with served(url, identify=known.get, spool=spool) as made:
        made.raise_alert("rule.vitals", domain="care", subject="p1-a")
        made.raise_alert("signal.sos", domain="care", subject="p1-sos", severity="life_safety")
        made.enter("care-2", "care_worker", places=("370202002",))
        yield made


def ask(desk: Served, token: dict[str, str], subject: str = "p1-a", why: str = "上门探望") -> httpx.Response:
    return desk.client.post(f"/api/care/residents/{subject}/identity", json={"why": why}, headers=token)


def entries(desk: Served, since: int) -> list[tuple[str, str, str]]:
    return [(each.said.who, each.said.what, each.said.of) for each in desk.store.entries(since)]


@pytest.fixture(scope="module")
def tokens(desk: Served) -> Tokens:
    return {role: desk.token(role) for role in ("care_worker", "operator")}


@pytest.fixture
def record_takes_nothing(desk: Served, tokens: Tokens) -> Iterator[None]:
    """As with a full disk: what is there is read, and every write of the record fails."""
    engine = desk.store._engine
    with engine.begin() as connection:
        # A pooled connection may still know the trigger of the test before: reading makes SQLite look again.
        connection.execute(sql.select(AUDIT.c.number).limit(1))
        connection.execute(sql.text(NO_RECORD))
    yield
    with engine.begin() as connection:
        connection.execute(sql.text("DROP TRIGGER IF EXISTS no_record"))


def test_readings_and_refusals_are_one_entry_each(desk: Served, sized: Sized) -> None:
    care, elsewhere, operator = desk.token("care_worker"), desk.token("care-2"), desk.token("operator")
    since = desk.store.head().number
    expected = []
    for number in range(sized(1000)):
        assert ask(desk, care).status_code == 200
        expected.append(("care_worker", "care.identity", "p1-a"))
        if number % 5 == 0:  # of the whole, 200
            token, what, status = random.Random(number).choice(
                [(elsewhere, "care.identity_refused", 404), (operator, "access.refused", 403)]
            )
            assert ask(desk, token).status_code == status
            by, of = ("care-2", "p1-a") if status == 404 else ("operator", REFUSED_AT)
            expected.append((by, what, of))
    assert entries(desk, since) == expected
    assert first_broken(desk.store.entries()) == ""


def test_administrative_acts_are_one_entry_each(desk: Served, sized: Sized) -> None:
    since, acts = desk.store.head().number, sized(100)
    for number in range(acts):
        person = Person(id=f"n{number}", name=f"n{number}", roles=("operator",), places=(STREET,))
        said = Said(at_ms=NOW, who="root", terminal="cli", what="people.add", of=person.id)
        desk.store.add_person(person, Credentials(HASH, pyotp.random_base32()), said)
    assert entries(desk, since) == [("root", "people.add", f"n{number}") for number in range(acts)]


def test_while_the_record_takes_nothing_the_register_is_closed_and_nobody_becomes_somebody(
    desk: Served, spool: Spool, tokens: Tokens, record_takes_nothing: None
) -> None:
    answer = ask(desk, tokens["care_worker"])
    assert (answer.status_code, "名册关闭" in answer.json()["detail"]) == (503, True)
    assert "周奶奶" not in answer.text
    assert spool.waiting() == 0
    with pytest.raises(sql.exc.SQLAlchemyError):
        desk.store.add_person(
            Person(id="ghost", name="ghost", roles=("operator",), places=(STREET,)),
            Credentials(HASH, pyotp.random_base32()),
            Said(at_ms=NOW, who="root", terminal="cli", what="people.add", of="ghost"),
        )
    assert desk.store.person("ghost") is None


def test_who_calls_for_help_is_told_of_and_the_spool_has_the_reason_until_the_record_takes_it(
    desk: Served, spool: Spool, tokens: Tokens, record_takes_nothing: None
) -> None:
    since = desk.store.head().number
    assert ask(desk, tokens["care_worker"], "p1-sos").json()["name"] == "周奶奶"
    assert ask(desk, tokens["operator"], "p1-sos").status_code == 403
    assert (spool.waiting(), desk.store.head().number) == (2, since)
    with desk.store._engine.begin() as connection:
        connection.execute(sql.text("DROP TRIGGER no_record"))
    assert ask(desk, tokens["care_worker"]).status_code == 200
    assert spool.waiting() == 0
    *waited, now = list(desk.store.entries(since))
    assert [each.said.what for each in (*waited, now)] == ["care.identity", "access.refused", "care.identity"]
    assert "life safety: the record takes nothing (IntegrityError)" in waited[0].said.detail
    assert first_broken(desk.store.entries()) == ""


def said(number: int) -> Said:
    return Said(
        at_ms=number, who="wang", terminal="desk", what="care.identity", of=f"p{number}", detail="why"
    )


def test_a_death_amid_giving_writes_nothing_twice_and_half_a_line_is_nothing(tmp_path: Path) -> None:
    spool, store = Spool(tmp_path / "spool.jsonl"), AuditRows(f"sqlite:///{tmp_path / 'desk.db'}")
    for number in range(3):
        spool.add(said(number))
    kept = (tmp_path / "spool.jsonl").read_bytes()
    assert spool.give(store) == 3
    (tmp_path / "spool.jsonl").write_bytes(
        kept + b'{"number":4,"sa'
    )  # as a death before the file was emptied
    assert spool.give(store) == 3
    assert [each.said.of for each in store.entries()] == ["p0", "p1", "p2"]
    (tmp_path / "spool.jsonl").write_bytes(kept.replace(b"wang", b"zhao", 1))
    with pytest.raises(TaishiError, match="entry 1 is not what was written"):
        spool.give(store)
    store.close()


def test_what_somebody_does_to_any_record_is_found(tmp_path: Path, sized: Sized) -> None:
    """A hundred times: one entry edited, deleted, exchanged with another, or the end cut off."""
    store, seeds = AuditRows(f"sqlite:///{tmp_path / 'desk.db'}"), sized(100)
    for number in range(40):
        store.record(said(number))
    head = store.head()
    with store._engine.connect() as connection:
        before = connection.execute(sql.select(AUDIT).order_by(AUDIT.c.number)).all()
    columns = ("who", "terminal", "what", "of", "detail", "at_ms", "previous", "hash")
    found = 0
    for seed in range(seeds):
        chance = random.Random(seed)
        with store._engine.connect() as connection, connection.begin() as changed:
            tamper(connection, chance, columns)
            rows = connection.execute(sql.select(AUDIT).order_by(AUDIT.c.number)).all()
            changed.rollback()
        assert rows != before
        found += bool(first_broken(entries_of(rows), Anchor(head.number, head.hash)))
    assert found == seeds
    assert first_broken(store.entries(), head) == ""
    store.close()


def tamper(connection: sql.Connection, chance: random.Random, columns: tuple[str, ...]) -> None:
    at = chance.randint(1, 40)
    one = AUDIT.c.number == at
    act = chance.choice(["edit", "delete", "exchange", "cut"])
    if act == "edit":
        name = chance.choice(columns)
        value = chance.randint(100, 10**9) if name == "at_ms" else f"x{chance.random()}"[:20]
        connection.execute(sql.update(AUDIT).where(one).values({name: value}))
    elif act == "delete":
        connection.execute(sql.delete(AUDIT).where(one))
    elif act == "exchange":
        other = at % 40 + 1
        for before, after in ((at, 1000), (other, at), (1000, other)):
            moved = sql.update(AUDIT).where(AUDIT.c.number == before)
            connection.execute(moved.values(number=after))
    else:
        connection.execute(sql.delete(AUDIT).where(AUDIT.c.number >= at))


def entries_of(rows: list[sql.Row[tuple[object, ...]]]) -> list[object]:
    return [_entry(row) for row in rows]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path))
    return tmp_path


def test_keys_are_turned_and_asked_only_in_the_record(home: Path) -> None:
    for words in (("create",), ("rotate",), ("pseudonym", "Patient/7"), ("forget", "1", "--yes")):
        assert CliRunner().invoke(keys, words, catch_exceptions=False).exit_code == 0
    with opened() as store:
        acts = [(each.said.what, each.said.of) for each in store.entries()]
    assert [what for what, _ in acts] == ["keys.rotate", "keys.pseudonym", "keys.forget"]
    assert acts[1][1].startswith("p2-")
    assert "Patient/7" not in str(acts)


def test_what_cannot_be_written_down_is_not_done(home: Path) -> None:
    CliRunner().invoke(keys, ("create",), catch_exceptions=False)
    before = (home / "keys.json").read_bytes()
    with opened() as store, store._engine.begin() as connection:
        connection.execute(sql.text(NO_RECORD))
    with pytest.raises(SettingsError, match="nothing is done that is not written down"):
        CliRunner().invoke(keys, ("rotate",), catch_exceptions=False)
    assert (home / "keys.json").read_bytes() == before


def test_what_waits_in_the_spool_is_told_by_verify(home: Path) -> None:
    Spool(home / "audit-spool.jsonl").add(said(1))
    told = CliRunner().invoke(audit, ("verify",), catch_exceptions=False).stdout
    assert "0 entries" in told
    assert "the spool holds 1 more" in told
