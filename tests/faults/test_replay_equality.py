"""T14: one recorded log, however it is read, is one picture: the SHA-256 of every point is the same.

2,500 readings; 100,000 in `make test-faults-long`, or `TAISHI_REPLAY_READINGS=n`. The kernels of the product
in memory; with Kafka, processes and InfluxDB the same is shown on smaller logs in test_kills.py and in
tests/behaviour: test_aggregate_equality.py, test_workers_share.py, test_influxdb_upserts.py.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from tests.faults.nemesis import LONG
from tests.faults.recorded_log import Log, backfilled, by, digest, figures, polled, recorded, said, stored

pytestmark = [pytest.mark.faults, pytest.mark.timeout(7200)]

READINGS = int(os.environ.get("TAISHI_REPLAY_READINGS", "100000" if LONG else "2500"))
SEED = 370202


@pytest.fixture(scope="module")
def log() -> Log:
    return recorded(READINGS, SEED)


@pytest.fixture(scope="module")
def windows(log: Log) -> list[bytes]:
    """The topic as one worker that nothing happens to leaves it."""
    return said(log, by(500))


@pytest.fixture(scope="module")
def expected(windows: list[bytes]) -> str:
    points = stored(windows)
    assert len(points) > READINGS / 10
    assert {each.split("level=")[1].split(",")[0] for each in points} == {
        "grid", "community", "street", "district",
    }  # fmt: skip
    return digest(points)


VARIANTS: dict[str, Callable[[Log], list[bytes]]] = {
    "again": lambda log: said(log, by(500)),
    "by 1": lambda log: said(log, by(1)),
    "by 100": lambda log: said(log, by(100)),
    "by 1000": lambda log: said(log, by(1_000)),
    "by 4096": lambda log: said(log, by(4_096)),
    "as fast as it came": lambda log: said(log, polled(200)),
    "a hundred times as fast": lambda log: said(log, polled(20_000)),
    "two workers": lambda log: said(log, by(500), workers=((2, 3), (0, 1))),
    "three deaths of each shard": lambda log: said(log, by(100), deaths=3),
    "two workers, three deaths": lambda log: said(log, polled(5_000), workers=((0, 3), (1, 2)), deaths=3),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_however_the_log_is_read_every_point_is_the_same_to_its_revision(
    log: Log, expected: str, variant: str
) -> None:
    assert digest(stored(VARIANTS[variant](log), random.Random(variant).randint(1, 5_000))) == expected


def test_deaths_make_workers_say_things_again(log: Log, windows: list[bytes]) -> None:
    again = VARIANTS["three deaths of each shard"](log)
    assert len(again) > len(windows)
    assert set(again) == set(windows)


def test_an_emptied_store_is_rebuilt_from_the_windows_by_any_batches(
    windows: list[bytes], expected: str
) -> None:
    assert [digest(stored(windows, size)) for size in (7, len(windows))] == [expected] * 2


def test_a_backfill_of_the_log_writes_what_live_wrote(log: Log, windows: list[bytes]) -> None:
    live, anew = (set(figures(points)) for points in (stored(windows), backfilled(log, by(1_000))))
    assert digest(sorted(anew)) == digest(sorted(live))


def test_every_event_once_or_three_times_gives_the_same_figures(log: Log, windows: list[bytes]) -> None:
    often = log.repeated(random.Random(SEED))
    assert sum(map(len, often.shards)) > 1.5 * sum(map(len, log.shards))
    assert digest(figures(stored(said(often, by(500))))) == digest(figures(stored(windows)))


def test_one_reading_more_is_another_picture(log: Log, windows: list[bytes]) -> None:
    more = Log((log.shards[0][1:], *log.shards[1:]))
    changed = stored(said(more, by(500)))
    assert digest(changed) != digest(stored(windows))
