"""A district to look at where none runs: InfluxDB alone, with a week of the simulated city in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from deploy.embedded import stack as embedded
from deploy.embedded.ports import free_ports
from operations.oncall.store import Store
from pipelines.io.influxdb import InfluxDb
from schemas.alerts import Alert, Severity
from schemas.topics import ALERTS
from simulation.city import registry_csv
from simulation.history.windows import Past
from taishi.history import Span, load_past
from taishi.history_alerts import past_alerts
from taishi.places import load_registry
from taishi.settings import Settings, load_settings
from taishi.stack_settings import stack_settings
from taishi.store import influx_settings

__all__ = ["Week", "district"]

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_ON_DUTY: Final = "模拟值班员 (simulated)"
_TAKEN_AFTER_S: Final[dict[Severity, float]] = {
    "life_safety": 35.0,
    "high": 150.0,
    "medium": 600.0,
    "low": 900.0,
}
"""Median time until somebody takes an alert; spread as response times are, by a factor of two either way."""


_ITS_OWN: Final[dict[str, Any]] = {
    **dict.fromkeys(("influxdb_address", "devices_file", "places_file")),
    **dict.fromkeys(("influxdb_token", "influxdb_org", "influxdb_care_database", "operations_database"), ""),
    "influxdb_database": "taishi",
    "district": "370202",
    "window_s": (10, 60, 3600),
}


@dataclass(frozen=True, slots=True)
class Week:
    """`days` by the hour; parking of the last `minute_days` also by the minute, down to communities."""

    days: int = 7
    minute_days: int = 2


@contextmanager
def district(home: Path, week: Week, report: Callable[[str], None]) -> Iterator[Settings]:
    """The settings of a district that is there until the block ends; everything of it lies in `home`.

    What this machine's own settings say of databases does not hold for it: nothing is made up in those.
    """
    influxdb, metrics, *_ = free_ports(21, consecutive=True)
    settings = load_settings(home=home, influxdb_port=influxdb, metrics_port=metrics, **_ITS_OWN)
    stack = stack_settings(settings)
    try:
        embedded.up(
            stack, only=("influxdb",), report=lambda what, now: report(f"{what}: {now}"), outlive=False
        )
        embedded.wait_well(stack, 120)
        report(f"{week.days} days of the simulated city")
        _fill(settings, week, time.time_ns() // 1_000_000)
        yield settings
    finally:
        embedded.down(stack)


def _fill(settings: Settings, week: Week, now_ms: int) -> None:
    """The past up to the last full hour, the registry, and a desk at which alerts were taken."""
    until_ms = now_ms // _HOUR_MS * _HOUR_MS
    past = Past(load_registry(settings).grid_codes, settings.simulated_devices, settings.simulated_seed)
    span = Span(
        from_ms=until_ms - week.days * _DAY_MS,
        until_ms=until_ms,
        fine_from_ms=until_ms,
        now_ms=now_ms,
        minutes_from_ms=until_ms,
        domains=("parking", "care"),
    )
    by_the_minute = replace(
        span,
        from_ms=until_ms - week.minute_days * _DAY_MS,
        minutes_from_ms=0,
        grid_minutes_from_ms=until_ms,
        domains=("parking",),
    )
    with closing(InfluxDb(influx_settings(settings))) as store:
        store.create_database()
    for each in (span, by_the_minute):
        load_past(settings, past, each)
    (settings.home / "devices.csv").write_text(registry_csv(past.equipment.city), "utf-8")
    began = [one for one in past.happenings(span.from_ms, until_ms) if one.from_ms >= span.from_ms]
    _take(settings, past_alerts(began, until_ms), now_ms)


def _take(settings: Settings, alerts: Sequence[Alert], now_ms: int) -> None:
    """Each alert is acknowledged, by nobody real, some time after its onset; always the same time."""
    chance = np.random.default_rng(settings.simulated_seed)
    with closing(Store(settings.operations_url)) as desk:
        desk.take(ALERTS, alerts, len(alerts), now_ms)
        for alert, spread in zip(alerts, chance.lognormal(0.0, np.log(2), len(alerts)), strict=True):
            at_ms = alert.onset_ms + round(_TAKEN_AFTER_S[alert.severity] * 1000 * spread)
            if at_ms < now_ms:
                desk.acknowledge(alert.id, _ON_DUTY, "", at_ms)
