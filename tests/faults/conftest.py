"""The whole stack that fault tests share within a file: connectors, workers, desk, on-call, known devices."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.embedded import stack as embedded
from taishi.settings import Settings
from taishi.stack_settings import environment_of, stack_settings
from tests.faults.hook import Hook
from tests.faults.load import registry
from tests.faults.oracle import Oracle
from tests.faults.small_disk import small_disk

ROOT = Path(__file__).resolve().parents[2]
AUTOMATIC = ("fire", "person-in-need", "security")
"""Categories of alarms: here each opens a case by itself."""
ONCALL = """
flood_start = 100_000
flood_end = 99_999
[people]
"值班员" = ["json://127.0.0.1:{port}/"]
[[routes]]
name = "all"
steps = [{{ people = ["值班员"] }}]
"""
"""Somebody is told of each alert by itself, however many there are."""


@pytest.fixture(scope="module")
def hook():
    made = Hook()
    yield made
    made.close()


@pytest.fixture(scope="module")
def disks_mib():
    """Part -> the size of the disk that its data has for itself."""
    return {}


@pytest.fixture(scope="module")
def city(tmp_path_factory, stack_at, hook, disks_mib):
    """A whole stack of its own with connectors, workers, desk, on-call, and known devices."""
    made = stack_at(tmp_path_factory.mktemp("kills"))
    made.settings.home.mkdir(parents=True, exist_ok=True)
    (made.settings.home / "devices.csv").write_text(registry(), "utf-8")
    cases = (ROOT / "operations/cases/cases.toml").read_text("utf-8")
    for code in AUTOMATIC:
        cases = cases.replace(f'code = "{code}"', f'code = "{code}"\nauto = true')
    (made.settings.home / "cases.toml").write_text(cases, "utf-8")
    (made.settings.home / "oncall.toml").write_text(ONCALL.format(port=hook.port), "utf-8")
    files = {f"{name}_file": made.settings.home / f"{name}.toml" for name in ("cases", "oncall")}
    settings = Settings(**(made.settings.model_dump() | files | {"desk": True}))
    running = type(made)(settings, dict(os.environ) | environment_of(settings))
    somebody(running)
    wanted = stack_settings(settings)
    with ExitStack() as disks:
        for part, size_mib in disks_mib.items():
            disks.enter_context(small_disk(wanted.data / part, size_mib))
        try:
            embedded.up(wanted, demo=False, outlive=False)
            embedded.wait_well(wanted, 180)
            yield running
        finally:
            embedded.down(wanted)


def somebody(city):
    """A desk of which nobody may sign in does not start."""
    words = ("people", "add", "zhibanyuan", "--role", "operator", "--password-stdin", "--json")
    subprocess.run(
        [sys.executable, "-m", "taishi.cli.main", *words], input="correct horse battery\n", text=True,
        env=city.environment, capture_output=True, check=True,
    )  # fmt: skip


@pytest.fixture
def oracle(tmp_path):
    made = Oracle(tmp_path / "ledger.db")
    yield made
    made.close()
