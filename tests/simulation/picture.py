"""What is there in the end, in a form in which two runs can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from pipelines.jobs.aggregate import windows_of
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.fold import fold
from pipelines.kernels.signals.fold import SignalsState, fold_signals
from pipelines.kernels.state import ShardState
from pipelines.kernels.watch.situations import SituationsState, fold_situations
from schemas.topics import LATE, QUARANTINE
from schemas.windows import WindowRecord
from tests.simulation.faults import hold
from tests.simulation.jobs import FOLD, RULES, WATCH
from tests.simulation.scenario import SENT_FOR_MS, T0

if TYPE_CHECKING:
    from schemas.alerts import Alert
    from tests.simulation.world import World

_OF_THE_LOG: Final = frozenset({"revision", "complete", "grids"})
"""Fields that tell of the log, not of the district."""
_WINDOW: Final = msgspec.json.Decoder(WindowRecord).decode
_ENCODE: Final = msgspec.json.Encoder().encode


def picture(world: World) -> dict[str, Any]:
    """What an undisturbed run of the seed must have too: the figures, the alerts of signals, the refused."""
    alerts = world.watcher.alerts.values()
    return {
        "figures": _figures(world),
        "alerts": {a.id: _told(a) for a in alerts if a.rule.startswith("signal.")},
        "late": {each.name for each in world.log.of(LATE)},
        "refused": {each.body for each in world.log.of(QUARANTINE)},
    }


def _figures(world: World) -> dict[tuple[str, int], dict[str, str]]:
    """Of windows that are over in both runs: all that began while something was sent, or ended by then."""
    found, longest = {}, world.scenario.leaps
    for (_, series, at_ms), fields in world.points.held.items():
        told = at_ms < T0 + SENT_FOR_MS and (longest or not series.endswith("window=4m"))
        if told and series.startswith(world.scenario.domain):
            figures = {name: value for name, value in fields.items() if name not in _OF_THE_LOG}
            if any(float(value) for value in figures.values()):
                found[series, at_ms] = figures
    return found


def _told(alert: Alert) -> tuple[object, ...]:
    return alert.rule, alert.place, alert.device, alert.onset_ms, alert.active, alert.cleared_ms, alert.count


def refold(world: World) -> None:
    """The same log folded in one piece says what was said in pieces, by deaths and all; Broken if not."""
    said = world.watcher.said
    for shard in (s for s in world.log.shards if s.startswith("readings.")):
        state, batch = ShardState(world.scenario.domain), _whole(world, shard)
        flushes = fold(FOLD, state, batch).flushes
        windows = [window for flush in flushes for window in windows_of(state.domain, shard, flush)]
        expected = {(w.domain, w.grid, w.window_s, w.start_ms, w.revision): _ENCODE(w) for w in windows}
        written = {key: body for key, body in said.items() if len(key) == 5 and _WINDOW(body).shard == shard}
        hold(written == expected, f"{shard}: windows {_difference(written, expected)}")
    if world.scenario.alarms:
        folded = fold_signals(SignalsState(), _whole(world, "signals/0")).alerts
        _same_alerts(world, "signal.", [alert for _, alert in folded])
    if world.scenario.watched:
        whole = fold_situations(WATCH, RULES, SituationsState(), _whole(world, "windows/0"))
        _same_alerts(world, "rule.", whole)


def _same_alerts(world: World, rule: str, folded: list[Alert]) -> None:
    expected = {alert.id: alert for alert in folded}
    written = {i: a for i, a in world.watcher.alerts.items() if a.rule.startswith(rule)}
    hold(written == expected, f"{rule} alerts {_difference(written, expected)}")


def _whole(world: World, shard: str) -> ShardBatch:
    """A partition as one batch. Those that are folded again are never compacted."""
    records = world.log.shards[shard]
    times = np.array([each.append_ms for each in records], np.int64)
    return ShardBatch(
        shard, 0, world.log.ends[shard], np.arange(len(records)), times, [each.body for each in records]
    )


def compare(disturbed: dict[str, Any], calm: dict[str, Any]) -> None:
    """Broken, with what differs."""
    for name, expected in calm.items():
        hold(disturbed[name] == expected, f"{name}: {_difference(disturbed[name], expected)}")


def _difference(found: Any, expected: Any) -> str:
    keys = [key for key in {*found, *expected} if key not in found or key not in expected]
    if not keys and isinstance(found, dict):
        keys = [key for key in found if found[key] != expected[key]]
    lines = []
    for key in sorted(keys, key=repr)[:5]:
        got, wanted = (each.get(key) if isinstance(each, dict) else key in each for each in (found, expected))
        lines.append(f"{key}: {got} instead of {wanted}")
    return f"{len(keys)} differ; " + "; ".join(lines)
