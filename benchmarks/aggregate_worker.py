"""The worker of the aggregate benchmark, as the product runs it; tells on standard output when it is done.

`python -m benchmarks.aggregate_worker BOOTSTRAP PRISM RECORDS` prints one JSON object once RECORDS
records are folded, their outputs confirmed.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

from pipelines.jobs.aggregate import AggregateFactory
from pipelines.jobs.graph import run_on
from pipelines.jobs.line import LineSettings
from pipelines.kernels.state import ACCOUNTS, FoldSettings
from pipelines.transforms.runtime import runtime_of

__all__ = ["PREFIX", "factory", "main"]

PREFIX = "bench."


def factory(bootstrap: str) -> AggregateFactory:
    """The product's settings, on the benchmark's topics; no ticks until the load is folded."""
    line = LineSettings(
        bootstrap,
        (f"{PREFIX}readings.parking",),
        checkpoint_topic=f"{PREFIX}checkpoints",
        tick_interval_s=None,
        from_oldest=True,
    )
    return AggregateFactory(line, FoldSettings(), "370202", PREFIX)


def main(bootstrap: str, prism: str, records: int) -> None:
    """Run until told to end."""
    make = factory(bootstrap)
    runtime = runtime_of(make)  # connected and at the first record before the clock starts
    threading.Thread(target=run_on, args=(prism, "bench", make), daemon=True).start()
    while sum(runtime.next_offsets().values()) == 0:
        time.sleep(0.001)
    started_s, cpu_s = time.perf_counter(), time.process_time()
    first = sum(runtime.next_offsets().values())
    while (folded := sum(runtime.next_offsets().values())) < records:
        time.sleep(0.002)
    elapsed_s = time.perf_counter() - started_s
    states = list(runtime.states().values())
    figures = {
        "readings_per_s": (folded - first) / elapsed_s,
        "worker_cpu_us_per_reading": (time.process_time() - cpu_s) / (folded - first) * 1e6,
        "accounts": {
            what: sum(int(s.accounts[row].sum()) for s in states) for row, what in enumerate(ACCOUNTS)
        },
    }
    print(json.dumps(figures), flush=True)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
