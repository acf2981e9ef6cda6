"""The simulated past's happenings as the alerts they would have raised, in the words of the live jobs.

What a device tells at once goes through the fold of signals itself; what a rule or a silence tells is put
together from the shipped rules and words, with the moments the happening gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec.structs import replace

from pipelines.io.rule_file import SHIPPED_RULES, read_rules
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.rules.model import Rule
from pipelines.kernels.rules.words import explain_end, explain_onset, title
from pipelines.kernels.signals.fold import SignalsState, fold_signals
from pipelines.kernels.watch.words import feed_words
from schemas.alerts import Alert, alert_id
from schemas.signals import Signal, signal_id
from simulation.history.happenings import Happening

__all__ = ["past_alerts"]

_SIGNALS: Final = {
    "fire": "smoke",
    "intrusion": "intrusion",
    "forced-door": "forced_door",
    "sos": "sos",
    "fall": "fall",
}
_RULES: Final = {"crowd": ("crowd-inflow", 420.0), "parking-full": ("parking-full", 0.97)}
"""What a rule tells: which one, and what it would have observed."""
_MINUTE_MS: Final = 60_000
_FEED_ALLOWED_MS: Final = 5 * _MINUTE_MS
_LONGEST_GAP_MS: Final = 40_000.0
_ENCODE: Final = msgspec.json.Encoder().encode


def past_alerts(happened: Sequence[Happening], until_ms: int) -> list[Alert]:
    """The alerts, as they stood at `until_ms`, by onset."""
    begun = [one for one in happened if one.from_ms < until_ms]
    alerts = [*_of_signals(begun, until_ms), *_of_rules(begun, until_ms), *_of_feeds(begun, until_ms)]
    return sorted(alerts, key=lambda alert: (alert.onset_ms, alert.id))


def _of_signals(happened: Iterable[Happening], until_ms: int) -> Iterable[Alert]:
    signals = [signal for one in happened if one.what in _SIGNALS for signal in _transitions(one)]
    told = sorted((s for s in signals if s.observed_at_ms < until_ms), key=lambda s: s.observed_at_ms)
    numbers = np.arange(len(told), dtype=np.int64)
    times = np.array([signal.received_at_ms for signal in told], np.int64)
    values: list[bytes | None] = [_ENCODE(signal) for signal in told]
    batch = ShardBatch("signals/0", 0, len(told), numbers, times, values)
    return {alert.id: alert for _, alert in fold_signals(SignalsState(), batch).alerts}.values()


def _transitions(one: Happening) -> Iterator[Signal]:
    kind = _SIGNALS[one.what]
    active = Signal(
        id=signal_id(one.device, kind, "", "active", one.from_ms),
        type=kind,
        state="active",
        device=one.device,
        grid=one.place,
        source="simulated",
        observed_at_ms=one.from_ms,
        received_at_ms=one.from_ms + 100,
        simulated=True,
    )
    yield active
    identity = signal_id(one.device, kind, "", "cleared", one.until_ms)
    yield replace(
        active,
        id=identity,
        state="cleared",
        observed_at_ms=one.until_ms,
        received_at_ms=one.until_ms + 100,
    )


def _of_rules(happened: Iterable[Happening], until_ms: int) -> Iterator[Alert]:
    rules = read_rules(SHIPPED_RULES).by_name
    for one in happened:
        if one.what in _RULES:
            name, observed = _RULES[one.what]
            yield from _judged(rules[name], one, observed, until_ms)


def _judged(rule: Rule, one: Happening, observed: float, until_ms: int) -> Iterator[Alert]:
    told_ms = one.from_ms + max(rule.on_delay_s * 1000, _MINUTE_MS)
    if told_ms >= until_ms:
        return
    cleared_ms = one.until_ms + rule.off_delay_s * 1000
    over, onset = cleared_ms < until_ms, explain_onset(rule, one.from_ms, observed, 20.0)
    ending = f" {explain_end(rule, 'normal', rule.threshold - rule.deadband, 20.0)}" if over else ""
    yield Alert(
        id=alert_id(f"rule.{rule.name}", one.place, one.from_ms),
        rule=f"rule.{rule.name}",
        severity=rule.severity,
        domain=rule.domain,
        level=one.level,
        place=one.place,
        onset_ms=one.from_ms,
        active=not over,
        title=title(rule),
        observed=observed,
        threshold=rule.threshold,
        revision=cleared_ms if over else told_ms,
        simulated=True,
        cleared_ms=cleared_ms if over else 0,
        told_ms=told_ms,
        explanation=onset + ending,
    )


def _of_feeds(happened: Iterable[Happening], until_ms: int) -> Iterator[Alert]:
    for one in happened:
        told_ms = one.from_ms + _FEED_ALLOWED_MS
        if one.what != "feed-dead" or told_ms >= until_ms:
            continue
        over = one.until_ms < until_ms
        heading, explanation = feed_words(one.device, _FEED_ALLOWED_MS, _LONGEST_GAP_MS)
        yield Alert(
            id=alert_id("silence.feed", one.place, one.from_ms, one.device),
            rule="silence.feed",
            severity="high",
            domain="",
            level="district",
            place=one.place,
            onset_ms=one.from_ms,
            active=not over,
            title=heading,
            observed=_FEED_ALLOWED_MS / 1000,
            threshold=_FEED_ALLOWED_MS / 1000,
            revision=one.until_ms if over else told_ms,
            simulated=True,
            cleared_ms=one.until_ms if over else 0,
            told_ms=told_ms,
            device=one.device,
            explanation=explanation,
        )
