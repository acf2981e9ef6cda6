"""What people did is in the log, in order, whatever dies between which lines. Both databases.

The log is a list here; the real one, through the same `Publisher`, is in `tests/behaviour/test_desk_process`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import pytest

from operations.alerts.actions import Action, Target
from operations.cases.config import shipped_config
from operations.cases.decide import SYSTEM
from operations.cases.model import Actor, Command
from operations.desk.acts import ActRecord, Publisher
from operations.desk.store import DeskStore
from operations.store.casebook import CaseBook
from schemas.acts import Act
from schemas.alerts import Alert
from tests.contract.desk_client import GRID, NOW

STREET = Actor(name="街道甲", roles=("street",), places=("370202001",), terminal="phone")
ALERT = Alert(
    id="a" * 32, rule="signal.smoke", severity="high", domain="security", level="grid", place=GRID,
    onset_ms=NOW, active=True, title="烟雾 smoke", revision=1,
)  # fmt: skip


class DiedError(Exception):
    """The process is gone."""


class Log:
    """Takes records until it is to die: after `takes` of them, or on the way back."""

    def __init__(self, takes: int | None = None) -> None:
        self.records: list[ActRecord] = []
        self.takes = takes

    def __call__(self, records: Sequence[ActRecord]) -> None:
        for record in records:
            if self.takes is not None and len(self.records) >= self.takes:
                raise DiedError
            self.records.append(record)

    @property
    def acts(self) -> list[Act]:
        return [msgspec.json.decode(each.value, type=Act) for each in self.records]


@pytest.fixture
def stores(desk_url: str) -> Iterator[tuple[DeskStore, CaseBook]]:
    """An alert acknowledged and commented, its case opened and commented; a rule suppressed."""
    store, cases = DeskStore(desk_url), CaseBook(desk_url, shipped_config())
    store.know([ALERT], NOW)
    rule = Target(rule="rule.x", place="370202")
    for number, (kind, target) in enumerate(
        (("acknowledge", Target.of(ALERT)), ("comment", Target.of(ALERT)), ("suppress", rule))
    ):
        done = Action(id=f"a-{number}", kind=kind, target=target, by="王芳", at_ms=NOW, why="看")
        store.act(done, NOW)
    case = cases.open_for_alert(ALERT.id, SYSTEM, NOW).case
    cases.do(case.id, Command(verb="comment", actor=STREET, why="门口有烟"), NOW)
    yield store, cases
    store.close()
    cases.close()


EXPECTED = ["acknowledge", "comment", "suppress", "open", "comment"]


def test_what_was_done_is_published_once_and_says_who_what_and_why(stores) -> None:
    log = Log()
    publisher = Publisher(*stores, log)
    assert publisher.publish() == 5
    assert publisher.publish() == 0
    assert [act.verb for act in log.acts] == EXPECTED
    acknowledged, _, suppressed, opened, commented = log.acts
    assert (acknowledged.id, acknowledged.alert, acknowledged.by) == ("alert/a-0", ALERT.id, "王芳")
    assert (suppressed.alert, log.records[2].key) == ("", b"rule.x/370202/")
    assert (opened.of, opened.alert, opened.by) == ("case", ALERT.id, "system")
    assert commented.id == f"case/{commented.case}/2"
    assert (commented.role, commented.terminal, commented.place) == ("street", "phone", GRID)
    assert log.records[3].key == log.records[4].key == commented.case.encode()


@pytest.mark.parametrize("takes", range(6))
def test_wherever_it_dies_while_sending_the_next_one_sends_the_rest_and_nothing_is_out_of_order(
    stores, takes: int
) -> None:
    dying = Log(takes)
    try:
        Publisher(*stores, dying).publish()
    except DiedError:
        assert takes < 5
    log = Log()
    Publisher(*stores, log).publish()
    sent = [*dying.acts, *log.acts]
    first = list(dict.fromkeys(act.id for act in sent))
    assert len(first) == 5
    for of in ("alert", "case"):
        numbers = [act.number for act in sent if act.of == of]
        assert list(dict.fromkeys(numbers)) == sorted(set(numbers))
    again = {act.id: act for act in log.acts}
    assert all(act == again.get(act.id, act) for act in dying.acts)


def test_what_dies_before_the_position_is_written_is_sent_again_as_it_was(
    stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, cases = stores
    log = Log()
    with monkeypatch.context() as dying:
        dying.setattr(store, "go_on", lambda *_: pytest.fail("dies here"))
        with pytest.raises(pytest.fail.Exception):
            Publisher(store, cases, log).publish()
    Publisher(store, cases, log).publish()
    assert [act.verb for act in log.acts] == [*EXPECTED[:3], *EXPECTED]
    assert log.records[:3] == log.records[3:6]


def test_a_slower_desk_takes_nothing_back(stores, desk_url: str) -> None:
    store, _ = stores
    store.go_on("acts/alerts", 3)
    store.go_on("acts/alerts", 1)
    assert store.next_offset("acts/alerts") == 3
