"""The fold of signals: one shard's batch into the alerts it changes. Pure; time is event time.

- The same record again (its id and what it tells are known) changes nothing.
- An occurrence that begins within `CHATTER_MS` of its alert's last transition is merged into it: three
  transitions in `CHATTER_MS` are chatter, and chatter is one alert (ISA-18.2). One that begins later is
  an alert of its own, and ends the one before.
- What comes late is told all the same, with its age: life safety does not wait for order. It never
  ends what is newer.
- Every change writes the alert whole, under its id, with the record's offset as its revision; so a shard
  that is folded again writes the same again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec.structs import replace

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.signals.table import SIGNALS
from schemas.alerts import Alert, alert_id
from schemas.quarantine import Quarantined, Reason
from schemas.signals import SIGNAL_TYPES, Signal

__all__ = ["CHATTER_MS", "KEPT_MS", "SignalsOutput", "SignalsState", "fold_signals"]

CHATTER_MS: Final = 60_000
CHATTER_TRANSITIONS: Final = 3
KEPT_MS: Final = 24 * 3_600_000
"""How long an alert that ended is remembered, by the log's clock, so that what is sent again is known."""
_RECENT_MAX: Final = 16
_DECODE: Final = msgspec.json.Decoder(Signal).decode

_Key = tuple[str, str, str]


class Watched(msgspec.Struct, array_like=True):
    """One alarm of one device: its newest alert, its latest transitions (event times), and records known."""

    alert: Alert
    transitions: list[int]
    known: list[tuple[str, int]]


@dataclass(slots=True)
class SignalsState:
    """Everything a shard's fold remembers; `clock_ms` is the maximum of the log's append times."""

    next_offset: int = 0
    clock_ms: int = 0
    watched: dict[_Key, Watched] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SignalsOutput:
    """Alerts that changed, in log order (`(append time, alert)`), and records that are no signals."""

    alerts: list[tuple[int, Alert]] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)


def fold_signals(state: SignalsState, batch: ShardBatch) -> SignalsOutput:
    """Take a batch into the state (in place). ValueError if it does not begin where the state stands."""
    if batch.first_offset != state.next_offset:
        raise ValueError(f"{batch.shard}: received offset {batch.first_offset}, expected {state.next_offset}")
    output = SignalsOutput()
    for index, value in enumerate(batch.values):
        append_ms, offset = int(batch.append_times_ms[index]), int(batch.offsets[index])
        state.clock_ms = max(state.clock_ms, append_ms)
        if value is None:
            continue  # a tick
        signal = _decoded(value)
        if isinstance(signal, Signal):
            output.alerts.extend((append_ms, alert) for alert in _take(state, signal, offset))
        else:
            reason, detail = signal
            output.quarantined.append(
                Quarantined(
                    reason=reason,
                    detail=detail,
                    source="signals",
                    address=f"{batch.shard}@{offset}",
                    received_at_ms=append_ms,
                    payload=value,
                )
            )
    state.next_offset = batch.next_offset
    _forget(state)
    return output


def _decoded(value: bytes) -> Signal | tuple[Reason, str]:
    try:
        signal = _DECODE(value)
    except msgspec.ValidationError as error:
        return Reason.WRONG_TYPE, f"signal: {error}"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Reason.MALFORMED, f"signal: {error}"
    if signal.type not in SIGNAL_TYPES:
        allowed = ", ".join(SIGNAL_TYPES)
        return Reason.UNSUPPORTED, f"type: received {signal.type[:80]!r}, allowed: {allowed}"
    return signal


def _take(state: SignalsState, signal: Signal, offset: int) -> list[Alert]:
    """The alerts that the signal changes."""
    key = (signal.device, signal.type, signal.alarm)
    held = state.watched.get(key)
    record = (signal.id, signal.heard_at_ms)
    if held is None:
        if signal.state == "cleared":
            return []  # the end of what was never told
        alert = _raised(signal, offset)
        state.watched[key] = Watched(alert, [signal.observed_at_ms], [record])
        return [alert]
    if record in held.known:
        return []
    held.known = [*held.known, record][-_RECENT_MAX:]
    if signal.state == "cleared":
        return _cleared(held, signal.observed_at_ms, offset)
    if held.alert.active and signal.heard_at_ms:
        told_ms = max(held.alert.told_ms, signal.heard_at_ms)
        held.alert = replace(held.alert, told_ms=told_ms, revision=offset)
        return [held.alert]
    return _begun(held, signal, offset)


def _cleared(held: Watched, at_ms: int, offset: int) -> list[Alert]:
    if not held.alert.active or at_ms < held.alert.onset_ms:
        return []
    _note(held, at_ms)
    held.alert = replace(held.alert, active=False, cleared_ms=at_ms, revision=offset)
    return [held.alert]


def _begun(held: Watched, signal: Signal, offset: int) -> list[Alert]:
    """Merged into the alert it follows closely; else one of its own, and the one before is over."""
    before, at_ms = held.alert, signal.observed_at_ms
    if abs(at_ms - held.transitions[-1]) <= CHATTER_MS:
        _note(held, at_ms)
        held.alert = replace(
            before,
            active=True,
            cleared_ms=0,
            told_ms=max(before.told_ms, at_ms),
            count=before.count + 1,
            chattering=before.chattering or _chatters(held.transitions),
            explanation=_explanation(signal, before.count + 1),
            revision=offset,
        )
        return [held.alert]
    if at_ms < before.onset_ms:
        return [_raised(signal, offset, active=False)]  # an older one, told late: over since
    over = replace(before, active=False, cleared_ms=before.told_ms, revision=offset)
    held.alert, held.transitions = _raised(signal, offset), [at_ms]
    return [over, held.alert] if before.active else [held.alert]


def _note(held: Watched, at_ms: int) -> None:
    held.transitions = sorted([*held.transitions, at_ms])[-_RECENT_MAX:]


def _chatters(transitions: list[int]) -> bool:
    spans = zip(transitions, transitions[CHATTER_TRANSITIONS - 1 :], strict=False)
    return any(last - first <= CHATTER_MS for first, last in spans)


def _raised(signal: Signal, offset: int, *, active: bool = True) -> Alert:
    meaning = SIGNALS[signal.type]
    rule, at_ms = f"signal.{signal.type}", signal.observed_at_ms
    return Alert(
        id=alert_id(rule, signal.grid, at_ms, f"{signal.device}\0{signal.alarm}"),
        rule=rule,
        severity=meaning.severity,
        domain=SIGNAL_TYPES[signal.type],
        level="grid",
        place=signal.grid,
        onset_ms=at_ms,
        active=active,
        title=f"{meaning.chinese} {meaning.english}",
        revision=offset,
        simulated=signal.simulated,
        cleared_ms=0 if active else at_ms,
        told_ms=max(at_ms, signal.heard_at_ms),
        latched=meaning.latched,
        device=signal.device,
        subject=signal.subject,
        explanation=_explanation(signal, 1),
    )


def _explanation(signal: Signal, count: int) -> str:
    """Why, in words; how old it was when it came, where that is more than a minute."""
    meaning = SIGNALS[signal.type]
    where = f"（{signal.alarm}）" if signal.alarm else ""
    chinese, english = (
        f"设备 {signal.device}{where} 上报{meaning.chinese}",
        f"{signal.device} reports {meaning.english}",
    )
    if count > 1:
        chinese, english = f"{chinese}，共 {count} 次", f"{english}, {count} times"
    age_s = (signal.received_at_ms - max(signal.observed_at_ms, signal.heard_at_ms)) // 1000
    if age_s > CHATTER_MS // 1000:
        chinese, english = f"{chinese}，迟到 {age_s} 秒", f"{english}, {age_s} s late"
    return f"{chinese}。 {english}."


def _forget(state: SignalsState) -> None:
    """Drop alarms that ended long ago; one still active is never forgotten."""
    if len(state.watched) < 1_000:
        return
    oldest_ms = state.clock_ms - KEPT_MS
    gone = [k for k, w in state.watched.items() if not w.alert.active and w.alert.cleared_ms < oldest_ms]
    for key in gone:
        del state.watched[key]
