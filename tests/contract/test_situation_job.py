"""Job `situation` from a log of windows to the store: killed anywhere, wiped, refused, it ends the same."""

import copy
import importlib.util
import random
import sys
from pathlib import Path

import pytest

from pipelines.io.canary import Canary, StoreLostData
from pipelines.io.influxdb import InfluxDb, InfluxSettings
from pipelines.jobs.situation import SituationJob
from pipelines.kernels.rollup_state import RollupSettings
from schemas.store import policies


def _load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__)
influxdb_fake = _load(HERE.with_name("influxdb_fake.py"))
oracle = _load(HERE.parents[1] / "unit" / "pipelines" / "rollup_oracle.py")

MARK = "taishi_canary"
EVER = policies((10, 60, 3600), dict.fromkeys(("10s", "1m", "1h", "events"), 36_500))
"""The log's windows are of 1970."""
SETTINGS = RollupSettings(kept_ms=60_000, grace_ms=30_000, patience_ms=120_000)


class Killed(BaseException):
    """What ends a process between two lines."""


def city_log(seed=1, windows=12):
    """Windows of every grid with late revisions, marks of both shards, a minute; one record is rubbish."""
    rng = random.Random(seed)
    log, revision = [], 0
    for start in range(windows):
        at_ms = 1_000_000 + start * 10_000
        for grid in oracle.GRIDS:
            revision += 1
            log.append((at_ms, oracle.window(grid, start, revision, [rng.randrange(9) * 1.0, 0.25])))
        if start > 1:
            revision += 1
            late = oracle.window(rng.choice(oracle.GRIDS), start - 2, revision, [5.0])
            log.append((at_ms, late))
        if start == 6:
            minutes = [oracle.window(g, 0, revision, [60.0], window_s=60) for g in oracle.GRIDS]
            log += [(at_ms, minute) for minute in minutes]
        log += [(at_ms, oracle.progress(shard, start + 1)) for shard in oracle.SHARDS]
    log.insert(5, (1_000_000, b"rubbish"))
    return log


class Line:
    """The order of `pipelines.jobs.line` without Kafka; `kill` decides where it ends."""

    def __init__(self, url, log, *, kill=lambda _where: None):
        self.store = _Tapped(InfluxSettings(url, "taishi", policies=EVER), kill)
        self.log, self.kill = log, kill
        self.checkpoint, self.quarantined, self.starts = None, {}, []

    def start(self):
        canary = Canary(self.store, "situation", "windows")
        job = SituationJob(SETTINGS, self.store, canary, self._quarantine)
        behind = self.checkpoint is not None and canary.lost_before(
            job.from_bytes(self.checkpoint).next_offset
        )
        if self.checkpoint is None or behind:
            state = job.initial("windows/0")
            job.start_at(state, 0)
            self.checkpoint = job.to_bytes(state)
        else:
            state = job.from_bytes(self.checkpoint)
        self.starts.append(state.next_offset)
        return job, state

    def _quarantine(self, records):
        self.kill("quarantine")
        self.quarantined |= {record.key: record for record in records}

    def run(self, sizes=(7,)):
        job, state = self.start()
        for batch in oracle.batches(self.log, sizes, state.next_offset):
            self.kill("read")
            job.write(job.fold(state, batch))
            self.kill("written")
            self.checkpoint = job.to_bytes(state)
            self.kill("checkpointed")

    def run_through_kills(self, sizes=(7,)):
        for _ in range(1_000):
            try:
                self.run(sizes)
            except Killed:
                continue
            return
        pytest.fail("killed for ever")


class _Tapped(InfluxDb):
    """One that may die before any write: of a policy's points with their mark, or of a mark alone."""

    def __init__(self, settings, kill):
        super().__init__(settings, lambda _seconds: None)
        self._kill = kill

    def write(self, lines, bucket=""):
        self._kill(f"before {'a mark' if lines[0].startswith(MARK) else 'points'} of {bucket}")
        return super().write(lines, bucket)


def picture(fake):
    """Every point but the canary's, by policy, series and time."""
    return {
        (policy, *key): fields
        for policy, bucket in fake.databases["taishi"].items()
        for key, fields in bucket.points.items()
        if not key[0].startswith(MARK)
    }


@pytest.fixture
def fake():
    with influxdb_fake.fake_influxdb() as running:
        yield running


@pytest.fixture
def whole():
    """The picture of a run that nothing disturbed."""
    with influxdb_fake.fake_influxdb() as undisturbed:
        Line(undisturbed.url, city_log()).run((10_000,))
        yield picture(undisturbed)


def test_killed_between_any_two_lines_it_ends_with_the_same_picture(fake, whole):
    rng, killed = random.Random(7), set()

    def kill(where):
        if where not in killed or rng.random() < 0.08:
            killed.add(where)
            raise Killed(where)

    line = Line(fake.url, city_log(), kill=kill)
    line.run_through_kills()
    assert picture(fake) == whole
    marks = {f"before a mark of taishi/{policy}" for policy in ("1m", "1h", "events")}
    points = {f"before points of taishi/{policy}" for policy in ("10s", "1m")}
    assert killed == {"read", "quarantine", "written", "checkpointed"} | points | marks
    assert set(line.starts[1:]) != {0}
    assert len(line.quarantined) == 1


@pytest.mark.parametrize("size", [1, 13, 100])
def test_batch_sizes_leave_no_trace_in_the_store(fake, whole, size):
    Line(fake.url, city_log()).run((size,))
    assert picture(fake) == whole


def test_a_store_wiped_under_the_running_job_stops_it_and_is_rebuilt(fake, whole):
    wiped = []

    def wipe(where):
        if where == "checkpointed" and len(wiped) < 8:
            wiped.append(where)
            if len(wiped) == 8:
                fake.wipe()

    line = Line(fake.url, city_log(), kill=wipe)
    with pytest.raises(StoreLostData, match="holds mark None"):
        line.run()
    line.run()
    assert line.starts == [0, 0]
    assert picture(fake) == whole


def test_a_store_wiped_while_the_job_was_down_is_rebuilt(fake, whole):
    line = Line(fake.url, city_log())
    line.run()
    fake.wipe()
    line.run()
    assert line.starts == [0, 0]
    assert picture(fake) == whole


def test_a_store_that_forgot_what_it_acknowledged_is_rebuilt(fake, whole):
    line = Line(fake.url, city_log())
    line.run()
    backup = copy.deepcopy(fake.databases)
    line.log = [*line.log, *((2_000_000, oracle.window(g, 20, 999, [1.0])) for g in oracle.GRIDS)]
    line.run()
    fake.databases = backup
    line.run()
    assert line.starts[-1] == 0
    assert picture(fake).items() >= whole.items()


def test_a_healthy_store_is_never_rebuilt(fake):
    line = Line(fake.url, city_log())
    line.run()
    line.run()
    assert line.starts == [0, len(line.log)]


def test_the_district_in_the_store_is_the_sum_of_its_streets_communities_and_grids(fake):
    Line(fake.url, city_log()).run()
    sums = {}
    for (policy, series, time_ms), fields in picture(fake).items():
        level = dict(tag.split("=") for tag in series.split(",")[1:])["level"]
        held = sums.setdefault((level, policy, time_ms), {})
        for name in (*oracle.MEASURES, "grids", "revision"):
            held[name] = held.get(name, 0) + fields[name]
    assert {policy for _, policy, _ in sums} == {"10s", "1m"}
    for (level, *window), held in sums.items():
        assert held == sums["district", *window], level


def test_an_outage_in_the_middle_is_sat_out(fake, whole):
    line = Line(fake.url, city_log())
    fake.faults.extend([(503, {}, "")] * 50 + [(0, {}, "")] * 50)
    line.run()
    assert picture(fake) == whole


@pytest.mark.parametrize("policy", ["10s", "1m", "1h", "events"])
def test_a_policy_lost_under_the_running_job_stops_it_and_is_rebuilt(fake, whole, policy):
    lost = []

    def lose(where):
        if where == "checkpointed":
            lost.append(where)
            if len(lost) == 8:
                fake.databases["taishi"][policy].points.clear()

    line = Line(fake.url, city_log(), kill=lose)
    with pytest.raises(StoreLostData, match="holds mark None"):
        line.run()
    line.run()
    assert line.starts == [0, 0]
    assert picture(fake) == whole


@pytest.mark.parametrize("where_paused", ["before points of taishi/10s", "before a mark of taishi/1m"])
def test_what_a_former_owner_still_writes_after_its_pause_is_found_and_made_good(fake, whole, where_paused):
    """It looked at the claims, was paused for long, and writes its one batch over what its heir wrote."""
    log, passed, heirs = city_log(), [], []
    until = len(log) * 2 // 3
    former, heir = Line(fake.url, log), Line(fake.url, log)

    def pause(where):
        if where == "written" and heirs:
            raise Killed("fenced at the next line")
        passed.append(where)
        if not heirs and passed.count(where_paused) == 4 and where == where_paused:
            heir.checkpoint = former.checkpoint
            job, state = heir.start()
            for batch in oracle.batches(log[:until], (7,), state.next_offset):
                job.write(job.fold(state, batch))
            heir.checkpoint = job.to_bytes(state)
            heirs.append((job, state))

    former.kill = former.store._kill = pause
    with pytest.raises(Killed, match="fenced"):
        former.run()
    ((job, state),) = heirs
    (batch, *_) = oracle.batches(log, (7,), state.next_offset)
    with pytest.raises(StoreLostData, match=f"everything before offset {until} but holds mark"):
        job.write(job.fold(state, batch))
    heir.run()
    assert heir.starts[-1] == 0
    assert picture(fake) == whole
