"""What a rule set would have told its operators: the log's own windows judged again, nobody notified."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from operations.alerts.kpis import LIMITS
from operations.alerts.load import DAY_MS, most_in
from pipelines.io.bounded import LogStretch
from pipelines.io.shards import shard_name
from pipelines.io.source import ShardSource
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.rules.model import RuleSet
from pipelines.kernels.watch.situations import SituationsSettings, SituationsState, fold_situations
from pipelines.kernels.watch.storms import StormState, fold_storms
from schemas.alerts import Alert, stands_for
from schemas.topics import WINDOWS

__all__ = ["Budget", "budget", "judge_log", "told"]

_TEN_MIN_MS: Final = 600_000
_TOP: Final = 10
_OF_THE_SET: Final = ("rule.", "detector.", "storm.rule.", "storm.detector.")


def judge_log(
    bootstrap: str, rules: RuleSet, settings: SituationsSettings, progress: Callable[[int, int], None]
) -> tuple[list[Alert], int]:
    """Every alert that rules and detectors would have raised over the windows the log holds.

    With it the event time (ms) of the first minute judged; detectors know nothing before it. `progress` is
    told (records done, of how many).
    """
    shard = shard_name(WINDOWS, 0)
    source = ShardSource(bootstrap, "taishi-rules-check")
    try:
        first, end = source.bounds(shard)
    finally:
        source.close()
    state, found, began_ms = SituationsState(), dict[str, Alert](), 0
    state.rollup.next_offset = first
    if first < end:
        for batch in LogStretch(bootstrap, shard, end).batches():
            began_ms = began_ms or int(batch.append_times_ms[0])
            found |= {alert.id: alert for alert in fold_situations(settings, rules, state, batch)}
            progress(batch.next_offset - first, end - first)
    return list(found.values()), began_ms


def told(judged: Iterable[Alert], kept: Iterable[Alert], since_ms: int) -> list[Alert]:
    """What stands on the operators' list: alerts of the set, the others as they were, storms as one each.

    `kept` are the alerts on the topic; of those what is not the set's own counts: signals, silence.
    """
    others = [alert for alert in kept if not alert.rule.startswith(_OF_THE_SET) and not alert.cause]
    all_of_them = sorted([*judged, *others], key=lambda alert: (alert.onset_ms, alert.id))
    values: list[bytes | None] = [
        msgspec.json.encode(msgspec.structs.replace(a, active=True)) for a in all_of_them
    ]
    offsets = np.arange(len(values), dtype=np.int64)
    batch = ShardBatch("alerts/0", 0, len(values), offsets, np.zeros(len(values), np.int64), values)
    parents = fold_storms(StormState(), batch)
    return [
        alert
        for alert in [*all_of_them, *parents]
        if alert.onset_ms >= since_ms and not any(stands_for(parent, alert) for parent in parents)
    ]


@dataclass(frozen=True, slots=True)
class Budget:
    """Alarms against what operators can take (IEC 62682: K1, K3, K5, K6, K8), each an operator's share."""

    days: float
    operators: int
    alerts: int
    a_day: float
    per_ten_min: float
    most_in_ten_min: float
    over_ten_share: float
    top: tuple[tuple[str, int], ...]
    top_share: float

    @property
    def kept(self) -> bool:
        """Whether the day's and the ten minutes' budgets hold."""
        return self.a_day <= LIMITS["K1"].acceptable and self.most_in_ten_min <= LIMITS["K6"].acceptable


def budget(alerts: Sequence[Alert], since_ms: int, until_ms: int, operators: int) -> Budget:
    """The load of a period; one source is a rule at a place."""
    at_ms = sorted(alert.onset_ms for alert in alerts)
    periods = max(1, round((until_ms - since_ms) / _TEN_MIN_MS))
    by_period = Counter((at - since_ms) // _TEN_MIN_MS for at in at_ms)
    over = sum(count / operators > LIMITS["K6"].acceptable for count in by_period.values())
    sources = Counter(f"{alert.rule}@{alert.place}" for alert in alerts).most_common(_TOP)
    days = max((until_ms - since_ms) / DAY_MS, 1e-9)
    return Budget(
        days=round(days, 2),
        operators=operators,
        alerts=len(alerts),
        a_day=len(alerts) / days / operators,
        per_ten_min=len(alerts) / periods / operators,
        most_in_ten_min=most_in(at_ms, _TEN_MIN_MS) / operators,
        over_ten_share=over / periods,
        top=tuple(sources),
        top_share=sum(count for _, count in sources) / len(alerts) if alerts else 0.0,
    )
