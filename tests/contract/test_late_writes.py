"""A write that timed out and arrives after its successor: what a line that hangs still delivers."""

import threading
import time
import uuid

import pytest

from pipelines.io.influxdb import InfluxDb, InfluxSettings
from tests.faults.toxic_line import ToxicLine
from tests.waiting import wait_until

pytestmark = [pytest.mark.stack]


@pytest.fixture
def line(stack):
    made = ToxicLine(("127.0.0.1", stack.settings.influxdb_port))
    yield made
    made.close()


@pytest.fixture
def store(line):
    made = InfluxDb(InfluxSettings(line.url, f"late_{uuid.uuid4().hex[:8]}", timeout_s=0.5))
    made.create_database()
    yield made
    made.administer(f'DROP DATABASE "{made.settings.database}"')
    made.close()


def test_a_write_given_up_does_not_arrive_after_the_next_one(line, store):
    """The first is tried until the line is back; only then the second is written; then the line lets go."""
    at_ms = time.time_ns() // 1_000_000
    line.befall("hang")
    first = threading.Thread(target=store.write, args=([f"parking,place=a free=1 {at_ms}"],))
    first.start()
    wait_until(lambda: line.met >= 2)
    line.heal(release=False)
    first.join(30)
    assert not first.is_alive()
    assert store.write([f"parking,place=a free=2 {at_ms}"]) == []
    line.heal()
    wait_until(lambda: line.connections <= 2)  # those of this store that are kept for its next words
    assert [row["free"] for row in store.query("SELECT free FROM parking")] == [2]
