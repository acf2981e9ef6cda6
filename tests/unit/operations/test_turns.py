"""Who writes next in a process: the urgent first, of those alike who came first, nobody beside another."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from operations.store.alerts import AlertRows
from operations.store.turns import Turns, turns_of

LIMIT_S = 10.0


def test_the_urgent_goes_first_and_of_those_alike_who_came_first() -> None:
    turns, order, waiting = Turns(), list[str](), list[threading.Thread]()

    def has_it(name: str, urgent: bool) -> None:
        with turns.turn(urgent=urgent):
            order.append(name)

    with turns.turn():
        for number, (name, urgent) in enumerate([("a", False), ("b", False), ("c", True), ("d", True)], 1):
            waiting.append(threading.Thread(target=has_it, args=(name, urgent)))
            waiting[-1].start()
            comes(lambda number=number: len(turns._waiting) == number)
        assert order == []
    for thread in waiting:
        thread.join(LIMIT_S)
    assert order == ["c", "d", "a", "b"]


def test_who_fails_in_its_turn_gives_it_on() -> None:
    turns = Turns()
    with pytest.raises(OSError, match="full"), turns.turn():
        raise OSError("full")
    with turns.turn():
        assert turns._busy


def test_all_who_have_a_database_open_take_turns_and_others_do_not_wait_for_them(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path / name}" for name in ("a.db", "a.db", "b.db")]
    one, same, other = (AlertRows(url) for url in urls)
    assert one._turns is same._turns is turns_of(urls[0])
    assert other._turns is not one._turns
    for store in (one, same, other):
        store.close()


def comes(condition: object) -> None:
    tick = threading.Event()
    for _ in range(int(LIMIT_S / 0.01)):
        if condition():  # type: ignore[operator]
            return
        tick.wait(0.01)
    raise AssertionError("it did not come")
