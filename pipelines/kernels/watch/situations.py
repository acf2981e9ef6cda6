"""The fold of the topic `windows` into alerts: rules and detectors on every closed minute of every place.

The grids' windows are rolled up again here (`pipelines.kernels.rollup`), by the same kernel as in
`situation`: alerts must not wait for InfluxDB, which that job does. Everything is decided from the log alone;
which rules are in force is given, and a change of them counts from the next minute.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.detect.district import DetectorSettings, DetectorState, detect
from pipelines.kernels.minute import Condition, Minute
from pipelines.kernels.rollup import fold_windows
from pipelines.kernels.rollup_state import RollupSettings, RollupState
from pipelines.kernels.rules.evaluate import evaluate
from pipelines.kernels.rules.model import RuleSet
from pipelines.kernels.rules.state import RulesState
from pipelines.kernels.watch.minutes import MINUTE_S, MinutesState, gather
from schemas.alerts import Alert, alert_id
from schemas.kinds import Domain

__all__ = ["SituationsSettings", "SituationsState", "alerts_of", "fold_situations", "judge"]

_READINGS: Final = "readings"
_SIMULATED: Final = "readings_simulated"


@dataclass(frozen=True, slots=True)
class SituationsSettings:
    """How the roll-up waits, and what the detectors may cost."""

    rollup: RollupSettings = field(default_factory=lambda: RollupSettings(sizes_s=(MINUTE_S,)))
    detectors: DetectorSettings = field(default_factory=DetectorSettings)


@dataclass(slots=True)
class SituationsState:
    """Everything remembered of the topic.

    `open`: alerts whose condition is true, by id; `simulated`: domains of which all readings of the last
    minute that had any were simulated.
    """

    rollup: RollupState = field(default_factory=RollupState)
    minutes: MinutesState = field(default_factory=dict)
    rules: RulesState = field(default_factory=RulesState)
    detectors: DetectorState = field(default_factory=DetectorState)
    open: dict[str, Alert] = field(default_factory=dict)
    simulated: dict[Domain, bool] = field(default_factory=dict)


def fold_situations(
    settings: SituationsSettings, rules: RuleSet, state: SituationsState, batch: ShardBatch
) -> list[Alert]:
    """The alerts a batch changes, in order. Records that are no windows are `situation`'s to quarantine."""
    windows = fold_windows(settings.rollup, state.rollup, batch).windows
    return [
        alert for minute in gather(state.minutes, windows) for alert in judge(settings, rules, state, minute)
    ]


def judge(
    settings: SituationsSettings, rules: RuleSet, state: SituationsState, minute: Minute
) -> list[Alert]:
    """The alerts that one closed minute changes."""
    _note_simulated(state, minute)
    by_rules = (dataclasses.replace(f, rule=f"rule.{f.rule}") for f in evaluate(rules, state.rules, minute))
    return alerts_of(state, [*by_rules, *detect(settings.detectors, state.detectors, minute)])


def alerts_of(state: SituationsState, conditions: Iterable[Condition]) -> list[Alert]:
    """Conditions as alerts; the state's `open` is changed in place.

    A revision is the event time of the change: the same minutes say the same, in whatever batches.
    """
    return [alert for found in conditions for alert in _alert(state, found)]


def _alert(state: SituationsState, found: Condition) -> list[Alert]:
    identity = alert_id(found.rule, found.place, found.onset_ms)
    if not found.active:
        before = state.open.pop(identity, None)
        if before is None:
            return []
        return [
            replace(
                before,
                active=False,
                cleared_ms=found.at_ms,
                revision=found.at_ms,
                explanation=f"{before.explanation} {found.explanation}".strip(),
            )
        ]
    alert = state.open[identity] = Alert(
        id=identity,
        rule=found.rule,
        severity=found.severity,
        domain=found.domain,
        level=found.level,
        place=found.place,
        onset_ms=found.onset_ms,
        active=True,
        title=found.title,
        observed=found.observed,
        expected=found.expected,
        threshold=found.threshold,
        revision=found.at_ms,
        simulated=state.simulated.get(found.domain, False),
        told_ms=found.at_ms,
        explanation=found.explanation,
    )
    return [alert]


def _note_simulated(state: SituationsState, minute: Minute) -> None:
    table = minute.tables["district"]
    sums = dict(zip(table.figures, table.values.sum(axis=0), strict=True))
    if sums[_READINGS] > 0:
        state.simulated[minute.domain] = bool(sums[_SIMULATED] >= sums[_READINGS])
