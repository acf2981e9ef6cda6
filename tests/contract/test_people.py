"""Signing in, people and the record, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import argon2
import pyotp
import pytest
import sqlalchemy as sql
from msgspec.structs import replace

from operations.cases.config import shipped_config
from operations.cases.model import Actor
from operations.cases.opening import Report
from operations.people.audit import Anchor, Said, first_broken
from operations.people.passwords import Passwords
from operations.people.roles import Person
from operations.people.sign_in import SignedIn, SigningIn, SignInRefusedError
from operations.store.casebook import CaseBook
from operations.store.people import Credentials, PeopleRows
from schemas.errors import Refused, SettingsError

PASSWORD = "correct horse battery"  # noqa: S105 - of a test
SECRET = pyotp.random_base32()
PASSWORDS = Passwords(argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
NOW = 1_800_000_000_000


def said(what: str = "people.add", at_ms: int = NOW) -> Said:
    return Said(at_ms=at_ms, who="root", terminal="cli", what=what, of="wang")


def code(at_ms: int = NOW) -> str:
    return pyotp.TOTP(SECRET).at(at_ms // 1000)


@pytest.fixture
def store(desk_url: str) -> Iterator[PeopleRows]:
    made = PeopleRows(desk_url)
    wang = Person(id="wang", name="王值班", roles=("operator",), places=("370202",))
    made.add_person(wang, Credentials(PASSWORDS.hashed(PASSWORD), SECRET), said())
    yield made
    made.close()


@pytest.fixture
def door(store: PeopleRows) -> SigningIn:
    return SigningIn(store, PASSWORDS)


def test_name_password_and_code_open_a_session_that_knows_who_it_is(store, door):
    token = door.sign_in("wang", PASSWORD, code(), "desk", NOW)
    who = door.who(token, NOW + 1000)
    assert who == SignedIn(store.person("wang"), "desk")
    door.sign_out(token, NOW + 2000)
    with pytest.raises(SignInRefusedError, match="signed out"):
        door.who(token, NOW + 3000)


@pytest.mark.parametrize(
    ("identity", "password", "given"),
    [("wang", "wrong horse battery", "right"), ("wang", PASSWORD, "000000"), ("nobody", PASSWORD, "right")],
)
def test_whatever_is_wrong_the_words_are_the_same(door, identity, password, given):
    with pytest.raises(SignInRefusedError, match="name, password or code is not right"):
        door.sign_in(identity, password, code() if given == "right" else given, "desk", NOW)


def test_one_code_begins_one_session_whoever_comes_at_once(desk_url, store):
    doors = [SigningIn(PeopleRows(desk_url), PASSWORDS) for _ in range(6)]

    def enter(door: SigningIn) -> str:
        try:
            return door.sign_in("wang", PASSWORD, code(), "desk", NOW)
        except SignInRefusedError:
            return ""

    with ThreadPoolExecutor(6) as clients:
        tokens = list(clients.map(enter, doors))
    for door in doors:
        door._store.close()
    assert sum(bool(token) for token in tokens) == 1


def test_five_failures_lock_the_name_also_for_the_right_password_and_the_wait_is_told(door):
    for n in range(5):
        with pytest.raises(SignInRefusedError):
            door.sign_in("wang", "wrong horse battery", code(), "desk", NOW + n)
    with pytest.raises(SignInRefusedError, match="too many failures: try again in 60 s") as told:
        door.sign_in("wang", PASSWORD, code(), "desk", NOW + 5)
    assert told.value.retry_after_s == 60
    later = NOW + 90_000
    assert door.sign_in("wang", PASSWORD, code(later), "desk", later)


def test_a_name_that_nobody_has_is_locked_too(door):
    for n in range(5):
        with pytest.raises(SignInRefusedError, match="not right"):
            door.sign_in("nobody", "wrong horse battery", "000000", "desk", NOW + n)
    with pytest.raises(SignInRefusedError, match="too many failures"):
        door.sign_in("nobody", "wrong horse battery", "000000", "desk", NOW + 6)


def test_who_is_disabled_is_signed_out_and_not_let_in(store, door):
    token = door.sign_in("wang", PASSWORD, code(), "desk", NOW)
    gone = Person(id="wang", name="王值班", roles=("operator",), places=("370202",), disabled=True)
    store.change_person(gone, said("people.disable", NOW + 1))
    with pytest.raises(SignInRefusedError):
        door.who(token, NOW + 2)
    later = NOW + 60_000
    with pytest.raises(SignInRefusedError, match="not right"):
        door.sign_in("wang", PASSWORD, code(later), "desk", later)


@pytest.mark.parametrize("change", ["password", "second factor"])
def test_a_new_password_or_second_factor_ends_every_session(store, door, change):
    token = door.sign_in("wang", PASSWORD, code(), "phone", NOW)
    if change == "password":
        store.change_password(
            "wang", PASSWORDS.hashed("another horse battery"), said("people.password", NOW + 1)
        )
    else:
        store.change_second_factor("wang", pyotp.random_base32(), said("people.totp", NOW + 1))
    with pytest.raises(SignInRefusedError):
        door.who(token, NOW + 2)
    later = NOW + 60_000
    with pytest.raises(SignInRefusedError, match="not right"):
        door.sign_in("wang", PASSWORD, code(later), "desk", later)


def test_requests_keep_a_session_and_silence_ends_it(door):
    token = door.sign_in("wang", PASSWORD, code(), "desk", NOW)
    for minute in range(1, 100, 20):
        door.who(token, NOW + minute * 60_000)
    with pytest.raises(SignInRefusedError, match="nothing heard for 30 min"):
        door.who(token, NOW + (81 + 30) * 60_000)


def test_the_second_person_agrees_by_a_code_that_is_good_once(store, door):
    assert door.second_person("wang", code(), "alert 1", NOW).id == "wang"
    with pytest.raises(SignInRefusedError, match="second"):
        door.second_person("wang", code(), "alert 1", NOW)


def test_the_database_holds_neither_password_nor_token(store, door):
    token = door.sign_in("wang", PASSWORD, code(), "desk", NOW)
    with store._engine.connect() as connection:
        tables = sql.inspect(connection).get_table_names()
        held = " ".join(
            str(row)
            for name in tables
            for row in connection.execute(sql.select(sql.literal_column("*")).select_from(sql.table(name)))
        )
    assert "wang" in held
    assert PASSWORD not in held
    assert token not in held


def test_a_second_of_the_same_id_is_refused_and_leaves_no_entry(store):
    before = store.head()
    other = Person(id="wang", name="Another", roles=("analyst",), places=("370202",))
    with pytest.raises(Refused, match="known already"):
        store.add_person(other, Credentials("h", SECRET), said())
    assert store.head() == before
    with pytest.raises(SettingsError, match="person: received 'li'"):
        store.change_password("li", "h", said())
    assert store.head() == before


def test_a_name_is_one_persons_and_changes_while_no_open_case_knows_it(store, desk_url):
    li = Person(id="li", name="王值班", roles=("grid_worker",), places=("370202",))
    with pytest.raises(Refused, match=r"which 'wang' has, allowed: another, such as 王值班（li）"):
        store.add_person(li, Credentials("h", SECRET), said())
    store.add_person(replace(li, name="李网格"), Credentials("h", SECRET), said())
    with pytest.raises(Refused, match="which 'wang' has"):
        store.change_person(li, said())
    book = CaseBook(desk_url, shipped_config())
    reporter = Actor(name="李网格", roles=("collector",), places=("370202",))
    told = Report(key="r", source="collector", category="device", place="370202001001001", title="井盖破损",
                  reporter="李网格")  # fmt: skip
    case = book.open(told, reporter, NOW).case
    book.close()
    with pytest.raises(Refused, match=rf"allowed: '李网格' while open cases name them so \({case.id}\)"):
        store.change_person(replace(li, name="李大网格"), said())
    store.change_person(replace(li, name="李网格", department="市政公司"), said())
    wang = store.person("wang")
    store.change_person(replace(wang, name="王组长"), said())
    assert store.person("wang").name == "王组长"


def test_every_change_and_every_try_is_in_the_record_and_the_record_holds(store, door):
    door.sign_in("wang", PASSWORD, code(), "desk", NOW)
    with pytest.raises(SignInRefusedError):
        door.sign_in("wang", "wrong horse battery", "000000", "phone", NOW + 1)
    entries = list(store.entries())
    assert [entry.said.what for entry in entries] == ["people.add", "session.begin", "session.refused"]
    assert first_broken(entries, Anchor(entries[-1].number, entries[-1].hash)) == ""
    assert [entry.said.what for entry in store.newest(2)] == ["session.refused", "session.begin"]
    assert [entry.number for entry in store.newest(9, what="session.")] == [3, 2]


def test_many_write_the_record_at_once_and_it_is_one_chain(desk_url, store):
    writers = [PeopleRows(desk_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: writers[n % 4].record(said(f"test.{n}")), range(40)))
    for writer in writers:
        writer.close()
    entries = list(store.entries())
    assert len(entries) == 41
    assert first_broken(entries) == ""


def test_what_somebody_changes_in_the_database_is_found(store):
    for n in range(3):
        store.record(said(f"test.{n}"))
    with store._engine.begin() as connection:
        connection.execute(sql.text("UPDATE audit SET who = 'li' WHERE number = 3"))
    assert first_broken(store.entries()) == "entry 3 is not what was written"
