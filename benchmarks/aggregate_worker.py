"""The worker of the aggregate benchmark, as the product runs it; tells on standard output when it is done.

`python -m benchmarks.aggregate_worker BOOTSTRAP PRISM PRISM_PID RECORDS` prints one JSON object once RECORDS
records are folded, their outputs confirmed.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

from benchmarks.aggregate_load import PREFIX
from benchmarks.pinned import cpu_s as process_cpu_s
from pipelines.jobs.aggregate import AggregateFactory
from pipelines.jobs.graph import run_on
from pipelines.jobs.line import LineSettings
from pipelines.kernels.state import ACCOUNTS, FoldSettings
from pipelines.transforms.runtime import runtime_of

__all__ = ["factory", "main"]


def factory(bootstrap: str) -> AggregateFactory:
    """The product's settings, on the benchmark's topics; no ticks until the load is folded."""
    line = LineSettings(
        bootstrap,
        (f"{PREFIX}readings.parking",),
        checkpoint_topic=f"{PREFIX}checkpoints",
        claim_topic=f"{PREFIX}claims",
        tick_interval_s=None,
        from_oldest=True,
    )
    return AggregateFactory(line, FoldSettings(), "370202", PREFIX)


def main(bootstrap: str, prism: str, prism_pid: int, records: int) -> None:
    """Run until told to end."""
    make = factory(bootstrap)
    runtime = runtime_of(make)  # connected and at the first record before the clock starts
    threading.Thread(target=run_on, args=(prism, "bench", make), daemon=True).start()
    while sum(runtime.next_offsets().values()) == 0:
        time.sleep(0.001)
    started_s, cpu_s, prism_s = time.perf_counter(), time.process_time(), process_cpu_s(prism_pid)
    first = sum(runtime.next_offsets().values())
    while (folded := sum(runtime.next_offsets().values())) < records:
        time.sleep(0.002)
    elapsed_s, used_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    prism_s = process_cpu_s(prism_pid) - prism_s
    states = list(runtime.states().values())
    figures = {
        "readings_per_s": (folded - first) / elapsed_s,
        "worker_cpu_us_per_reading": used_s / (folded - first) * 1e6,
        "cpu_us_per_reading": (used_s + prism_s) / (folded - first) * 1e6,
        "accounts": {
            what: sum(int(s.accounts[row].sum()) for s in states) for row, what in enumerate(ACCOUNTS)
        },
    }
    print(json.dumps(figures), flush=True)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
