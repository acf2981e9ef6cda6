"""What must hold after every step, whatever has gone wrong until then."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import msgspec

from operations.cases.codes import STATES
from pipelines.io.checkpoints import Checkpoint
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.state import ACCOUNTS, ShardState
from schemas.alerts import Alert, alert_id
from schemas.signals import Signal
from schemas.topics import ALERTS, CHECKPOINTS, SIGNALS, WINDOWS
from schemas.windows import Progress, Window, WindowRecord
from tests.simulation.desk import CONFIG
from tests.simulation.faults import hold
from tests.simulation.jobs import BATCH_MAX, FOLD

if TYPE_CHECKING:
    from pipelines.jobs.line import LineRuntime
    from tests.simulation.log import Stored
    from tests.simulation.world import World

_WINDOW: Final = msgspec.json.Decoder(WindowRecord).decode
_ALERT: Final = msgspec.json.Decoder(Alert).decode
_SIGNAL: Final = msgspec.json.Decoder(Signal).decode
_CHECKPOINT: Final = msgspec.msgpack.Decoder(Checkpoint).decode
_PANES_MAX: Final = (FOLD.lateness_ms + FOLD.skew_max_ms) // FOLD.pane_ms + 2 * FOLD.panes_per_block
_ENTRIES: Final = """
SELECT f.number, f.case_id, f.version, f.verb, f.from_state, f.to_state, c.workflow
FROM case_flow f JOIN cases c ON c.id = f.case_id WHERE f.number > ? ORDER BY f.number"""
_BY_ITSELF: Final = frozenset({"open", "attach", "warn", "overdue", "recompute"})
"""Verbs of no workflow's move, after which the state is the same."""


class Watcher:
    """Sees every record as it is appended and every step as it ends; its sums are its own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.said: dict[tuple[object, ...], bytes] = {}
        self.received: dict[str, list[int]] = defaultdict(list)
        self.confirmed: dict[tuple[str, str], int] = defaultdict(int)
        self.positions: dict[tuple[str, str], int] = defaultdict(int)
        self.alerts: dict[str, Alert] = {}
        self._evidence: set[str] = set()
        self._places: set[str] = set()
        self._closed: dict[str, tuple[int, int]] = {}
        self._marks: dict[tuple[object, str], int] = {}
        self._flow = 0
        self._states: dict[str, tuple[int, str]] = {}

    def appended(self, stored: Stored) -> None:
        """A record was appended."""
        if stored.body is None:
            return
        topic = stored.topic()
        self.received[stored.shard].append(stored.at)
        if topic == WINDOWS:
            self._window(_WINDOW(stored.body), stored.body)
        elif topic == ALERTS:
            self._alert(_ALERT(stored.body), stored.body)
        elif topic == SIGNALS:
            signal = _SIGNAL(stored.body)
            what = f"{signal.device}\0{signal.alarm}"
            self._evidence.add(alert_id(f"signal.{signal.type}", signal.grid, signal.observed_at_ms, what))
        elif topic == CHECKPOINTS:
            self._checkpoint(_CHECKPOINT(stored.body))

    def _same(self, key: tuple[object, ...], body: bytes) -> bool:
        """Whether it is said for the first time; what is said again under its key is the same."""
        before = self.said.setdefault(key, body)
        hold(before == body, f"{key}: said {before!r} and then {body!r}")
        return before is body

    def _window(self, record: Window | Progress, body: bytes) -> None:
        if isinstance(record, Window):
            self._places.add(record.grid)
            self._same((record.domain, record.grid, record.window_s, record.start_ms, record.revision), body)
        elif self._same((record.shard, record.revision), body):
            revision, closed_ms = self._closed.get(record.shard, (-1, 0))
            hold(record.revision > revision, f"{record.shard}: {record} after revision {revision}")
            hold(record.closed_through_ms >= closed_ms, f"{record.shard}: the watermark went back: {record}")
            self._closed[record.shard] = record.revision, record.closed_through_ms

    def _alert(self, alert: Alert, body: bytes) -> None:
        self._same((alert.id, alert.revision), body)
        if alert.rule.startswith("signal."):
            hold(alert.id in self._evidence, f"an alert without a signal: {alert}")
        else:
            hold(any(p.startswith(alert.place) for p in self._places), f"an alert without a window: {alert}")
        before = self.alerts.get(alert.id)
        if before is None or before.revision < alert.revision:
            self.alerts[alert.id] = alert

    def _checkpoint(self, checkpoint: Checkpoint) -> None:
        key = (checkpoint.job, checkpoint.shard)
        confirmed = self.confirmed[key]
        words = f"checkpoint at {checkpoint.next_offset}, outputs written to {confirmed}"
        hold(checkpoint.next_offset <= confirmed, f"{key}: {words}")

    def not_closed(self, until_ms: int) -> list[str]:
        """Shards of readings that have not closed everything up to then, with all they have received."""
        left = []
        for shard in (each for each in self._world.log.shards if each.startswith("readings.")):
            revision, closed_ms = self._closed.get(shard, (-1, 0))
            newest = max(self.received[shard], default=-1)
            if closed_ms < until_ms or revision <= newest:
                left.append(f"{shard} closed to {closed_ms} of {until_ms}, record {revision} of {newest}")
        return left

    def started(self, name: str, runtime: LineRuntime[Any, Any]) -> None:
        """A job goes on where the checkpoint says that counts: highest epoch, then furthest."""
        self.positions |= {(name, shard): offset for shard, offset in runtime.next_offsets().items()}
        if runtime.settings.from_oldest:
            return
        held = [_CHECKPOINT(each.body) for each in self._world.log.of(CHECKPOINTS)]
        for shard, offset in runtime.next_offsets().items():
            counting = [(c.epoch, c.next_offset) for c in held if (c.job, c.shard) == (name, shard)]
            wanted = max(counting, default=(0, 0))[1]
            hold(offset == wanted, f"{name}/{shard}: went on at {offset}, its checkpoint says {wanted}")

    def folded(self, name: str, runtime: LineRuntime[Any, Any], batch: ShardBatch) -> None:
        """A batch was folded."""
        hold(len(batch) <= BATCH_MAX, f"{name}: a batch of {len(batch)}")
        state = runtime.states()[batch.shard]
        if isinstance(state, ShardState):
            self._accounts(batch.shard, state)
            self._watermark(runtime, batch.shard, state)
            hold(len(state.panes) <= _PANES_MAX, f"{batch.shard}: {len(state.panes)} panes")

    def _accounts(self, shard: str, state: ShardState) -> None:
        counted = dict(zip(ACCOUNTS, state.accounts.sum(axis=1).tolist(), strict=True))
        received = bisect_left(self.received[shard], state.next_offset)
        became = sum(counted[what] for what in ACCOUNTS[1:])
        hold(received == counted["consumed"] == became, f"{shard}: received {received}, became {counted}")

    def _watermark(self, process: object, shard: str, state: ShardState) -> None:
        before = self._marks.get((process, shard))
        hold(before is None or before <= state.watermark_ms, f"{shard}: the watermark went back")
        self._marks[process, shard] = state.watermark_ms

    def written(self, name: str, batch: ShardBatch) -> None:
        """A batch's outputs are written, or posted in front of the checkpoint, as far as the job knows."""
        key = (name, batch.shard)
        self.positions[key] = batch.next_offset
        self.confirmed[key] = max(self.confirmed[key], batch.next_offset)

    def acted(self) -> None:
        """The desk did something: the flow log goes on by legal moves, and an alert has one case."""
        rows = self._world.desk.rows(_ENTRIES, self._flow)
        for row in rows:
            self._flow = row[0]
            self._moved(*row[1:])
        twice = self._world.desk.rows(
            "SELECT alert_id FROM case_alerts GROUP BY alert_id HAVING count(DISTINCT case_id) > 1"
        )
        hold(not twice, f"alerts with two cases: {twice}")

    def _moved(self, case: str, number: int, verb: str, before: str, after: str, workflow: str) -> None:
        version, state = self._states.get(case, (0, ""))
        words = f"{case}: {verb} {number} from {before!r} to {after!r}"
        hold(number == version + 1 and before == state, f"{words}, it was {version} in {state!r}")
        move = CONFIG.workflows[workflow].moves.get(verb)
        if move is not None:
            hold(before in move.from_, f"{words}: possible in {move.from_}")
            hold(move.to not in STATES or move.to == after, f"{words}: leads to {move.to}")
        else:
            hold(verb in _BY_ITSELF and (after == before or not before), f"{words}: of no workflow")
        self._states[case] = number, after
