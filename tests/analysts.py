"""An installation for analysts on a real InfluxDB: half an hour of yesterday, two alerts, a scorecard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pipelines.io.influxdb import InfluxDb
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
from schemas.store import DEFAULT_POLICY, EVENTS, bucket
from taishi.cli.main import _GROUP
from taishi.settings import Settings
from taishi.store import influx_settings

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
    settings = Settings(home=home, influxdb_address=influxdb_url, influxdb_database=DATABASE)
    with closing(InfluxDb(influx_settings(settings))) as store:
        store.create_database()
        for domain in ("parking", "care"):
            lines = [line(window) for window in windows(domain)]
            assert store.write(lines, bucket(DATABASE, "1m")) == []
        scored = f"sources,source=mqtt.native,vendor=acme readings=9.0,late=1.0,late_share=0.1 {BEGIN_MS}"
        assert store.write([scored], bucket(DATABASE, DEFAULT_POLICY)) == []
        assert store.write([annotation(SOS), annotation(FULL)], bucket(DATABASE, EVENTS)) == []
    return settings


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
    }.items():
        monkeypatch.setenv(name, value)

    def command(*words: str) -> Done:
        found = CliRunner().invoke(_GROUP, words)
        if isinstance(found.exception, TaishiError):
            return Done(1, found.stdout, str(found.exception))
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return Done(found.exit_code, found.stdout, found.stderr)

    return command
