"""Child processes that cannot outlive the supervisor, in groups that can be ended whole."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil

from deploy.embedded.parts import Part

__all__ = ["die_with_parent", "end_group", "end_leftovers", "note_pid", "start"]

_PR_SET_PDEATHSIG: Final = 1


async def start(part: Part) -> asyncio.subprocess.Process:
    """Start the part in a process group of its own, its output (both streams) on one pipe.

    On Linux the kernel kills it when the supervisor dies, however that happens; elsewhere the next
    `up` ends what a killed supervisor left (`end_leftovers`).
    """
    return await asyncio.create_subprocess_exec(
        *part.command,
        env=dict(os.environ) | part.environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=die_with_parent(),  # one small call to the kernel, safe after a fork
    )


def end_group(pid: int, signal_number: int) -> None:
    """Signal the part and all it started; nothing happens when they are gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal_number)


def note_pid(folder: Path, name: str, pid: int | None) -> None:
    """Keep `folder/name.pid` (pid and start time) while the process lives; None removes it."""
    path = folder / f"{name}.pid"
    if pid is None:
        path.unlink(missing_ok=True)
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        path.write_text(f"{pid} {psutil.Process(pid).create_time()}")


def end_leftovers(folder: Path) -> list[str]:
    """Kill parts of an earlier supervisor that still live; returns their names.

    A pid that belongs to a younger process by now is left alone.
    """
    ended = []
    for path in sorted(folder.glob("*.pid")):
        pid_text, _, started_text = path.read_text().partition(" ")
        with contextlib.suppress(psutil.Error, ValueError):
            process = psutil.Process(int(pid_text))
            if abs(process.create_time() - float(started_text)) < 1.0:
                end_group(process.pid, signal.SIGKILL)
                process.wait(10)
                ended.append(path.stem)
        path.unlink(missing_ok=True)
    return ended


def die_with_parent() -> Callable[[], None] | None:
    """To call in the child before its program starts: the kernel kills it with us. None where none can."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)

    return ask_kernel
