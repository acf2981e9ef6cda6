"""Codes by time: RFC 6238's own values, clocks that are off, and codes that were used."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from operations.people.second_factor import accepted_step, new_secret, uri

SECRET = base64.b32encode(b"12345678901234567890").decode()
"""RFC 6238, appendix B, of SHA-1; its codes have eight digits, of which six are ours."""


@pytest.mark.parametrize(
    ("at_s", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238(at_s, code):
    assert accepted_step(SECRET, code, at_s * 1000, 0) == at_s // 30


def test_a_clock_may_be_off_by_one_step_and_not_by_two():
    at_ms = 1234567890_000
    step = at_ms // 30_000
    assert accepted_step(SECRET, "005924", at_ms + 30_000, 0) == step
    assert accepted_step(SECRET, "005924", at_ms - 30_000, 0) == step
    assert accepted_step(SECRET, "005924", at_ms + 60_000, 0) is None
    assert accepted_step(SECRET, "005924", at_ms - 60_000, 0) is None


def test_a_code_that_was_used_and_all_before_it_are_good_no_more():
    at_ms = 1234567890_000
    step = at_ms // 30_000
    assert accepted_step(SECRET, "005924", at_ms, step) is None
    assert accepted_step(SECRET, "005924", at_ms, step - 1) == step


@pytest.mark.parametrize("code", ["", "12345", "1234567", "00592a", "００５９２４", "005 24", " 05924"])
def test_what_is_no_code_is_not_accepted(code):
    assert accepted_step(SECRET, code, 1234567890_000, 0) is None


def test_a_new_secret_is_another_each_time_and_its_uri_holds_it():
    first, second = new_secret(), new_secret()
    assert first != second
    assert len(base64.b32decode(first)) == 20
    parts = urlsplit(uri(first, "wang"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parse_qs(parts.query)["secret"] == [first]
