"""One run: known messages go in, the nemesis acts, all ends are compared with the ledger, and it is told."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deploy.embedded import stack as embedded
from taishi.promises.record import stamp_of
from taishi.stack_settings import stack_settings
from tests.faults import ends
from tests.faults.judge import Ends, Obligation, Verdict, bound, judge
from tests.faults.load import Load, Sender, obligations
from tests.faults.nemesis import STACK_RECOVERY_MAX_S, Act, limit_s, perform
from tests.faults.oracle import Oracle

if TYPE_CHECKING:
    from tests.conftest import Stack

ROOT = Path(__file__).resolve().parents[2]
MINUTES = float(os.environ.get("TAISHI_FAULT_MINUTES", "inf"))
"""After so long no further act begins, and the run is judged by what was done."""


@dataclass(frozen=True)
class Run:
    """What was done and what came of it; `left` messages were never acknowledged."""

    acts: Sequence[Act]
    recoveries_s: Sequence[float]
    issued: Sequence[Obligation]
    left: int
    found: Ends
    verdict: Verdict

    def report(self, rerun: str) -> None:
        """Words, bound, recoveries, seed and machine, on standard error."""
        kinds = Counter(f"{act.kind} {act.part}" for act in self.acts)
        alarms = sum(each.alarm for each in self.issued)
        p50_s, p95_s, max_s = (float(np.quantile(self.recoveries_s, q)) for q in (0.5, 0.95, 1))
        slow = [
            f"{act.kind} {act.part} {took_s:.0f} s"
            for act, took_s in zip(self.acts, self.recoveries_s, strict=True)
            if took_s > 30
        ]
        stamp = stamp_of(ROOT)
        sys.stderr.write(
            f"\n{self.verdict.table()}\nacts {dict(kinds)}; {len(self.issued):,} messages, {alarms} alarms\n"
            f"recovery p50 {p50_s:.1f}, p95 {p95_s:.1f}, max {max_s:.1f} s, beyond 30 s: {slow}; "
            f"{bound(sum(act.kind in {'kill', 'away', 'full'} for act in self.acts))}\n"
            f"commit {stamp.commit[:9]}{'*' if stamp.modified else ''} on {stamp.machine}; rerun: {rerun}\n"
        )

    def check(self) -> None:
        """Nothing is lost, doubled, changed, out of order or stuck, and every part was back in time."""
        assert self.left == 0, f"{self.left} messages were never acknowledged"
        assert self.verdict.broken == {}, self.verdict.table()
        assert self.verdict.total("duplicated_delivery") > 0, "nothing came twice: not the load it says"
        for act, took_s in zip(self.acts, self.recoveries_s, strict=True):
            assert took_s < limit_s(act), f"{act} took {took_s:.1f} s"


def go_through(
    city: Stack,
    oracle: Oracle,
    load: Load,
    acts: Sequence[Act],
    at_least: int = 0,
    when_sent: Sequence[int] = (),
) -> Run:
    """Do all acts while the load goes in, `at_least` messages of it, then let all drain and judge.

    `when_sent`: how many messages must be under way or through before each act.
    """
    sender, waiting = Sender(city.settings, load, oracle), ends.Waiting(city.settings)
    sender.start()
    waiting.start()
    until_s, recoveries_s = time.monotonic() + MINUTES * 60, list[float]()
    for act, sent in zip(acts, when_sent or [0] * len(acts), strict=True):
        if time.monotonic() > until_s:
            break
        _wait_until_sent(sender, sent)
        recoveries_s.append(perform(city, act, oracle))
    acts = acts[: len(recoveries_s)]
    _wait_until_sent(sender, at_least)  # quick recoveries leave time over
    embedded.wait_well(stack_settings(city.settings), STACK_RECOVERY_MAX_S)
    left = sender.stop(120)
    issued = obligations(oracle)
    ends.drain(city.settings, [each for each in issued if not load.too_late(each.number)], 180)
    found = ends.gathered(city.settings, issued, waiting.stop())
    ends.write_down(oracle, found)
    verdict = judge(issued, found, city.settings.lateness_s * 1000)
    return Run(acts, recoveries_s, issued, left, found, verdict)


def _wait_until_sent(sender: Sender, count: int) -> None:
    with sender.changed:
        assert sender.changed.wait_for(lambda: sender.sent >= count, 3600), f"not {count} sent in an hour"
