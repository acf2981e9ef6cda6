"""What each of our HTTP servers starts with, in a process of its own that is told to end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import httpx
import pytest

from taishi.serving import ended, listener, running

SERVING = """
from taishi.serving import listener
from taishi.web import answer

async def app(scope, receive, send):
    assert scope["type"] == "http", scope["type"]
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})

listening = listener("127.0.0.1", 0, "desk")
print(listening.getsockname()[1], flush=True)
answer(app, listening, 1)
print("the last was done", flush=True)
"""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", SERVING], stdout=subprocess.PIPE, text=True) as made:
        yield made
        made.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_is_told_to_end_does_what_it_does_last(
    process: subprocess.Popen[str], number: signal.Signals
) -> None:
    assert process.stdout is not None
    url = f"http://127.0.0.1:{int(process.stdout.readline())}/"
    answered = httpx.get(url, timeout=20)
    assert (answered.status_code, answered.headers.get("server")) == (204, None)
    process.send_signal(number)
    assert process.stdout.read() == "the last was done\n"
    assert process.wait(20) == 0


def test_answers_are_not_held_back_for_an_acknowledgement() -> None:
    """What is accepted has it from the listener."""
    with (
        listener("127.0.0.1", 0, "desk") as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_loops_are_waited_for_together_and_one_that_does_not_end_holds_nobody() -> None:
    stopping, released, order = threading.Event(), threading.Event(), list[str]()

    def deaf(_stopping: threading.Event) -> None:
        released.wait(20)

    def orderly(told: threading.Event) -> None:
        told.wait(20)
        order.append("last")

    stuck = [running("deaf", deaf, stopping) for _ in range(3)]
    ended([running("orderly", orderly, stopping), *stuck], stopping, 0.2)
    assert order == ["last"]
    assert [thread.is_alive() for thread in stuck] == [True] * 3
    released.set()
    for thread in stuck:
        thread.join(20)
