"""Occurrences: begin, repeats, end and retransmissions of one alarm become one signal with a state.

A detector or camera says "alarm" again and again while it lasts (a real recorder posted one 4,268
times), says "all well" every few minutes though nothing was wrong, and sends after an outage what it
had sent before. On the log stands each occurrence once: its begin, counted once, and its end.

An occurrence is named by device, signal type and the device's own name for it (`alarm`: a region,
an alarm id). It is over when the device says so, or after `QUIET_S` without a word of it: what comes
then is another one. While it lasts it is told again every `MARK_S`, under the same id and without
counting; quiet is measured from what was told, so memory and log agree. Event times decide, never
arrival. A press of a button (`sos`) and a forced door are moments, not states: each is its own.

Nothing acknowledged is lost: until Kafka has confirmed what was told last, a repeat sends the very
same record again (same ids, so it counts once); only then are repeats dropped. A new process
recalls what stands on the log (`recall`) before it takes anything.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from connectors.alarms import SIGNAL_OF
from connectors.base import Decoded, Observation, SignalEvent
from schemas.kinds import metric_key
from schemas.signals import Signal

__all__ = ["LASTING", "MARK_S", "QUIET_S", "Occurrences", "Told"]

LASTING: Final = frozenset(
    {"smoke", "heat", "gas", "manual_call", "intrusion", "line_crossing", "tamper", "fall"}
)
"""Signal types that last; the others are moments."""
QUIET_S: Final = 300
MARK_S: Final = 60
_QUIET_MS: Final = QUIET_S * 1000
_MARK_MS: Final = MARK_S * 1000
_KNOWN_MAX: Final = 100_000
_SPANS_MAX: Final = 8

_Key = tuple[str, str, str]


@dataclass(slots=True)
class _Occurrence:
    """`last` is what was told last (begin, mark or end), `told_ms` the event time it told of.

    `spans` are the occurrences of that name before: (begin, end).
    """

    last: Told
    begun_at_ms: int
    told_ms: int
    confirmed: bool = False
    spans: list[tuple[int, int]] = field(default_factory=list)

    @property
    def active(self) -> bool:
        return self.last.signal.state == "active"


@dataclass(frozen=True, slots=True)
class Told:
    """A begin, a mark or an end as it goes to the log: the signal, and the readings that count it."""

    signal: SignalEvent
    observations: tuple[Observation, ...] = ()


class Occurrences:
    """What the devices of one door are alarming about. May be used from any thread.

    Bounded: of more than 100,000 names the one that was silent longest is forgotten.
    """

    def __init__(self) -> None:
        self._held: OrderedDict[_Key, _Occurrence] = OrderedDict()
        self._lock = threading.Lock()

    def settle(self, decoded: Decoded) -> tuple[Decoded, tuple[Told, ...]]:
        """The message without what was told before, and what is to be confirmed once Kafka has it."""
        if not decoded.signals or not any(signal.type in LASTING for signal in decoded.signals):
            return decoded, ()
        with self._lock:
            told = [self._take(*pair) for pair in _pairs(decoded)]
        goes_on = [each for each in told if each is not None]
        counted = {id(o) for signal in decoded.signals for o in _counting(signal, decoded.observations)}
        others = tuple(o for o in decoded.observations if id(o) not in counted)
        settled = replace(
            decoded,
            observations=others + tuple(dict.fromkeys(o for each in goes_on for o in each.observations)),
            signals=tuple(each.signal for each in goes_on),
        )
        return settled, tuple(each for each in goes_on if each.signal.type in LASTING)

    def confirm(self, told: Iterable[Told]) -> None:
        """Kafka has them: from now on their repeats say nothing new."""
        with self._lock:
            for each in told:
                held = self._held.get(_key(each.signal))
                if held is not None and held.last.signal == each.signal:
                    held.confirmed = True

    def recall(self, signal: Signal) -> None:
        """Take up what stands on the log, record by record in its order."""
        event = SignalEvent(
            signal.type,
            signal.state,
            signal.device,
            signal.observed_at_ms,
            signal.alarm,
            signal.subject,
            heard_at_ms=signal.heard_at_ms,
        )
        if event.type in LASTING:
            with self._lock:
                told = self._take(event, ())
                if told is not None:
                    self._held[_key(event)].confirmed = True

    def _take(self, seen: SignalEvent, observations: tuple[Observation, ...]) -> Told | None:
        told = Told(seen, observations)
        if seen.type not in LASTING:
            return told
        key = _key(seen)
        held = self._held.get(key)
        if held is None:
            return self._begin(key, told, []) if seen.state == "active" else None
        self._held.move_to_end(key)
        at_ms = seen.heard_at_ms or seen.observed_at_ms
        if any(begin <= at_ms <= end for begin, end in held.spans):
            return None
        if at_ms < held.begun_at_ms:
            # Of an earlier one that was never heard of here: it goes on, and changes nothing of today.
            return told if seen.state == "active" else None
        return self._active(key, held, told, at_ms) if seen.state == "active" else _cleared(held, told, at_ms)

    def _active(self, key: _Key, held: _Occurrence, told: Told, at_ms: int) -> Told | None:
        since_ms = at_ms - held.told_ms
        if since_ms > (_QUIET_MS if held.active else 0):
            end_ms = min(held.told_ms + _QUIET_MS, at_ms - 1) if held.active else held.told_ms
            return self._begin(key, told, [*held.spans, (held.begun_at_ms, end_ms)][-_SPANS_MAX:])
        if not held.active:
            return None
        if not held.confirmed:
            return held.last
        if since_ms < _MARK_MS:
            return None
        mark = replace(held.last.signal, heard_at_ms=at_ms)
        held.last, held.told_ms, held.confirmed = Told(mark), at_ms, False
        return held.last

    def _begin(self, key: _Key, told: Told, spans: list[tuple[int, int]]) -> Told:
        begun_at_ms = told.signal.observed_at_ms
        told_ms = max(begun_at_ms, told.signal.heard_at_ms)
        self._held[key] = _Occurrence(told, begun_at_ms, told_ms, spans=spans)
        self._held.move_to_end(key)
        if len(self._held) > _KNOWN_MAX:
            self._held.popitem(last=False)
        return told


def _cleared(held: _Occurrence, told: Told, at_ms: int) -> Told | None:
    if not held.active:
        return None if held.confirmed else held.last
    held.last, held.told_ms, held.confirmed = told, max(held.told_ms, at_ms), False
    return told


def _key(signal: SignalEvent) -> _Key:
    return signal.device, signal.type, signal.alarm


def _pairs(decoded: Decoded) -> Iterable[tuple[SignalEvent, tuple[Observation, ...]]]:
    return ((signal, _counting(signal, decoded.observations)) for signal in decoded.signals)


def _counting(signal: SignalEvent, observations: Iterable[Observation]) -> tuple[Observation, ...]:
    """The readings that count the signal's begin."""
    return tuple(
        each
        for each in observations
        if each.device == signal.device
        and each.observed_at_ms == signal.observed_at_ms
        and SIGNAL_OF.get(metric_key(each.kind, each.metric)) == signal.type
    )
