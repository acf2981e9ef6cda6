"""How late is what, the busier it gets: `python -m benchmarks.latency_at_load` against the running stack.

First the capacity: the simulated city publishes as fast as it can, by MQTT and HTTP, and what reaches the log
in a second is counted. Then, at a tenth, a half and nine tenths of that, each for a minute:

    window    from a window's end until InfluxDB answers with it as complete (`benchmarks.latency`)
    signal    from a press published to its alert on the log (`benchmarks.alert_latency`)
    page      from an alert on the log until it is on each of twenty open pages (`benchmarks.desk`)

Start the stack with its desk and without its own city: `TAISHI_DESK=true taishi up --no-demo --detach`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click
import numpy as np

from benchmarks.latency import watch
from benchmarks.pinned import LogEnd
from pipelines.io.influxdb import InfluxDb
from schemas.kinds import DOMAINS
from schemas.topics import readings_topic
from taishi.settings import Settings, load_settings
from taishi.store import influx_settings

__all__ = ["main"]

_AS_FAST_AS_IT_GOES: Final = 200_000
_SETTLE_S: Final = 15.0
_COUNTED_S: Final = 20.0
_PRESSES_PER_S: Final = 5
_PAGES: Final = 20
_DRAINED_S: Final = 5.0


@contextmanager
def _city(rate_per_s: float, seconds: float) -> Iterator[None]:
    """The simulated city at a rate, for at least the block."""
    words = ("simulate", "--rate", str(rate_per_s), "--duration", str(seconds))
    city = subprocess.Popen([sys.executable, "-m", "taishi.cli.main", *words], stderr=subprocess.DEVNULL)
    try:
        time.sleep(_SETTLE_S)  # its first seconds are those of connecting, not of the load
        yield
    finally:
        city.terminate()
        city.wait()


def capacity_per_s(settings: Settings) -> float:
    """Readings a second that reach the log when the city publishes as fast as it can."""
    ends = [LogEnd(settings.kafka_bootstrap, readings_topic(domain)) for domain in DOMAINS]
    with _city(_AS_FAST_AS_IT_GOES, _SETTLE_S + 2 * _COUNTED_S):
        began_s, before = time.monotonic(), sum(end() for end in ends)
        time.sleep(_COUNTED_S)
        return (sum(end() for end in ends) - before) / (time.monotonic() - began_s)


def until_drained(settings: Settings, limit_s: float = 600.0) -> None:
    """Wait until windows become complete about as soon as they may: what came before is folded."""
    store, most_s = InfluxDb(influx_settings(settings)), settings.delay_s + _DRAINED_S
    deadline_s = time.monotonic() + limit_s
    while not any(age_s < most_s for age_s in watch(store, settings.district, 10, _COUNTED_S)):
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"no window complete within {most_s:g} s of its end after {limit_s:g} s")


def at_rate(settings: Settings, rate_per_s: float, seconds: float) -> dict[str, Any]:
    """Quantiles of the latencies at a rate, s."""
    presses = ("--presses", str(int(seconds * _PRESSES_PER_S)), "--per-s", str(_PRESSES_PER_S))
    shown = ("--pages", str(_PAGES), "--alerts", str(int(seconds)), "--per-s", "2")
    with _city(rate_per_s, _SETTLE_S + 2 * seconds):
        signals, pages = _beside("alert_latency", *presses), _beside("desk", *shown)
        ages_s = list(watch(InfluxDb(influx_settings(settings)), settings.district, 10, seconds))
        signal, page = (json.loads(each.communicate(timeout=300)[0]) for each in (signals, pages))
    if not ages_s:
        raise RuntimeError(f"at {rate_per_s:,.0f}/s no window became complete within {seconds:g} s")
    quantiles = {
        name: float(np.quantile(ages_s, q)) for name, q in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
    }
    return {"rate_per_s": rate_per_s, "window_s": quantiles, "signal": signal, "page": page}


def _beside(module: str, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", f"benchmarks.{module}", *words], stdout=subprocess.PIPE)


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="At each level.")
@click.option("--capacity", default=0.0, help="Readings a second; 0: measure it.")
@click.option("--levels", default="0.1,0.5,0.9", show_default=True, help="Parts of the capacity.")
def main(seconds: float, capacity: float, levels: str) -> None:
    """Print a row a level."""
    settings = load_settings()
    most_per_s = capacity or capacity_per_s(settings)
    click.echo(f"capacity: {most_per_s:,.0f} readings/s reach the log\n")
    click.echo(
        "| load | readings/s | window p50 | p90 | p99 s | signal p50 | p95 | p99 s | missing, doubled "
        "| page p50 | p99 s |"
    )
    click.echo("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for share in map(float, levels.split(",")):
        until_drained(settings)
        row = at_rate(settings, share * most_per_s, seconds)
        window = " | ".join(f"{value:.2f}" for value in row["window_s"].values())
        signal = " | ".join(f"{row['signal'][name]:.2f}" for name in ("p50_s", "p95_s", "p99_s"))
        faults = f"{row['signal']['missing']}, {row['signal']['doubled']}"
        page = " | ".join(f"{row['page']['alert_to_page_s'][name]:.2f}" for name in ("p50", "p99"))
        click.echo(f"| {share:.0%} | {row['rate_per_s']:,.0f} | {window} | {signal} | {faults} | {page} |")


if __name__ == "__main__":
    main()
