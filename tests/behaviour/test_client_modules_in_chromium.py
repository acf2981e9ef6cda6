"""What the desk's client decides by itself, without a page: merging, order, the queue, words, times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page

from operations.desk.client import client_router
from tests.behaviour.chromium import browser, needs_chromium
from tests.contract.desk_client import listening

pytestmark = [needs_chromium]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    app = FastAPI()
    app.include_router(client_router())
    with listening(app) as base, browser() as started:
        opened = started.new_page(base_url=base)
        opened.goto("/assets/theme.css")
        yield opened


def asked(page: Page, module: str, call: str, given: Any = None) -> Any:
    """What a module's function says: `call` is an expression over `m` and `given`."""
    return page.evaluate(
        f"async given => {{ const m = await import('/assets/{module}'); return {call}; }}", given
    )


def alert(name: str, *, active: bool = True, severity: str = "high", onset_ms: int = 0) -> dict[str, Any]:
    return {
        "id": name,
        "severity": severity,
        "onset_ms": onset_ms,
        "state": {"active": active, "latched": False},
    }


def test_what_changes_replaces_what_was_and_what_is_over_leaves(page):
    known = [alert("a"), alert("b")]
    changed = [alert("a", active=False), alert("b", severity="low"), alert("c")]
    call = (
        "[...m.merged(new Map(given[0].map(e => [e.id, e])), given[1]).values()].map(e => e.id + e.severity)"
    )
    assert asked(page, "lib/feed.js", call, [known, changed]) == ["blow", "chigh"]


def test_a_page_that_asked_again_is_told_that_its_first_answer_is_overtaken(page):
    call = (
        "(() => { const [page, other] = [{}, {}]; const first = m.asking(page); const before = first();"
        " const second = m.asking(page); m.asking(other); return [before, first(), second()]; })()"
    )
    assert asked(page, "lib/latest.js", call) == [True, False, True]


def test_the_most_urgent_come_first_and_of_those_the_newest(page):
    given = [
        alert("old", severity="high", onset_ms=1), alert("new", severity="high", onset_ms=2),
        alert("low", severity="low", onset_ms=9), alert("life", severity="life_safety"),
    ]  # fmt: skip
    assert asked(page, "lib/feed.js", "m.ordered(given).map(e => e.id)", given) == [
        "life",
        "new",
        "old",
        "low",
    ]


def test_a_shelving_that_has_run_out_hides_no_longer(page):
    state = {"shelved": {"until_ms": 100}, "suppressed": [], "out_of_service": []}
    call = "[99, 100].map(now => m.isHidden(given, now))"
    assert asked(page, "lib/feed.js", call, {"state": state}) == [True, False]


def test_a_page_is_stale_after_eight_seconds_of_silence(page):
    assert asked(page, "lib/feed.js", "[8000, 8001].map(now => m.isStale(now, 0))") == [False, True]


def test_the_queue_keeps_what_may_still_be_taken_and_drops_what_is_refused_for_good(page):
    call = """await (async () => {
        const { Refusal, Unreachable } = await import('/assets/lib/api.js');
        const refused = [401, 403, 404, 408, 409, 422, 429, 500, 503].map(code => new Refusal(code, ''));
        return [null, ...refused, new Unreachable('')].map(m.outcome);
    })()"""
    assert asked(page, "lib/queue.js", call) == [
        "done", "wait", "refused", "refused", "wait", "refused", "refused", "wait", "wait", "wait", "wait",
    ]  # fmt: skip


def test_the_queue_sends_ones_own_in_the_order_in_which_it_was_said(page):
    items = [
        {"id": "2", "saidMs": 2, "who": "wang", "state": "waiting"},
        {"id": "other", "saidMs": 0, "who": "li", "state": "waiting"},
        {"id": "1", "saidMs": 1, "who": "wang", "state": "waiting"},
        {"id": "no", "saidMs": 0, "who": "wang", "state": "refused"},
    ]
    assert asked(page, "lib/queue.js", "m.inOrder(given, 'wang').map(e => e.id)", items) == ["1", "2"]


def test_what_is_written_is_kept_until_it_is_dropped(page):
    call = """await (async () => {
        await m.outbox.put({ id: 'x', n: 1 });
        const kept = (await m.outbox.all()).length;
        await m.outbox.drop('x');
        return [kept, (await m.outbox.all()).length];
    })()"""
    assert asked(page, "lib/keeping.js", call) == [1, 0]


def test_texts_of_both_languages_are_told_in_one(page):
    texts = ["烟雾报警 smoke", "烟雾", "smoke", "温度 41 °C。 It is 41 °C."]
    call = "['zh', 'en'].map(each => given.map(text => m.spoken(text, each)))"
    assert asked(page, "lib/words.js", call, texts) == [
        ["烟雾报警", "烟雾", "smoke", "温度 41 °C。"],
        ["smoke", "烟雾", "smoke", "It is 41 °C."],
    ]


def test_times_are_the_districts_and_count_down_past_the_end(page):
    assert asked(page, "lib/time.js", "m.at(Date.UTC(2026, 10, 27, 16, 5), { day: true })") == "11-28 00:05"
    assert asked(page, "lib/time.js", "[3723000, -61000].map(m.left)") == ["1:02:03", "−0:01:01"]


def test_addresses_are_read_with_what_may_be_left_out(page):
    pages = [{"path": "/alerts/:id?", "name": "alerts"}, {"path": "/hidden", "name": "hidden"}]
    paths = "['/alerts', '/alerts/a%20b', '/hidden', '/x']"
    call = f"{paths}.map(path => m.match(given, path)).map(e => e && [e.page.name, e.params.id])"
    assert asked(page, "lib/router.js", call, pages) == [
        ["alerts", ""], ["alerts", "a b"], ["hidden", None], None,
    ]  # fmt: skip


def test_what_a_dialog_gave_is_what_the_api_takes(page):
    given = {"why": "x", "until": "2026-12-01", "satisfied": "no", "photo": {"what": "照片 photo"}}
    assert asked(page, "lib/casework.js", "m.bodyOf(given)", given) == {
        "why": "x",
        "evidence": [{"what": "照片 photo"}],
        "until_ms": 1_796_119_200_000,
        "satisfied": False,
    }
