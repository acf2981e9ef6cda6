"""The door every transport uses: a message is accepted when Kafka has it, and only then told so.

accept:  1 count it in flight   2 decode   3 resolve   4 produce   5 Kafka confirms   6 tell the sender

What a kill leaves behind, wherever it falls:
- before 5: nothing confirmed. The sender has no acknowledgement and sends again; records that did
  reach the log are there twice, with the same reading id, and the fold drops the second.
- between 5 and 6: in the log, the sender not told. It sends again: same ids, dropped again.
- after 6: in the log, acknowledged.
Never acknowledged and not in the log; so nothing here is written to disk.

Kafka away: step 5 does not come. Messages stay in flight, up to the limits; then `has_room` is false
and each transport stops taking (MQTT no longer reads its socket, HTTP answers 503).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from connectors.auto_register import AutoRegister
from connectors.base import Answer, Answering, Codec, Decoded, Devices, Message, Outcome, Rejected
from connectors.device_rate import DeviceRates
from connectors.judge import Verdict, judge, quarantine_record
from connectors.occurrences import Occurrences, Told
from connectors.producer import LogProducer, Record
from connectors.resolve import Resolver
from connectors.scorecard import Heard, Scorecard
from connectors.telemetry import SourceTelemetry
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["Gateway", "Limits", "Outcome"]

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be in flight at once, and how large one message may be to be decoded at all.

    A camera's post with a few pictures is a few megabytes.
    """

    messages: int = 5_000
    records: int = 200_000
    payload_bytes: int = 64 * 1024 * 1024
    message_bytes: int = 8 * 1024 * 1024


@dataclass(slots=True)
class _Sums:
    """What the messages of one codec, taken together, came to."""

    messages: int = 0
    readings: int = 0
    signals: int = 0
    refused: list[Reason] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)


class Gateway:
    """The accept path of one transport. `accept` may be called from any thread.

    `codecs` is every codec by name; sources are named `<transport>.<codec>`. `occurrences` are what
    stands on the log already (`connectors.recall`); `newcomers` keeps devices that nobody registered,
    `scorecard` how good what each vendor sends is, and `device_rates` how much of each device is taken.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a door is made of
        self,
        transport: str,
        codecs: Mapping[str, Codec],
        devices: Devices,
        resolver: Resolver,
        producer: LogProducer,
        limits: Limits | None = None,
        occurrences: Occurrences | None = None,
        newcomers: AutoRegister | None = None,
        scorecard: Scorecard | None = None,
        device_rates: DeviceRates | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._occurrences = occurrences or Occurrences()
        self._newcomers = newcomers
        self._scorecard = scorecard
        self._device_rates = device_rates
        self._codecs = codecs
        self._devices = devices
        self._resolver = resolver
        self._producer = producer
        self._sources = {name: f"{transport}.{name}" for name in codecs}
        self._telemetry = {name: SourceTelemetry(source) for name, source in self._sources.items()}
        self._lock = threading.Lock()
        self._messages = self._records = self._bytes = 0

    @property
    def in_flight(self) -> int:
        """Messages taken and not yet confirmed."""
        return self._messages

    def has_room(self) -> bool:
        """Whether one more message may be taken now."""
        return self.room() > 0

    def room(self) -> int:
        """How many messages may be taken now."""
        limits = self.limits
        if self._records >= limits.records or self._bytes >= limits.payload_bytes:
            return 0
        return limits.messages - self._messages

    def accept(self, message: Message, codec: str, on_done: Callable[[Outcome], None]) -> None:
        """Take the message; `on_done` is called once Kafka has confirmed everything it led to.

        `on_done` runs on the delivery thread (here, for a message that leads to no record).
        """
        self._accept(((message, codec),), lambda outcomes: on_done(outcomes[0]))

    def accept_all(self, messages: Sequence[tuple[Message, str]], on_done: Callable[[], None]) -> None:
        """Take several, each with its codec, that stand or fall together: cheaper than one by one."""
        self._accept(messages, lambda _outcomes: on_done())

    def _accept(
        self, messages: Sequence[tuple[Message, str]], on_done: Callable[[Sequence[Outcome]], None]
    ) -> None:
        sums: dict[str, _Sums] = {}
        outcomes: list[Outcome] = []
        records: list[Record] = []
        for message, codec in messages:
            of = sums.get(codec) or sums.setdefault(codec, _Sums())
            verdict, told = self._verdict(message, codec, of.heard)
            of.messages += 1
            of.readings += verdict.readings
            of.signals += verdict.signals
            if verdict.rejected is None:
                of.told.extend(told)
            else:
                of.refused.append(verdict.rejected.reason)
            records.extend(verdict.records)
            outcomes.append(Outcome(verdict.readings, verdict.signals, verdict.rejected))
        payload_bytes = sum(len(message.payload) for message, _ in messages)
        taken = (len(messages), len(records), payload_bytes)
        for codec, of in sums.items():
            self._telemetry[codec].received.inc(of.messages)
            self._telemetry[codec].in_flight.inc(of.messages)
            self._score(codec, of.heard)
        self._take(*taken)

        def delivered() -> None:
            self._take(*(-each for each in taken))
            for codec, of in sums.items():
                self._confirmed(self._telemetry[codec], of)
            on_done(outcomes)

        self._producer.deliver(tuple(records), delivered)

    def _confirmed(self, telemetry: SourceTelemetry, of: _Sums) -> None:
        telemetry.in_flight.dec(of.messages)
        telemetry.acknowledged.inc(of.messages)
        if of.readings:
            telemetry.readings.inc(of.readings)
        if of.signals:
            telemetry.signals.inc(of.signals)
        for reason in of.refused:
            telemetry.quarantined(reason)
        if of.told:
            self._occurrences.confirm(of.told)

    def answer(self, message: Message, codec: str, outcome: Outcome) -> Answer | None:
        """What the format says to tell the sender; None where it says nothing of its own."""
        answering = self._codecs[codec]
        if not isinstance(answering, Answering):
            return None
        try:
            return answering.answer(message, outcome)
        except Exception:  # noqa: BLE001 - the message is kept: it is told so in our words then
            _LOG.exception("codec failed to answer", codec=codec, address=message.address)
            return None

    def refuse(self, codec: str, reason: str) -> None:
        """Count a message its sender was told is not taken; `reason` is one of telemetry.REFUSALS."""
        self._telemetry[codec].refused(reason)

    def _take(self, messages: int, records: int, payload_bytes: int) -> None:
        with self._lock:
            self._messages += messages
            self._records += records
            self._bytes += payload_bytes

    def _score(self, codec: str, heard: Sequence[Heard]) -> None:
        if self._scorecard is None:
            return
        try:
            self._scorecard.saw(self._sources[codec], heard, self._devices)
        except Exception:  # noqa: BLE001 - the messages are good: only how good is not counted then
            _LOG.exception("scorecard failed", codec=codec)

    def _verdict(self, message: Message, codec: str, heard: list[Heard]) -> tuple[Verdict, tuple[Told, ...]]:
        """What the message leads to, and what of it begins or ends an occurrence; adds to `heard`."""
        source = self._sources[codec]
        if len(message.payload) > self.limits.message_bytes:
            allowed = (f"at most {self.limits.message_bytes}",)
            detail = received_allowed("message bytes", len(message.payload), allowed)
            return self._refusal(message, source, Rejected(Reason.OVERSIZE, detail)), ()
        try:
            decoded: Decoded | Rejected = self._codecs[codec].decode(message, self._devices)
            told: tuple[Told, ...] = ()
            if isinstance(decoded, Decoded):
                if self._device_rates is not None:
                    decoded = self._device_rates.within(decoded)
                before = len(decoded.signals)
                if before:
                    decoded, told = self._occurrences.settle(decoded)
                    self._telemetry[codec].repeated.inc(before - len(decoded.signals))
            verdict = judge(message, decoded, source, self._resolver)
            if isinstance(decoded, Decoded) and verdict.rejected is None:
                self._list_newcomers(decoded, source, message)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not let one message stop all others
            _LOG.exception("codec failed", codec=codec, address=message.address)
            detail = f"codec {codec} failed: {type(error).__name__}"
            return self._refusal(message, source, Rejected(Reason.MALFORMED, detail)), ()
        heard.append(Heard(message, decoded, verdict.rejected))
        return verdict, told

    def _list_newcomers(self, decoded: Decoded, source: str, message: Message) -> None:
        if self._newcomers is not None:
            self._newcomers.saw(source, decoded.observations, self._devices, message.received_at_ms)

    def _refusal(self, message: Message, source: str, rejected: Rejected) -> Verdict:
        record = quarantine_record(message, source, rejected, self._resolver.guard)
        return Verdict((record,), 0, 0, rejected)
