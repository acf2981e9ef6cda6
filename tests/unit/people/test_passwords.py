"""What is taken for a password, and how it is kept."""

from __future__ import annotations

import argon2
import pytest

from operations.people.passwords import Passwords, refuse_weak
from schemas.errors import SettingsError

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "x" * 129,
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "passwordpassword",
        "Password1234!",
        "admin-admin-admin",
        "taishi2026!!!",
        "123456789012",
        "abcdefghijklmn",
        "wangxiaoming88",
    ],
)
def test_what_everybody_tries_first_is_no_password(password):
    with pytest.raises(SettingsError, match="密码 password: received"):
        refuse_weak(password, "wang", "wangxiaoming")


@pytest.mark.parametrize(
    "password", ["correct horse battery", "海边的灯塔在雾里也亮着吗", "Ksj2-29sj-lqpz", "admin of the sea 7"]
)
def test_long_and_unusual_is_enough(password):
    refuse_weak(password, "wang")


def test_no_refusal_tells_the_password():
    with pytest.raises(SettingsError) as told:
        refuse_weak("Password1234!")
    assert "Password1234!" not in str(told.value)


def test_only_the_password_opens_its_hash_and_the_hash_does_not_show_it():
    passwords = Passwords(CHEAP)
    kept = passwords.hashed("correct horse battery")
    assert kept.startswith("$argon2id$")
    assert "horse" not in kept
    assert passwords.right(kept, "correct horse battery")
    assert not passwords.right(kept, "correct horse batterx")
    assert passwords.hashed("correct horse battery") != kept  # salted


def test_nobody_has_no_password_not_even_the_one_that_is_hashed_for_them():
    passwords = Passwords(CHEAP)
    assert not passwords.right("", "")
    assert not passwords.right("", "whoever this is, a hash is computed for them")


def test_a_hash_of_lower_costs_is_told():
    kept = Passwords(CHEAP).hashed("correct horse battery")
    dearer = Passwords(argon2.PasswordHasher(time_cost=2, memory_cost=128, parallelism=1))
    assert dearer.outdated(kept)
    assert dearer.right(kept, "correct horse battery")
    assert not Passwords(CHEAP).outdated(kept)
