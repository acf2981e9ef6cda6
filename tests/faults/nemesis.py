"""The nemesis: what is done to which part when, scripted from a seed; each act is in the ledger."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import httpx
import psutil
import pytest

from deploy.embedded import stack as embedded
from taishi.stack_settings import stack_settings
from tests.faults.oracle import Oracle
from tests.faults.small_disk import ballast
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.conftest import Stack

Kind = Literal["kill", "restart", "pause", "down", "away", "full"]
RECOVERY_MAX_S: Final = 60.0
SUPERVISOR = "supervisor"
"""Not a part: with it all parts die, and whoever runs it (here we do) starts all of them again."""
STACK_RECOVERY_MAX_S: Final = 180.0
LONG_KILLS: Final = 30
"""So many and more are the long form."""
LONG: Final = int(os.environ.get("TAISHI_FAULT_KILLS", "5")) >= LONG_KILLS
LONG_ONLY: Final = pytest.mark.skipif(not LONG, reason="long: make test-faults-long")


@dataclass(frozen=True, slots=True)
class Act:
    """One act, `after_s` the one before was over.

    kill: SIGKILL. restart: SIGTERM, as an operator would. pause: SIGSTOP for `for_s`, then SIGCONT.
    down: SIGSTOP for `for_s`, so that it hangs, then SIGKILL. away: SIGKILL again and again for `for_s`.
    full: no byte is free on the part's disk for `for_s`; then there is room, and it is restarted.
    The supervisor starts what ended again. `after_checkpoint`: only when the worker has written one since it
    started; killed sooner it has nothing that could be lost.
    """

    kind: Kind
    part: str
    after_s: float
    for_s: float = 0.0
    after_checkpoint: bool = False


def script(seed: int, kills: int, victims: Sequence[str], others: Sequence[Act] = ()) -> list[Act]:
    """`kills` kills, every part once before one comes twice; the others, in turn, after every third."""
    rng, acts, left = random.Random(seed), list[Act](), list[str]()
    for number in range(kills):
        left = left or rng.sample(victims, len(victims))
        acts.append(Act("kill", left.pop(), rng.uniform(2, 6)))  # readings must be under way when it strikes
        if others and number % 3 == 2:
            acts.append(others[number // 3 % len(others)])
    return acts


def pairs(seed: int, victims: Sequence[str], count: int | None = None) -> list[Act]:
    """Double kills: A, and 0 to 2 s after it came up B; all ordered pairs, or `count` of them, shuffled."""
    rng = random.Random(seed)
    chosen = [(a, b) for a in victims for b in victims if a != b]
    rng.shuffle(chosen)
    acts = [(Act("kill", a, rng.uniform(2, 6)), Act("kill", b, rng.uniform(0, 2))) for a, b in chosen[:count]]
    return [act for pair in acts for act in pair]


def limit_s(act: Act) -> float:
    """How long the recovery may take."""
    return STACK_RECOVERY_MAX_S if act.part == SUPERVISOR else RECOVERY_MAX_S


def perform(city: Stack, act: Act, oracle: Oracle) -> float:
    """Do it, wait until the part serves again, write it down; returns how long that took, in seconds.

    What takes longer than `limit_s` is for the report to say: the run goes on.
    """
    if act.after_checkpoint:
        wait_until(lambda: _has_checkpointed(city, act.part), RECOVERY_MAX_S)
    threading.Event().wait(act.after_s)
    began_ms = _now_ms()
    if act.part == SUPERVISOR:
        _kill_supervisor(city)
    elif act.kind == "away":
        _keep_away(city, act)
    elif act.kind == "full":
        _keep_full(city, act)
    else:
        _strike(city, act)
    if act.part != SUPERVISOR:
        city.wait_healthy(act.part, STACK_RECOVERY_MAX_S)
    oracle.write("acts", [(act.kind, act.part, began_ms, _now_ms())])
    return (_now_ms() - began_ms) / 1000 - act.for_s


def _has_checkpointed(city: Stack, worker: str) -> bool:
    port = stack_settings(city.settings).metrics_of(worker)
    try:
        said = httpx.get(f"http://{city.settings.metrics_host}:{port}/metrics", timeout=2.0).text
    except httpx.HTTPError:
        return False
    return "taishi_checkpoint_bytes{" in said


def _strike(city: Stack, act: Act) -> None:
    pid = city.part(act.part).pid
    assert pid is not None, f"{act.part} does not run: {city.part(act.part)}"
    if act.kind in {"pause", "down"}:
        os.kill(pid, signal.SIGSTOP)
        threading.Event().wait(act.for_s)
    if act.kind == "pause":
        if psutil.pid_exists(pid):  # the supervisor ends by itself what does not answer for long
            os.kill(pid, signal.SIGCONT)
    elif city.part(act.part).pid == pid:
        city.kill(act.part, signal.SIGTERM if act.kind == "restart" else signal.SIGKILL)


def _keep_away(city: Stack, act: Act) -> None:
    """Whenever the supervisor has started it again, it is killed again, before it can serve."""
    until_s, pause = time.monotonic() + act.for_s, threading.Event()
    while time.monotonic() < until_s:
        if city.part(act.part).pid is not None:
            with suppress(ProcessLookupError):  # it died by itself
                city.kill(act.part)
        pause.wait(0.2)


def _keep_full(city: Stack, act: Act) -> None:
    """What the part gives back, by deleting or by dying, is taken again."""
    until_s, pause = time.monotonic() + act.for_s, threading.Event()
    with ballast(stack_settings(city.settings).data / act.part) as fill:
        while time.monotonic() < until_s:
            fill()
            pause.wait(0.2)
    if city.part(act.part).pid is not None:
        with suppress(ProcessLookupError):  # it died by itself
            city.kill(act.part, signal.SIGTERM)


def _kill_supervisor(city: Stack) -> None:
    supervisor, wanted = psutil.Process(city.state.pid), stack_settings(city.settings)
    supervisor.kill()
    supervisor.wait(10)
    assert embedded.up(wanted, demo=False, outlive=False), "a supervisor that was killed seems to run"
    embedded.wait_well(wanted, STACK_RECOVERY_MAX_S)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
