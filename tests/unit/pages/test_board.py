"""Frames by key: made once, told to everybody, the newest only."""

import asyncio
import threading

import msgspec
import pytest

from operations.pages.live.board import Board
from operations.pages.live.keys import checked_key
from schemas.errors import Refused
from tests.unit.pages.situations import GRIDS, PLACES


def decoded(messages):
    return [msgspec.json.decode(message) for message in messages]


def run(told):
    async def within():
        board = Board()
        board.attach(asyncio.get_running_loop())
        return await asyncio.wait_for(told(board), 10)

    return asyncio.run(within())


def test_who_comes_late_gets_what_is_there():
    async def told(board):
        board.put("district", {"n": 1})
        with board.subscribed(["district", "beat"]) as subscription:
            return await subscription.messages()

    assert decoded(run(told)) == [{"key": "district", "frame": {"n": 1}}]


def test_a_frame_from_another_thread_reaches_all_who_wait_and_nobody_else():
    async def told(board):
        with (
            board.subscribed(["a"]) as one,
            board.subscribed(["a", "b"]) as two,
            board.subscribed(["b"]) as other,
        ):
            threading.Thread(target=board.put, args=("a", 1)).start()
            both = await asyncio.gather(one.messages(), two.messages())
            waiting = asyncio.ensure_future(other.messages())
            done, _ = await asyncio.wait([waiting], timeout=0.05)
            waiting.cancel()
            return both, done

    both, done = run(told)
    assert [decoded(each) for each in both] == [[{"key": "a", "frame": 1}]] * 2
    assert not done


def test_a_slow_reader_gets_the_newest_of_each_key_and_nothing_in_between():
    async def told(board):
        with board.subscribed(["a", "b"]) as subscription:
            for number in range(100):
                board.put("a", number)
            board.put("b", "once")
            await asyncio.sleep(0)
            return await subscription.messages()

    assert decoded(run(told)) == [{"key": "a", "frame": 99}, {"key": "b", "frame": "once"}]


def test_the_same_frame_twice_is_told_once():
    board = Board()
    assert board.put("a", {"n": 1}) is True
    assert board.put("a", {"n": 1}) is False


def test_the_reader_is_woken_for_a_key_nobody_waited_for_and_forgets_those_nobody_waits_for():
    woken = []
    board = Board(lambda: woken.append(board.watched))
    with board.subscribed(["a"]):
        with board.subscribed(["a"]):
            board.put("a", 1)
        board.forget()
        assert board.frame("a") == b"1"
    assert woken == [frozenset({"a"})]
    board.forget()
    assert (board.frame("a"), board.watched) == (None, frozenset())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("weather", r"key: received 'weather', allowed: beat, district, domain"),
        ("district/x", r"allowed: district"),
        ("map/house/parking.occupancy", r"allowed: map/grid/<metric>"),
        ("map/grid/weather", r"metric: received 'weather'"),
        ("place/370203", r"allowed: place/<code of a place of this district>"),
        ("trend/", r"key: received 'trend/'"),
        ("domain/weather", r"allowed: domain/parking"),
    ],
)
def test_a_key_that_is_none_is_refused_with_what_is_allowed(text, told):
    with pytest.raises(Refused, match=told):
        checked_key(text, PLACES)


def test_keys_are_taken_apart():
    assert checked_key("map/street/alerts", PLACES).metric == "alerts"
    assert checked_key(f"trend/{GRIDS[0]}", PLACES).code == GRIDS[0]
    assert checked_key("domain/care", PLACES).domain == "care"
