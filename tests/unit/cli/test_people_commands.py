"""`taishi people` and `taishi audit`: what they write, what they show once, what they refuse."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pyotp
import pytest
from click.testing import CliRunner

from operations.people.passwords import Passwords
from operations.people.sign_in import SigningIn
from operations.store.people import PeopleRows
from schemas.errors import Refused, SettingsError, TaishiError
from taishi.cli.audit import audit
from taishi.cli.people import people
from taishi.people import said

PASSWORD = "correct horse battery"  # noqa: S105 - of a test


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path))
    return tmp_path


def run(group, *words: str, stdin: str = f"{PASSWORD}\n") -> str:
    result = CliRunner().invoke(group, words, input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def add(*words: str) -> dict[str, str]:
    return json.loads(run(people, "add", *words, "--password-stdin", "--json"))


def test_who_is_added_can_sign_in_by_the_printed_secret_and_is_listed(home):
    secret = add("wang", "--name", "王值班", "--role", "operator")["totp_secret"]
    store = PeopleRows(f"sqlite:///{home / 'data' / 'operations.db'}")
    now_ms = said("x").at_ms
    door = SigningIn(store, Passwords())
    token = door.sign_in("wang", PASSWORD, pyotp.TOTP(secret).at(now_ms // 1000), "desk", now_ms)
    assert door.who(token, now_ms).person.name == "王值班"
    store.close()
    (listed,) = json.loads(run(people, "list", "--json"))
    assert listed["roles"] == ["operator"]
    assert listed["places"] == ["370202"]
    assert secret not in run(people, "list", "--json")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("wang", "--role", "operator", "--place", "999"),
            r"place: received '999', allowed: 370202, 370202001",
        ),
        (("wang",), "role: received ''"),
        ((" wang", "--role", "operator"), "ID: received ' wang'"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(home, words, told):
    with pytest.raises(SettingsError, match=told):
        add(*words)


def test_a_weak_password_enters_nobody(home):
    with pytest.raises(SettingsError, match="密码 password"):
        run(people, "add", "wang", "--role", "operator", "--password-stdin", stdin="Password1234!\n")
    assert json.loads(run(people, "list", "--json")) == []


def test_a_taken_id_is_refused(home):
    add("wang", "--role", "operator")
    with pytest.raises(Refused, match="known already"):
        add("wang", "--role", "analyst")


def test_a_change_says_in_the_record_what_was_and_what_is(home):
    add("wang", "--role", "operator")
    run(people, "change", "wang", "--role", "shift_leader", "--place", "370202001")
    (entry,) = json.loads(run(audit, "list", "--what", "people.change", "--json"))
    assert entry["detail"] == "roles: operator -> shift_leader; places: 370202 -> 370202001"
    run(people, "disable", "wang")
    assert json.loads(run(people, "list", "--json"))[0]["disabled"] is True
    run(people, "enable", "wang")
    assert json.loads(run(people, "list", "--json"))[0]["disabled"] is False


def test_nobody_is_changed_who_is_not_there(home):
    for words in (("disable", "li"), ("password", "li", "--password-stdin"), ("second-factor", "li")):
        with pytest.raises(SettingsError, match="person: received 'li'"):
            run(people, *words)


def test_the_record_holds_and_a_forgery_is_told_with_its_number(home):
    add("wang", "--role", "operator")
    run(people, "second-factor", "wang")
    anchor = run(audit, "head").strip()
    assert "the record holds: 2 entries" in run(audit, "verify", "--anchor", anchor)
    with sqlite3.connect(home / "data" / "operations.db") as database:
        database.execute("UPDATE audit SET who = 'li' WHERE number = 1")
    database.close()
    with pytest.raises(TaishiError, match="entry 1 is not what was written"):
        run(audit, "verify")


def test_an_anchor_that_is_none_is_refused_in_words(home):
    with pytest.raises(SettingsError, match="NUMBER:HASH"):
        run(audit, "verify", "--anchor", "7")
