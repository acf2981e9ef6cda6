"""Log and store stopped for a moment (SIGSTOP), so that what is copied is of one moment.

It is what a `kill -9` of both at that moment would leave, and from that they recover (PROMISES.md). Those who
write wait meanwhile; the moment is far below what the supervisor, or a session, gives them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["frozen"]


@contextmanager
def frozen(pids: Sequence[int]) -> Iterator[None]:
    """These processes stand still within; they go on whatever happens there."""
    stopped: list[int] = []
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
            stopped.append(pid)
            _wait_until_stopped(pid)
        yield
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):  # killed meanwhile: the others must go on
                os.kill(pid, signal.SIGCONT)


def _wait_until_stopped(pid: int) -> None:
    """The signal is delivered to each thread in its time; `T` is said once all stand."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        while _state(thread) not in {"T", "t", "Z", ""}:
            os.sched_yield()


def _state(thread: Path) -> str:
    """The letter after the name in brackets; nothing of a thread that has ended."""
    try:
        return (thread / "stat").read_text().rpartition(") ")[2][:1]
    except (FileNotFoundError, ProcessLookupError):
        return ""
