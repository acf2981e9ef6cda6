"""Alerts as InfluxDB points: what boards show as annotations beside the series.

Measurement `alerts`; tags rule, severity, domain, level, place, device; time = the onset, so every version of
an alert is the same point, written whole. Of people nothing is written but where.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from pipelines.kernels.batch import ShardBatch
from schemas.alerts import Alert

__all__ = ["AnnotationsOutput", "AnnotationsState", "annotation", "fold_alerts"]

_DECODE: Final = msgspec.json.Decoder(Alert).decode
_TAGS: Final = ("rule", "severity", "domain", "level", "place", "device")
_TAG_ESCAPES: Final = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\n": "\\ ", "\\": "/"})
_TEXT_ESCAPES: Final = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": " "})


@dataclass(slots=True)
class AnnotationsState:
    """Where the shard stands: a point needs nothing but its own record."""

    next_offset: int = 0


@dataclass(frozen=True, slots=True)
class AnnotationsOutput:
    """Points to upsert, the newest version of each alert of the batch."""

    lines: list[str] = field(default_factory=list)


def fold_alerts(state: AnnotationsState, batch: ShardBatch) -> AnnotationsOutput:
    """The points of a batch of the topic `alerts`; what is no alert is passed over, as by every reader of it.

    ValueError if the batch does not begin where the state stands.
    """
    if batch.first_offset != state.next_offset:
        raise ValueError(f"{batch.shard}: received offset {batch.first_offset}, expected {state.next_offset}")
    state.next_offset = batch.next_offset
    newest: dict[str, Alert] = {}
    for alert in _alerts(batch.values):
        held = newest.get(alert.id)
        if held is None or held.revision <= alert.revision:
            newest[alert.id] = alert
    return AnnotationsOutput([annotation(alert) for alert in newest.values()])


def _alerts(values: Iterable[bytes | None]) -> Iterable[Alert]:
    for value in values:
        try:
            if value is not None:
                yield _DECODE(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue


def annotation(alert: Alert) -> str:
    """One point in line protocol, ms precision. An alert that goes on has `cleared_ms` 0."""
    tags = "".join(
        f",{name}={value.translate(_TAG_ESCAPES)}" for name in _TAGS if (value := str(getattr(alert, name)))
    )
    told = {"id": alert.id, "title": alert.title, "explanation": "" if alert.subject else alert.explanation}
    texts = "".join(f',{name}="{text.translate(_TEXT_ESCAPES)}"' for name, text in told.items())
    return (
        f"alerts{tags} active={int(alert.active)}i,cleared_ms={alert.cleared_ms}i,count={alert.count}i,"
        f"children={alert.children}i,simulated={int(alert.simulated)}i,revision={alert.revision}i{texts} "
        f"{alert.onset_ms}"
    )
