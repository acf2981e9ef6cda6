"""The embedded stack under kill -9: every part comes back by itself, well under a minute."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("name", ["kafka", "influxdb", "mqtt", "prism-aggregate"])
def test_a_killed_part_serves_again_within_a_minute(stack: Stack, name: str) -> None:
    before = stack.part(name)
    stack.kill(name)
    started_s = time.monotonic()
    after = stack.wait_healthy(name, timeout_s=60)
    assert time.monotonic() - started_s < 60
    assert after.pid != before.pid
    assert after.restarts == before.restarts + 1
