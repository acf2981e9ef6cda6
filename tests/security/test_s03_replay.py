"""S3: what was sent before or changed by a bit leaves nothing new and is told; honest repeats are let be."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from starlette.applications import Starlette

from connectors.http.guard import Guard, RateLimit
from connectors.http.trust import Trust
from tests.contract.test_http_trust import (
    CAMERA,
    GATEWAY,
    GOOD,
    NOW_S,
    Clock,
    Log,
    ask,
    made,
    refused,
    signed,
)
from tests.contract.test_http_trust import clock as clock  # noqa: PLC0414 - its fixture

Sized = Callable[[int], int]


def bodies(count: int) -> list[bytes]:
    return [GOOD.replace(b"1795392000000", f"{1795392000000 - number}".encode()) for number in range(count)]


def open_to_many() -> tuple[Starlette, str, Log]:
    """The closed door of the contract, whose rates let a run through."""
    log = Log()
    app, source = made(log, Guard(Trust([CAMERA, GATEWAY]), RateLimit(1e6, 10**6)))
    return app, source, log


@pytest.mark.parametrize(("after_s", "status"), [(1, 202), (600, 401), (86_400, 401)])
def test_a_recorded_request_sent_again_leaves_nothing_more_and_is_flagged_when_old(
    clock: Clock, sized: Sized, after_s: int, status: int
) -> None:
    """Within the window it cannot be told from an honest repeat, and does as little."""
    app, source, log = open_to_many()
    requests = [("/readings", signed(body), body) for body in bodies(sized(1000))]
    assert {answer.status_code for answer in ask(app, *requests)} == {202}
    kept, flagged = len(log.records), refused(source, "stale")
    clock.now_s += after_s
    answers = ask(app, *requests)
    assert {answer.status_code for answer in answers} == {status}
    assert len(log.records) == kept
    assert refused(source, "stale") - flagged == (len(requests) if status == 401 else 0)


def test_one_flipped_bit_anywhere_is_refused_and_flagged(clock: Clock, sized: Sized) -> None:
    app, source, log = open_to_many()
    chance, before = random.Random(3), refused(source, "unauthorised")
    requests = []
    for body in bodies(sized(1000)):
        headers, changed = signed(body), bytearray(body)
        if chance.random() < 0.5:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        else:
            digits = headers["X-Taishi-Signature"]
            at = chance.randrange(len(digits))
            other = f"{int(digits[at], 16) ^ 1:x}"
            headers["X-Taishi-Signature"] = digits[:at] + other + digits[at + 1 :]
        requests.append(("/readings", headers, bytes(changed)))
    assert {answer.status_code for answer in ask(app, *requests)} == {401}
    assert log.records == []
    assert refused(source, "unauthorised") - before == len(requests)


def test_an_older_timestamp_under_a_newer_signature_is_refused(clock: Clock, sized: Sized) -> None:
    app, _, log = open_to_many()
    forged = [
        ("/readings", signed(body, at_s=NOW_S - 86_400) | {"X-Taishi-Timestamp": str(NOW_S)}, body)
        for body in bodies(sized(1000))
    ]
    assert {answer.status_code for answer in ask(app, *forged)} == {401}
    assert log.records == []


def test_who_repeats_honestly_until_the_answer_comes_is_never_accused(clock: Clock, sized: Sized) -> None:
    app, source, log = open_to_many()
    flagged = refused(source, "stale") + refused(source, "unauthorised")
    for body in bodies(sized(1000)):
        headers = signed(body, at_s=int(clock.now_s))
        assert [a.status_code for a in ask(app, *[("/readings", headers, body)] * 2)] == [202, 202]
        clock.now_s += 1
    assert len(log.records) == sized(1000)
    assert refused(source, "stale") + refused(source, "unauthorised") == flagged
