"""The fold of the topic `presence` into alerts: three kinds of quiet, three kinds of alert.

- `silence.<kind>`: a device says nothing. Of a feed that is silent as a whole its devices are not told of
  singly; those that stay silent when it is back are told of then.
- `silence.feed`: nothing comes from a source, though it used to: one alert, however many devices it has.
- `silence.person`: somebody does not move for unusually long, while the feed of their sensors is well.

A source may be silent for five of the longest gaps it had lately, never less than a minute, and is judged
after ten minutes. Recordings (`file.…`) end, and are no feeds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec.structs import replace

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.watch.words import feed_words, person_words, silence_words
from schemas.alerts import Alert, alert_id
from schemas.kinds import KINDS
from schemas.presence import PresenceRecord, Pulse, Silence, Stillness

__all__ = ["Feed", "SilenceState", "fold_silence"]

_DECODE: Final = msgspec.json.Decoder(PresenceRecord).decode
_ALLOWED_MIN_MS: Final = 60_000
_ALLOWED_GAPS: Final = 5
_LONGEST_KEPT: Final = 0.999
_KNOWN_MS: Final = 600_000
_HEARD_MIN: Final = 30
_STANDSTILL_MS: Final = 60_000
_RETURN_MS: Final = 600_000
"""How long after its feed a device may take to be heard again."""


class Feed(msgspec.Struct, array_like=True):
    """One source.

    `heard`: pulses it was in; `longest_ms`: of its gaps, forgotten over some hours; `back_ms`: when it came
    back from its last silence.
    """

    first_ms: int
    last_ms: int
    heard: int = 0
    longest_ms: float = 0.0
    simulated: bool = False
    back_ms: int = 0
    alert: Alert | None = None

    @property
    def allowed_ms(self) -> float:
        """How long it may be silent."""
        return max(_ALLOWED_MIN_MS, _ALLOWED_GAPS * self.longest_ms)

    def fails(self, now_ms: int) -> bool:
        """Whether its silence has just become too long."""
        known = self.heard >= _HEARD_MIN and self.last_ms - self.first_ms >= _KNOWN_MS
        return known and self.alert is None and now_ms - self.last_ms > self.allowed_ms


@dataclass(slots=True)
class SilenceState:
    """Everything remembered of the topic.

    `open`: alerts of devices and people whose quiet lasts; `waiting`: silent devices of a feed that is, or
    just was, silent itself.
    """

    district: str
    next_offset: int = 0
    clock_ms: int = 0
    feeds: dict[str, Feed] = field(default_factory=dict)
    open: dict[str, Alert] = field(default_factory=dict)
    waiting: dict[str, Silence] = field(default_factory=dict)


def fold_silence(state: SilenceState, batch: ShardBatch) -> list[Alert]:
    """The alerts a batch changes, in log order; the state is changed in place.

    A record that is none of ours is passed over: only `presence` writes here, and a newer release may add
    kinds of records. ValueError if the batch does not begin where the state stands.
    """
    if batch.first_offset != state.next_offset:
        raise ValueError(f"{batch.shard}: received offset {batch.first_offset}, expected {state.next_offset}")
    output: list[Alert] = []
    for offset, value in zip(batch.offsets.tolist(), batch.values, strict=True):
        if value is None:
            continue
        try:
            record = _DECODE(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if isinstance(record, Pulse):
            output += _pulse(state, record, offset)
        elif isinstance(record, Silence):
            output += _device(state, record, offset)
        else:
            output += _person(state, record, offset)
    state.next_offset = batch.next_offset
    return output


def _pulse(state: SilenceState, pulse: Pulse, offset: int) -> list[Alert]:
    if state.clock_ms and pulse.at_ms - state.clock_ms > _STANDSTILL_MS:
        for feed in state.feeds.values():
            feed.last_ms += pulse.at_ms - state.clock_ms  # nobody could be heard
    output = []
    for source, count in pulse.sources.items():
        if count and not source.startswith("file."):
            output += _hear(state, source, pulse, offset)
    if pulse.at_ms > state.clock_ms:
        state.clock_ms = pulse.at_ms
        output += _look(state, offset)
    return output


def _hear(state: SilenceState, source: str, pulse: Pulse, offset: int) -> list[Alert]:
    at_ms = pulse.at_ms
    feed = state.feeds.setdefault(source, Feed(at_ms, at_ms))
    feed.simulated = pulse.simulated.get(source, 0) == pulse.sources[source]
    if at_ms <= feed.last_ms and feed.heard:
        return []  # another shard said so
    feed.heard += 1
    alert, feed.alert = feed.alert, None
    if alert is None:
        feed.longest_ms = max(feed.longest_ms * _LONGEST_KEPT, at_ms - feed.last_ms)
    feed.last_ms = at_ms
    if alert is None:
        return []
    feed.back_ms = at_ms
    return [replace(alert, active=False, cleared_ms=at_ms, revision=offset)]


def _look(state: SilenceState, offset: int) -> list[Alert]:
    """Feeds that have just failed, and devices that did not come back with theirs."""
    output, now_ms = [], state.clock_ms
    for source, feed in state.feeds.items():
        if feed.fails(now_ms):
            feed.alert = _feed_alert(state.district, source, feed, now_ms, offset)
            output.append(feed.alert)
    due = [
        d for d, s in state.waiting.items() if _feed_is_well(state, s.source, since_ms=now_ms - _RETURN_MS)
    ]
    output += [_raise(state, _device_alert(state.waiting.pop(device), offset), device) for device in due]
    return output


def _feed_is_well(state: SilenceState, source: str, *, since_ms: int) -> bool:
    feed = state.feeds.get(source)
    return feed is None or (feed.alert is None and feed.back_ms <= since_ms)


def _device(state: SilenceState, silence: Silence, offset: int) -> list[Alert]:
    state.waiting.pop(silence.device, None)
    if not silence.active:
        return _clear(state, silence.device, silence.at_ms, offset)
    if silence.device in state.open:
        return []
    feed = state.feeds.get(silence.source)
    quiet = feed is not None and silence.at_ms - feed.last_ms > _ALLOWED_MIN_MS
    if quiet or not _feed_is_well(state, silence.source, since_ms=silence.at_ms - _RETURN_MS):
        state.waiting[silence.device] = silence
        return []
    return [_raise(state, _device_alert(silence, offset), silence.device)]


def _person(state: SilenceState, stillness: Stillness, offset: int) -> list[Alert]:
    key = f"person\0{stillness.subject}"
    if not stillness.active:
        return _clear(state, key, stillness.at_ms, offset)
    if key in state.open or not _feed_is_well(state, stillness.source, since_ms=stillness.since_ms):
        return []
    return [_raise(state, _person_alert(stillness, offset), key)]


def _raise(state: SilenceState, alert: Alert, key: str) -> Alert:
    state.open[key] = alert
    return alert


def _clear(state: SilenceState, key: str, at_ms: int, offset: int) -> list[Alert]:
    alert = state.open.pop(key, None)
    return [] if alert is None else [replace(alert, active=False, cleared_ms=at_ms, revision=offset)]


def _device_alert(silence: Silence, offset: int) -> Alert:
    rule = f"silence.{silence.kind}"
    title, explanation = silence_words(silence)
    return Alert(
        id=alert_id(rule, silence.grid, silence.since_ms, silence.device),
        rule=rule,
        severity="low",
        domain=KINDS[silence.kind].domain if silence.kind in KINDS else "",
        level="grid",
        place=silence.grid,
        onset_ms=silence.since_ms,
        active=True,
        title=title,
        observed=(silence.at_ms - silence.since_ms) / 1000,
        threshold=float(silence.allowed_s),
        revision=offset,
        simulated=silence.simulated,
        told_ms=silence.at_ms,
        device=silence.device,
        explanation=explanation,
    )


def _feed_alert(district: str, source: str, feed: Feed, now_ms: int, offset: int) -> Alert:
    title, explanation = feed_words(source, now_ms - feed.last_ms, feed.longest_ms)
    return Alert(
        id=alert_id("silence.feed", district, feed.last_ms, source),
        rule="silence.feed",
        severity="high",
        domain="",
        level="district",
        place=district,
        onset_ms=feed.last_ms,
        active=True,
        title=title,
        observed=(now_ms - feed.last_ms) / 1000,
        threshold=feed.allowed_ms / 1000,
        revision=offset,
        simulated=feed.simulated,
        told_ms=now_ms,
        device=source,
        explanation=explanation,
    )


def _person_alert(stillness: Stillness, offset: int) -> Alert:
    title, explanation = person_words(stillness)
    return Alert(
        id=alert_id("silence.person", stillness.grid, stillness.since_ms, stillness.subject),
        rule="silence.person",
        severity="high",
        domain="care",
        level="grid",
        place=stillness.grid,
        onset_ms=stillness.since_ms,
        active=True,
        title=title,
        observed=(stillness.at_ms - stillness.since_ms) / 1000,
        revision=offset,
        simulated=stillness.simulated,
        told_ms=stillness.at_ms,
        subject=stillness.subject,
        explanation=explanation,
    )
