"""What a stack costs that nothing is sent to: `python -m benchmarks.idle --seconds 120` beside a running one.

Cores and MiB of each part, after a minute in which it settles. `taishi up --no-demo --detach` first.
"""

from __future__ import annotations

import json
import time

import click
import psutil

from deploy.embedded.state import read_state
from schemas.errors import SettingsError
from taishi.settings import load_settings

__all__ = ["main"]


@click.command()
@click.option("--seconds", default=120.0, show_default=True)
@click.option("--settle", "settle_s", default=60.0, show_default=True)
def main(seconds: float, settle_s: float) -> None:
    """Print cores and MiB by part, and their sums."""
    state = read_state(load_settings().home)
    if state is None:
        raise SettingsError("the stack is not running: taishi up --no-demo --detach")
    time.sleep(settle_s)
    parts = {part.name: psutil.Process(part.pid) for part in state.parts if part.pid is not None}
    parts["supervisor"] = psutil.Process(state.pid)
    before = {name: process.cpu_times() for name, process in parts.items()}
    began_s = time.monotonic()
    time.sleep(seconds)
    elapsed_s = time.monotonic() - began_s
    figures = {}
    for name, process in parts.items():
        cpu_s = sum(process.cpu_times()[:2]) - sum(before[name][:2])
        figures[name] = {
            "cores": round(cpu_s / elapsed_s, 4),
            "mib": round(process.memory_info().rss / 2**20),
        }
    sums = {what: round(sum(each[what] for each in figures.values()), 3) for what in ("cores", "mib")}
    print(json.dumps({"parts": figures, "sum": sums}, indent=1))


if __name__ == "__main__":
    main()
