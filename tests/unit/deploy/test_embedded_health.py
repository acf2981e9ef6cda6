"""A question about health ends when it is cancelled, also when the answer comes at that very moment."""

import asyncio

import pytest

from deploy.embedded import health
from deploy.embedded.parts import Health

TICKS = range(8)


@pytest.mark.parametrize("ticks", TICKS)
@pytest.mark.parametrize("how", ["answers", "hangs up"])
def test_who_asks_is_cancelled_also_as_the_answer_comes(monkeypatch, ticks, how):
    """A part that dies ends the question and the watch over it at once: a watch that went on would take the
    next process for the hanging one."""

    async def race():
        answer = asyncio.get_running_loop().create_future()
        monkeypatch.setattr(health, "answers", lambda _health: _wait(answer))
        asking = asyncio.create_task(health.serves(Health("http", "127.0.0.1", 1)))
        for _ in range(3):
            await asyncio.sleep(0)
        if how == "answers":
            answer.set_result(True)
        else:
            answer.set_exception(ConnectionResetError())
        for _ in range(ticks):
            await asyncio.sleep(0)
        was_asking = asking.cancel()
        await asyncio.wait([asking])
        return was_asking, asking.cancelled()

    was_asking, cancelled = asyncio.run(race())
    assert cancelled is was_asking


async def _wait(answer):
    return await answer
