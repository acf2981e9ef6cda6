"""Lanes: few at work for one person, in their order, whatever one of them raises."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from operations.oncall.lanes import Lanes


def test_of_one_person_no_more_than_allowed_are_under_way_and_others_pass_them():
    lanes, released, under_way, most = Lanes(2), threading.Event(), [], []
    lock = threading.Lock()

    def slow():
        with lock:
            under_way.append(1)
            most.append(len(under_way))
        released.wait(10)
        with lock:
            under_way.pop()

    with ThreadPoolExecutor(4) as senders:
        slows = [lanes.submit(senders, "王芳", slow) for _ in range(9)]
        lanes.submit(senders, "李强", lambda: None).result(10)
        assert not any(each.done() for each in slows)
        released.set()
        for each in slows:
            each.result(10)
    assert max(most) == 2


def test_what_waits_is_done_in_its_order_and_a_failure_is_its_own():
    lanes, done = Lanes(1), []

    def broken():
        raise ZeroDivisionError

    with ThreadPoolExecutor(4) as senders:
        first, wrong, last = (
            lanes.submit(senders, "王芳", work)
            for work in (lambda: done.append(1), broken, lambda: done.append(2))
        )
        last.result(10)
        first.result(10)
        with pytest.raises(ZeroDivisionError):
            wrong.result(10)
        lanes.submit(senders, "王芳", lambda: done.append(3)).result(10)
    assert done == [1, 2, 3]
