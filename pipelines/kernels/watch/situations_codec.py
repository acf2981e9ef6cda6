"""The state behind rules and detectors as bytes and back: each part as its own codec says. Versioned."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from pipelines.kernels.batch import Int64s
from pipelines.kernels.detect.codec import detector_from_bytes, detector_to_bytes
from pipelines.kernels.plan import plan_for
from pipelines.kernels.rollup_codec import rollup_from_bytes, rollup_to_bytes
from pipelines.kernels.rules.codec import rules_from_bytes, rules_to_bytes
from pipelines.kernels.watch.minutes import DomainMinutes
from pipelines.kernels.watch.situations import SituationsState
from schemas.alerts import Alert, Level
from schemas.errors import OutdatedState, received_allowed
from schemas.kinds import Domain

__all__ = ["VERSION", "situations_from_bytes", "situations_to_bytes"]

VERSION: Final = 1


class _Versioned(msgspec.Struct, frozen=True):
    version: int


class _MinutesBytes(msgspec.Struct, frozen=True):
    domain: Domain
    measures: tuple[str, ...]
    places: dict[Level, list[str]]
    closed_ms: int
    pending: list[tuple[int, Level, str, bytes]]


class _StateBytes(msgspec.Struct, frozen=True):
    version: int
    rollup: bytes
    minutes: list[_MinutesBytes]
    rules: bytes
    detectors: bytes
    open: list[Alert]
    simulated: dict[Domain, bool]


def situations_to_bytes(state: SituationsState) -> bytes:
    """The state, complete; its parts are compressed already."""
    return msgspec.msgpack.encode(
        _StateBytes(
            VERSION,
            rollup_to_bytes(state.rollup),
            [_minutes_bytes(domain, held) for domain, held in state.minutes.items()],
            rules_to_bytes(state.rules),
            detector_to_bytes(state.detectors),
            list(state.open.values()),
            state.simulated,
        )
    )


def situations_from_bytes(data: bytes) -> SituationsState:
    """The state that `situations_to_bytes` was given; OutdatedState when a part is of another release."""
    version = msgspec.msgpack.decode(data, type=_Versioned).version
    if version != VERSION:
        raise OutdatedState(received_allowed("checkpoint version of watch", version, (VERSION,)))
    held = msgspec.msgpack.decode(data, type=_StateBytes)
    return SituationsState(
        rollup=rollup_from_bytes(held.rollup),
        minutes={each.domain: _minutes(each) for each in held.minutes},
        rules=rules_from_bytes(held.rules),
        detectors=detector_from_bytes(held.detectors),
        open={alert.id: alert for alert in held.open},
        simulated=held.simulated,
    )


def _minutes_bytes(domain: Domain, held: DomainMinutes) -> _MinutesBytes:
    return _MinutesBytes(
        domain=domain,
        measures=plan_for(domain).measures,
        places={level: list(places) for level, places in held.places.items()},
        closed_ms=held.closed_ms,
        pending=[
            (start_ms, level, place, values.tobytes())
            for start_ms, rows in held.pending.items()
            for level, place, values in rows
        ],
    )


def _minutes(data: _MinutesBytes) -> DomainMinutes:
    today = plan_for(data.domain).measures
    if data.measures != today:
        raise OutdatedState(received_allowed(f"measures of {data.domain}", data.measures, today))
    held = DomainMinutes(closed_ms=data.closed_ms)
    held.places = {level: {place: row for row, place in enumerate(p)} for level, p in data.places.items()}
    for start_ms, level, place, values in data.pending:
        held.pending.setdefault(start_ms, []).append((level, place, _int64s(values)))
    return held


def _int64s(data: bytes) -> Int64s:
    return np.frombuffer(data, np.int64).copy()
