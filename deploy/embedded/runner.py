"""One part kept running: start, health, back-off, stop. The supervisor holds one `Runner` a part."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil

from deploy.embedded import children
from deploy.embedded.health import serves
from deploy.embedded.logs import LogLimits, RotatingLog, last_line
from deploy.embedded.parts import Part
from deploy.embedded.state import PartState, Phase

__all__ = ["Runner", "next_delay_s"]

FIRST_DELAY_S: Final = 0.5
LONGEST_DELAY_S: Final = 10.0
HEALTHY_RESET_S: Final = 30.0
"""A part that served this long starts over with the first delay."""

POLL_STARTING_S: Final = 0.2
POLL_HEALTHY_S: Final = 3.0
UNRESPONSIVE_LIMIT_S: Final = 60.0
"""A part that served and has not answered for this long hangs: it is killed and started again."""


def next_delay_s(previous_s: float, healthy_for_s: float) -> float:
    """Wait before the next start: 0.5 s, doubled each time up to 10 s, afresh after 30 s of health."""
    if previous_s == 0.0 or healthy_for_s >= HEALTHY_RESET_S:
        return FIRST_DELAY_S
    return min(2 * previous_s, LONGEST_DELAY_S)


class Runner:
    """Keeps one part running until told to stop; `state` is always the truth about it."""

    def __init__(self, part: Part, home: Path, changed: Callable[[], None], logs: LogLimits) -> None:
        self.part = part
        self.ready = asyncio.Event()  # has been healthy (or done) once: what needs it may start
        self.state = PartState(part.name, "waiting", _now_ms(), port=part.port, log=f"{part.log}.log")
        self._pids = home / "pids"
        self._log_path = home / "logs" / f"{part.log}.log"
        self._log_limits = logs
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._healthy_since_s: float | None = None

    async def run(self, needs: list[Runner]) -> None:
        """Wait for the needs, then start and restart for ever; returns when a once part is done."""
        for need in needs:
            await need.ready.wait()
        delay_s = 0.0
        while not await self._run_once():
            healthy_for_s = 0.0 if self._healthy_since_s is None else time.monotonic() - self._healthy_since_s
            delay_s = next_delay_s(delay_s, healthy_for_s)
            self._enter("backing-off", detail=self.state.detail, restarts=self.state.restarts + 1)
            await asyncio.sleep(delay_s)

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL after the part's limit; call after `run` was cancelled."""
        process = self._process
        if process is not None and process.returncode is None:
            self._enter("stopping")
            children.end_group(process.pid, signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), self.part.stop_limit_s)
            except TimeoutError:
                children.end_group(process.pid, signal.SIGKILL)
                await process.wait()
        if process is not None:
            children.end_group(process.pid, signal.SIGKILL)  # what the part itself left behind
        children.note_pid(self._pids, self.part.name, None)
        self._enter("stopped")

    def weigh(self) -> None:
        """Refresh the resident memory of the part and all it started."""
        process = self._process
        rss = _rss_bytes(process.pid) if process is not None and process.returncode is None else 0
        self.state = dataclasses.replace(self.state, rss_bytes=rss)

    async def _run_once(self) -> bool:
        """From start to end; True when this was the last time."""
        self._healthy_since_s = None
        log = RotatingLog(self._log_path, self._log_limits)
        try:
            self._process = await children.start(self.part)
        except OSError as error:
            log.write(f"taishi: cannot start {self.part.command[0]}: {error}\n".encode())
            self._enter("backing-off", detail=str(error))
            log.close()
            return False
        pid = self._process.pid
        children.note_pid(self._pids, self.part.name, pid)
        self._enter("starting", pid=pid, started_ms=_now_ms())
        pump = asyncio.create_task(_pump(self._process, log))
        watch = asyncio.create_task(self._watch())
        try:
            code = await self._process.wait()
        finally:
            watch.cancel()
        return await self._ended(code, pid, pump)

    async def _ended(self, code: int, pid: int, pump: asyncio.Task[None]) -> bool:
        children.end_group(pid, signal.SIGKILL)  # so that the pipe ends and no port stays held
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5.0):
                await pump
        children.note_pid(self._pids, self.part.name, None)
        if self.part.once and code == 0:
            self._enter("done")
            self.ready.set()
            return True
        how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        said = last_line(self._log_path) if code > 0 else ""
        self._enter("backing-off", detail=f"{how}: {said}" if said else how)
        return False

    async def _watch(self) -> None:
        """Follow the health of the running process; a hang is turned into a death."""
        if self.part.health is None:
            return
        failing_since_s: float | None = None
        while True:
            if await serves(self.part.health):
                failing_since_s = None
                if self.state.phase != "healthy":
                    self._healthy_since_s = self._healthy_since_s or time.monotonic()
                    self._enter("healthy")
                    self.ready.set()
            elif self._healthy_since_s is not None:
                failing_since_s = failing_since_s or time.monotonic()
                self._unanswered(time.monotonic() - failing_since_s)
            await asyncio.sleep(POLL_HEALTHY_S if self.state.phase == "healthy" else POLL_STARTING_S)

    def _unanswered(self, for_s: float) -> None:
        if self.state.phase != "unhealthy":
            self._enter("unhealthy", detail="does not answer")
        if for_s > UNRESPONSIVE_LIMIT_S and self._process is not None:
            children.end_group(self._process.pid, signal.SIGKILL)

    def _enter(
        self,
        phase: Phase,
        detail: str = "",
        restarts: int | None = None,
        pid: int | None = None,
        started_ms: int | None = None,
    ) -> None:
        running = phase in ("starting", "healthy", "unhealthy", "stopping")
        self.state = dataclasses.replace(
            self.state,
            phase=phase,
            since_ms=_now_ms(),
            detail=detail,
            restarts=self.state.restarts if restarts is None else restarts,
            pid=(pid or self.state.pid) if running else None,
            started_ms=started_ms or self.state.started_ms,
            rss_bytes=self.state.rss_bytes if running else 0,
        )
        self._changed()


async def _pump(process: asyncio.subprocess.Process, log: RotatingLog) -> None:
    assert process.stdout is not None  # noqa: S101 - started with a pipe
    try:
        while data := await process.stdout.read(65536):
            log.write(data)
    finally:
        log.close()


def _rss_bytes(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        return sum(p.memory_info().rss for p in (process, *process.children(recursive=True)))
    except psutil.Error:
        return 0


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
