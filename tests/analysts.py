"""An installation for analysts on a real InfluxDB: half an hour of yesterday, two alerts, a scorecard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from click.testing import CliRunner

from pipelines.io.influxdb import InfluxDb, InfluxSettings
from pipelines.kernels.annotations import annotation
from pipelines.kernels.plan import SCALE, plan_for
from pipelines.kernels.points import line
from pipelines.kernels.rollup import PlaceWindow
from schemas.alerts import Alert, alert_id
from schemas.calendar import ZONE
from schemas.errors import TaishiError
from schemas.kinds import Domain
from schemas.places.model import DEFAULT_SCHEME, LEVELS
from schemas.places.synthetic import synthetic_layer
from schemas.store import bucket, policies
from taishi.cli.main import _GROUP
from taishi.settings import Settings

DATABASE = "analysts"
GRIDS = [grid.code for grid in synthetic_layer("370202").grids[::12]]
TODAY = datetime.now(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
BEGIN_MS = round((TODAY - timedelta(hours=16)).timestamp() * 1000)
"""08:00 of yesterday."""
MINUTES, LOST, HALF = 30, 7, 9
"""Minutes written; the one that is not; the one in which a part of the pipeline was silent."""


def sums_of(domain: Domain, minute: int) -> dict[str, np.ndarray]:
    """Place -> measures (millionths) of a minute: grids by chance, what is above them their sums."""
    chance = np.random.default_rng(minute)
    names = plan_for(domain).measures
    found: dict[str, np.ndarray] = {}
    for grid in GRIDS:
        values = chance.integers(0, 9, len(names)) * SCALE
        if domain == "parking":
            values[names.index("spaces")] = 20 * SCALE
        for level in LEVELS:
            place = DEFAULT_SCHEME.ancestor(grid, level)
            found[place] = found.get(place, 0) + values
    return found


def windows(domain: Domain) -> Iterator[PlaceWindow]:
    for minute in range(MINUTES):
        for place, values in sums_of(domain, minute).items() if minute != LOST else ():
            yield PlaceWindow(
                domain=domain,
                level=DEFAULT_SCHEME.level(place),
                place=place,
                window_s=60,
                start_ms=BEGIN_MS + minute * 60_000,
                revision=1,
                grids=1,
                complete=minute != HALF,
                values=values,
            )


SOS = Alert(
    id=alert_id("signal.sos", GRIDS[0], BEGIN_MS, "button-9"), rule="signal.sos", severity="life_safety",
    domain="care", level="grid", place=GRIDS[0], onset_ms=BEGIN_MS, active=False,
    cleared_ms=BEGIN_MS + 90_000, title="紧急呼救 SOS", device="button-9", revision=2, simulated=True,
)  # fmt: skip
FULL = Alert(
    id=alert_id("rule.full", GRIDS[1], BEGIN_MS + 60_000), rule="rule.full", severity="low", domain="parking",
    level="grid", place=GRIDS[1], onset_ms=BEGIN_MS + 60_000, active=True, title="车位已满 full",
)  # fmt: skip


def filled(influxdb_url: str, home: Path) -> Settings:
    """Write it all; the settings of that installation."""
    for number, policy in enumerate(policies((10, 60, 3600))):
        made = f'"{policy.name}" ON "{DATABASE}" DURATION {policy.keep_s}s REPLICATION 1'
        statements = [f"CREATE RETENTION POLICY {made}{' DEFAULT' if number == 0 else ''}"]
        for words in [f'CREATE DATABASE "{DATABASE}"', *statements] if number == 0 else statements:
            httpx.post(f"{influxdb_url}/query", params={"q": words}).raise_for_status()
    minutes = InfluxDb(InfluxSettings(influxdb_url, bucket(DATABASE, "1m")))
    for domain in ("parking", "care"):
        assert minutes.write([line(window) for window in windows(domain)]) == []
    minutes.write([f"sources,source=mqtt.native,vendor=acme readings=9.0,late=1.0,late_share=0.1 {BEGIN_MS}"])
    events = InfluxDb(InfluxSettings(influxdb_url, bucket(DATABASE, "events")))
    assert events.write([annotation(SOS), annotation(FULL)]) == []
    return Settings(
        home=home, influxdb_address=influxdb_url, influxdb_database=DATABASE, window_s=(10, 60, 3600)
    )


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def commands(settings: Settings, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Callable[..., Done]:
    """`taishi words…` as that analyst, in a folder; in this process, for loading Arrow takes seconds."""
    monkeypatch.chdir(folder)
    for name, value in {
        "TAISHI_HOME": str(settings.home),
        "TAISHI_INFLUXDB_ADDRESS": str(settings.influxdb_address),
        "TAISHI_INFLUXDB_DATABASE": DATABASE,
        "TAISHI_WINDOW_S": "[10, 60, 3600]",
    }.items():
        monkeypatch.setenv(name, value)

    def command(*words: str) -> Done:
        found = CliRunner().invoke(_GROUP, words)
        if isinstance(found.exception, TaishiError):
            return Done(1, found.stdout, str(found.exception))
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return Done(found.exit_code, found.stdout, found.stderr)

    return command
