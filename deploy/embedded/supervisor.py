"""The process that owns the stack's processes: `python -m deploy.embedded.supervisor HOME`.

It reads the plan, starts the parts in order, restarts what dies, says what is true in the state file
and in Prometheus metrics, and on SIGTERM stops everything in reverse order.
What happens when it dies itself: the kernel kills the parts (Linux), its lock is released, and the next
`up` ends whatever still lives before it starts anew. Nothing of value lives in this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

from prometheus_client import Gauge, start_http_server

from deploy.embedded import children
from deploy.embedded.parts import Plan, read_plan
from deploy.embedded.runner import Runner
from deploy.embedded.state import LOCK, StackState, write_state

__all__ = ["Supervisor", "main"]

WEIGH_EVERY_S: Final = 2.0

_UP: Final = Gauge("taishi_part_up", "1 when the part serves", ["part"])
_RESTARTS: Final = Gauge("taishi_part_restarts", "Restarts since the stack came up", ["part"])
_RSS: Final = Gauge("taishi_part_rss_bytes", "Resident memory of the part and all it started", ["part"])


class Supervisor:
    """Runs a plan until `stop` is set."""

    def __init__(self, plan: Plan, home: Path) -> None:
        self._home = home
        self._runners = {part.name: Runner(part, home, self.publish, plan.logs) for part in plan.parts}
        self.stop = asyncio.Event()

    async def run(self) -> None:
        """Start in order, keep running, stop in reverse order when asked."""
        tasks = [
            asyncio.create_task(runner.run([self._runners[need] for need in runner.part.needs]))
            for runner in self._runners.values()
        ]
        weighing = asyncio.create_task(self._weigh())
        for task in tasks:
            task.add_done_callback(self._stop_on_error)
        await self.stop.wait()
        for task in (weighing, *tasks):
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for runner in reversed(self._runners.values()):
            await runner.stop()
        for result in results:
            if isinstance(result, Exception):
                raise result

    def publish(self) -> None:
        """Write the state file and the metrics; called at every change."""
        states = tuple(runner.state for runner in self._runners.values())
        for state in states:
            _UP.labels(state.name).set(state.well)
            _RESTARTS.labels(state.name).set(state.restarts)
            _RSS.labels(state.name).set(state.rss_bytes)
        write_state(self._home, StackState(os.getpid(), time.time_ns() // 1_000_000, states))

    def _stop_on_error(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self.stop.set()  # a fault of the supervisor itself: stop everything and say so, at once

    async def _weigh(self) -> None:
        while True:
            for runner in self._runners.values():
                runner.weigh()
            self.publish()
            await asyncio.sleep(WEIGH_EVERY_S)


async def _supervise(plan: Plan, home: Path) -> None:
    supervisor = Supervisor(plan, home)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop.set)
    await supervisor.run()


def _acquired(lock: int) -> bool:
    """Take the lock; a moment's patience, because `is_running` asks by taking it shortly."""
    deadline_s = time.monotonic() + 1.0
    while time.monotonic() < deadline_s:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.02)
    return False


def main(home: Path) -> int:
    """Hold the lock, run the plan of `home`; 0 after an orderly stop, 3 when another one runs."""
    pids = home / "pids"
    pids.mkdir(parents=True, exist_ok=True)
    lock = os.open(pids / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    if not _acquired(lock):
        print(f"another supervisor holds {pids / LOCK}", file=sys.stderr)  # noqa: T201
        return 3
    children.end_leftovers(pids)
    plan = read_plan(home)
    start_http_server(plan.metrics_port, "127.0.0.1")
    asyncio.run(_supervise(plan, home))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
