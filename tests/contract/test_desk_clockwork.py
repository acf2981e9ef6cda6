"""What cases need done by themselves is done once, by however many desks, and after a death by the next."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace as changed

import pytest
from msgspec.structs import replace

from operations.cases.clocks import DAY_MS
from operations.cases.config import shipped_config
from operations.cases.decide import SYSTEM
from operations.desk.clockwork import Clockwork
from operations.store.casebook import CaseBook
from operations.store.cases import CaseSelection
from schemas.alerts import Alert, alert_id
from tests.contract.desk_client import GRID, NOW, Clock

_SHIPPED = shipped_config()
_FIRE = replace(_SHIPPED.categories["fire"], auto=True)
CONFIG = changed(_SHIPPED, categories=_SHIPPED.categories | {"fire": _FIRE})


def alert(number: int, rule: str = "signal.smoke") -> Alert:
    """One an incident: each in a grid of its own."""
    place = f"{GRID[:12]}{number:03}"
    return Alert(
        id=alert_id(rule, place, NOW), rule=rule, severity="high", domain="security", level="grid",
        place=place, onset_ms=NOW, active=True, title="烟雾 smoke", revision=1,
    )  # fmt: skip


@pytest.fixture
def books(desk_url: str) -> Iterator[list[CaseBook]]:
    """Two desks on one database."""
    made = [CaseBook(desk_url, CONFIG) for _ in range(2)]
    yield made
    for book in made:
        book.close()


def verbs(book: CaseBook) -> list[tuple[str, str]]:
    return [(entry.case_id, entry.verb) for _, entry in book.flow_since(0)]


def test_two_desks_open_one_case_an_incident_and_warn_and_tell_once(books: list[CaseBook]) -> None:
    clock, heard = Clock(), []
    desks = [Clockwork(book, clock, lambda: heard.append(1)) for book in books]
    books[0].know([alert(n) for n in range(20)] + [alert(21, "parking-full")], clock())

    def look(desk: Clockwork) -> int:
        return desk.look()

    with ThreadPoolExecutor(2) as looking:
        assert sum(looking.map(look, desks)) == 20
        assert len(books[0].lines(CaseSelection())) == 20
        clock.now_ms += DAY_MS
        list(looking.map(look, desks))
    done = verbs(books[0])
    assert len(done) == len(set(done))
    assert sorted({verb for _, verb in done}) == ["open", "overdue"]
    assert sum(desk.look() for desk in desks) == 0


def test_an_alert_whose_commit_came_late_has_its_case_at_the_next_look(books: list[CaseBook]) -> None:
    clock = Clock()
    desk = Clockwork(books[0], clock, list)
    desk.look()
    books[1].know([alert(1)], clock() - 600_000)  # begun long before the last look, there only now
    assert desk.look() == 1


def test_what_a_desk_that_died_left_the_next_one_does(
    books: list[CaseBook], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    books[0].know([alert(1)], clock())
    with monkeypatch.context() as dying:
        dying.setattr(books[0], "_write_all", lambda *_: pytest.fail("dies here"))
        with pytest.raises(pytest.fail.Exception):
            Clockwork(books[0], clock, list).look()
    assert verbs(books[1]) == []
    assert Clockwork(books[1], clock, list).look() == 1


def test_it_runs_until_told_to_stop_and_says_when_something_changed(books: list[CaseBook]) -> None:
    stopping = threading.Event()
    books[0].know([alert(1)], NOW)
    running = threading.Thread(target=Clockwork(books[1], Clock(), stopping.set).run, args=(stopping,))
    running.start()
    running.join(30)
    assert not running.is_alive()
    assert [entry.by for _, entry in books[0].flow_since(0)] == [SYSTEM.name]
