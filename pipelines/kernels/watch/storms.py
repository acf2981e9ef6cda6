"""Storms: many alerts with one cause in one place and time become one parent; the fold of topic `alerts`.

Five alerts of one rule that began within ten minutes are a storm of the smallest place that holds most of
them (community, street, district): a place holds most when it has four fifths of what the place above it has.
The parent is an alert of its own (`cause` names the rule it stands for, `schemas.alerts.stands_for` says for
which); it counts its children, grows to the place above when they spread, and is over when they are. Its
own alerts on the topic are passed over. Children are never changed: who made them goes on making them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec.structs import replace

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.watch.words import storm_words
from schemas.alerts import ONSET_BEFORE_MS, SEVERITIES, Alert, Severity, alert_id, stands_for

__all__ = ["LEAST", "StormState", "fold_storms"]

LEAST: Final = 5
"""Alerts of one cause within ten minutes that make a storm."""
_MOST: Final = 0.8
_MINUTE_MS: Final = 60_000
_PREFIX: Final = "storm."
_LEVELS: Final = ("community", "street", "district")
_DECODE: Final = msgspec.json.Decoder(Alert).decode


class Cause(msgspec.Struct, array_like=True):
    """Of one rule: the active alerts by id, how many began when in each area, and the parents that are open.

    `counts`: area -> minute of onset -> active alerts; `live`: parent id -> active children; `left`: ids of
    alerts that were over while a parent is open, so that one which comes again is not counted again.
    """

    members: dict[str, Alert]
    counts: dict[str, dict[int, int]]
    parents: dict[str, Alert]
    live: dict[str, int]
    left: set[str]

    def count(self, areas: list[str], onset_ms: int, change: int) -> None:
        """One more, or one less, in each of the areas."""
        for area in areas:
            minutes = self.counts.setdefault(area, {})
            minutes[onset_ms // _MINUTE_MS] = minutes.get(onset_ms // _MINUTE_MS, 0) + change
            if not minutes[onset_ms // _MINUTE_MS]:
                del minutes[onset_ms // _MINUTE_MS]

    def recent(self, area: str, onset_ms: int) -> int:
        """How many began in the area within ten minutes of a moment."""
        minute, span = onset_ms // _MINUTE_MS, ONSET_BEFORE_MS // _MINUTE_MS
        return sum(n for at, n in self.counts.get(area, {}).items() if abs(at - minute) <= span)


@dataclass(slots=True)
class StormState:
    """Everything remembered of the topic; `digits` of a place's code are its community, street, district."""

    digits: tuple[int, int, int] = (12, 9, 6)
    next_offset: int = 0
    causes: dict[str, Cause] = field(default_factory=dict)


def fold_storms(state: StormState, batch: ShardBatch) -> list[Alert]:
    """The parents a batch changes. Record by record, so that batches and restarts change nothing.

    What is no alert is passed over: the topic's readers quarantine it. ValueError if the batch does not
    begin where the state stands.
    """
    if batch.first_offset != state.next_offset:
        raise ValueError(f"{batch.shard}: received offset {batch.first_offset}, expected {state.next_offset}")
    changed: dict[str, Alert] = {}
    for offset, value in zip(batch.offsets.tolist(), batch.values, strict=True):
        try:
            alert = None if value is None else _DECODE(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            alert = None
        if alert is not None and not alert.cause:
            changed |= {parent.id: parent for parent in _take(state, alert, offset)}
    state.next_offset = batch.next_offset
    return list(changed.values())


def _take(state: StormState, alert: Alert, offset: int) -> list[Alert]:
    if alert.level not in ("device", "grid", "community", "street"):
        return []
    held = state.causes.setdefault(alert.rule, Cause({}, {}, {}, {}, set()))
    if alert.active:
        known = alert.id in held.members
        held.members[alert.id] = alert
        return [] if known else _joined(held, state.digits, alert, offset)
    over = (
        []
        if held.members.pop(alert.id, None) is None
        else _left(held, _areas(state.digits, alert), alert, offset)
    )
    if not held.members and not held.parents:
        del state.causes[alert.rule]
    return over


def _areas(digits: tuple[int, int, int], alert: Alert) -> list[str]:
    """The areas the alert is in, from its community (where it has one) to its district."""
    return [alert.place[:length] for length in digits if len(alert.place) >= length]


def _joined(held: Cause, digits: tuple[int, int, int], alert: Alert, offset: int) -> list[Alert]:
    held.count(_areas(digits, alert), alert.onset_ms, 1)
    changed = _counted(held, alert, offset)
    found = _place(held, digits, alert)
    if found is not None and not any(_covers(parent, found[1]) for parent in held.parents.values()):
        parent = _parent(held, alert, found, offset)
        held.parents[parent.id] = parent
        held.live[parent.id] = parent.children
        changed.append(parent)
    return changed


def _place(held: Cause, digits: tuple[int, int, int], alert: Alert) -> tuple[str, str] | None:
    """(level, code) of the smallest place that holds most of what began about now; None: it is no storm."""
    area = alert.place[: digits[-1]]
    count = held.recent(area, alert.onset_ms)
    if count < LEAST:
        return None
    chosen = (_LEVELS[-1], area)
    for level, length in zip(_LEVELS[-2::-1], digits[-2::-1], strict=True):
        if _LEVELS.index(level) < _depth(alert):
            break
        within = [code for code in held.counts if len(code) == length and code.startswith(chosen[1])]
        most = max(((held.recent(code, alert.onset_ms), code) for code in within), default=(0, ""))
        if most[0] < max(LEAST, _MOST * count):
            break
        count, chosen = most[0], (level, most[1])
    return chosen


def _depth(alert: Alert) -> int:
    """A parent is above its children: an alert of a community begins a storm of a street at the least."""
    return {"community": 1, "street": 2}.get(alert.level, 0)


def _covers(parent: Alert, place: str) -> bool:
    return place.startswith(parent.place)


def _parent(held: Cause, alert: Alert, found: tuple[str, str], offset: int) -> Alert:
    (level, place), rule = found, alert.rule
    members = [
        member
        for member in held.members.values()
        if member.place.startswith(place) and abs(member.onset_ms - alert.onset_ms) <= ONSET_BEFORE_MS
    ]
    first = min(members, key=lambda member: (member.onset_ms, member.id))
    title, explanation = storm_words(rule, first.title, level, len(members))
    parent = Alert(
        id=alert_id(f"{_PREFIX}{rule}", place, first.onset_ms),
        rule=f"{_PREFIX}{rule}",
        severity=_more_urgent(max(members, key=lambda m: SEVERITIES.index(m.severity)).severity),
        domain=first.domain,
        level=level,
        place=place,
        onset_ms=first.onset_ms,
        active=True,
        title=title,
        revision=offset,
        simulated=all(member.simulated for member in members),
        told_ms=max(max(m.told_ms, m.onset_ms) for m in members),
        explanation=explanation,
        cause=rule,
    )
    return replace(parent, children=sum(stands_for(parent, m) for m in held.members.values()))


def _more_urgent(severity: Severity) -> Severity:
    """A storm of what is low or medium is one step more; life safety is made by devices, not by counting."""
    return {"low": "medium", "medium": "high"}.get(severity, severity)  # type: ignore[return-value]


def _counted(held: Cause, alert: Alert, offset: int) -> list[Alert]:
    """The open parents that stand for a new alert, with one child more."""
    changed = []
    for parent in list(held.parents.values()):
        if not stands_for(parent, alert):
            continue
        held.live[parent.id] += 1
        if alert.id in held.left:
            continue
        title, explanation = storm_words(alert.rule, alert.title, parent.level, parent.children + 1)
        held.parents[parent.id] = replace(
            parent,
            children=parent.children + 1,
            title=title,
            explanation=explanation,
            told_ms=max(parent.told_ms, alert.told_ms, alert.onset_ms),
            revision=offset,
        )
        changed.append(held.parents[parent.id])
    return changed


def _left(held: Cause, areas: list[str], alert: Alert, offset: int) -> list[Alert]:
    """Parents none of whose children is active any more are over."""
    held.count(areas, alert.onset_ms, -1)
    over = []
    for parent in list(held.parents.values()):
        if not stands_for(parent, alert):
            continue
        held.left.add(alert.id)
        held.live[parent.id] -= 1
        if not held.live[parent.id]:
            ended_ms = max(alert.cleared_ms, parent.onset_ms)
            over.append(replace(parent, active=False, cleared_ms=ended_ms, revision=offset))
            del held.parents[parent.id], held.live[parent.id]
    if not held.parents:
        held.left.clear()
    return over
