"""From a window's end until a reader finds it: InfluxDB is asked again and again, as a board would.

`python -m benchmarks.latency [--seconds 60] [--json]` against the running stack. It measures what
`taishi_window_to_queryable_seconds` says from inside, from outside: the district's window counts from
its end to the first answer that holds it as complete. Includes the watermark's delay.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import click
import msgspec
import numpy as np

from pipelines.io.influxdb import InfluxDb
from schemas.errors import SettingsError
from schemas.kinds import DOMAINS
from schemas.store import choose_database, measurement
from taishi.settings import load_settings
from taishi.store import influx_settings

__all__ = ["main", "newest_complete", "watch"]


def newest_complete(store: InfluxDb, district: str, window_s: int) -> dict[str, int]:
    """Domain -> start of the newest window that the district has complete."""
    starts: dict[str, int] = {}
    for domain in DOMAINS:
        rows = store.query(
            f'SELECT "complete" FROM {measurement(domain, window_s)} WHERE "level" = \'district\' AND '  # noqa: S608 - our own names
            f'"place" = \'{district}\' AND "complete" = 1 ORDER BY time DESC LIMIT 1',
            choose_database(domain, store.settings.database, store.settings.care_database),
        )
        if rows:
            starts[domain] = int(str(rows[0]["time"]))
    return starts


def watch(
    store: InfluxDb, district: str, window_s: int, seconds: float, pause_s: float = 0.05
) -> Iterator[float]:
    """Age in s of each window when it is first found; windows there at the beginning do not count.

    An observation is at most `pause_s` and one query too late.
    """
    known = newest_complete(store, district, window_s)
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        found = newest_complete(store, district, window_s)
        answered_s = time.time()
        for domain, start_ms in found.items():
            if start_ms > known.get(domain, 0):
                if domain in known:
                    yield answered_s - (start_ms / 1000 + window_s)
                known[domain] = start_ms
        time.sleep(pause_s)


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="How long to watch.")
@click.option("--window-s", default=10, show_default=True, help="Which window size.")
@click.option("--json", "as_json", is_flag=True)
def main(seconds: float, window_s: int, *, as_json: bool) -> None:
    """Print how long after their end windows can be queried."""
    settings = load_settings()
    store = InfluxDb(influx_settings(settings))
    ages_s = np.array(list(watch(store, settings.district, window_s, seconds)))
    if not ages_s.size:
        raise SettingsError(
            f"no window of the district became complete within {seconds:g} s: does `taishi up` run?"
        )
    figures = {
        "windows": int(ages_s.size),
        "p50_s": round(float(np.quantile(ages_s, 0.5)), 3),
        "p95_s": round(float(np.quantile(ages_s, 0.95)), 3),
        "p99_s": round(float(np.quantile(ages_s, 0.99)), 3),
        "max_s": round(float(ages_s.max()), 3),
        "delay_s": settings.delay_s,
    }
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
    else:
        for figure, value in figures.items():
            click.echo(f"{figure:10} {value:>10}")


if __name__ == "__main__":
    main()
