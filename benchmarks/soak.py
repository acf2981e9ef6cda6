"""Does memory stay flat? `python -m benchmarks.soak --seconds 1800 --rate 1000` against the running stack.

Sends load by `taishi simulate --rate`, weighs workers and Prisms every 10 s, tells the weights each
minute, and prints for each the growth from five minutes after the start to the end, as a straight
line's, in per cent of its mean.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

import click
import numpy as np
import psutil

from deploy.embedded.state import read_state
from schemas.errors import SettingsError
from taishi.settings import load_settings

__all__ = ["growth_percent", "main"]

PARTS = ("worker-aggregate", "worker-situation", "prism-aggregate", "prism-situation")
WARM_UP_S = 300.0
EVERY_S = 10.0
TELL_EVERY = 6  # weighings


def growth_percent(at_s: list[float], weight: list[float]) -> float:
    """Growth of the fitted line over the span, in per cent of the mean weight."""
    slope = np.polyfit(at_s, weight, 1)[0]
    return float(slope * (at_s[-1] - at_s[0]) / np.mean(weight) * 100)


@click.command()
@click.option("--seconds", default=1800.0, show_default=True)
@click.option("--rate", default=1000, show_default=True, help="Readings a second.")
def main(seconds: float, rate: int) -> None:
    """Print the growth of each part's memory."""
    settings = load_settings()
    state = read_state(settings.home)
    if state is None:
        raise SettingsError("the stack is not running: taishi up --no-demo --detach")
    processes = {name: psutil.Process(state.part(name).pid) for name in PARTS}
    command = [sys.executable, "-m", "taishi.cli.main", "simulate", "--rate", str(rate)]
    load = subprocess.Popen([*command, "--duration", str(seconds)], stderr=subprocess.DEVNULL)
    started_s, at_s = time.monotonic(), []
    weights: dict[str, list[float]] = {name: [] for name in PARTS}
    while load.poll() is None:
        at_s.append(time.monotonic() - started_s)
        for name, process in processes.items():
            weights[name].append(process.memory_info().rss / 2**20)
        if len(at_s) % TELL_EVERY == 1:
            now = "  ".join(f"{name} {rows[-1]:.0f}" for name, rows in weights.items())
            click.echo(f"{at_s[-1]:6.0f} s  MiB: {now}", err=True)
        time.sleep(EVERY_S)
    first = next((i for i, at in enumerate(at_s) if at >= WARM_UP_S), 0)
    figures = {
        name: {
            "mib_after_warm_up": round(rows[first], 1),
            "mib_at_end": round(rows[-1], 1),
            "growth_percent": round(growth_percent(at_s[first:], rows[first:]), 2),
        }
        for name, rows in weights.items()
    }
    click.echo(json.dumps({"seconds": round(at_s[-1]), "readings_per_s": rate, "parts": figures}))


if __name__ == "__main__":
    main()
