"""What a decoded message leads to: the records of the log, signals first. Pure."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from connectors.base import ITEMS_MAX, Decoded, Message, Rejected
from connectors.privacy.guard import Guard
from connectors.producer import Record
from connectors.resolve import Resolver
from schemas.kinds import KINDS
from schemas.quarantine import Quarantined, Reason
from schemas.topics import LARGE_BYTES, QUARANTINE, SIGNALS, readings_topic

__all__ = ["KEPT_BYTES", "Verdict", "judge", "quarantine_record"]

KEPT_BYTES: Final = LARGE_BYTES - 64 * 1024
"""Most bytes of an original that fit a quarantine record beside its headers."""

_NAMED_MAX: Final = 5
_ENCODE: Final = msgspec.json.Encoder().encode
_TOPIC_OF: Final = {kind.name: readings_topic(kind.domain) for kind in KINDS.values()}


class Verdict(msgspec.Struct, frozen=True):
    """Records to append, in order; how many are readings and signals; `rejected` if one is quarantine."""

    records: tuple[Record, ...]
    readings: int
    signals: int
    rejected: Rejected | None


def judge(message: Message, decoded: Decoded | Rejected, source: str, resolver: Resolver) -> Verdict:
    """Good items go on; if any is not, the original bytes go to quarantine, once, naming the items."""
    if isinstance(decoded, Decoded) and len(decoded.observations) + len(decoded.signals) > ITEMS_MAX:
        items = len(decoded.observations) + len(decoded.signals)
        decoded = Rejected(Reason.OVERSIZE, f"received {items} items, allowed: at most {ITEMS_MAX}")
    if isinstance(decoded, Rejected):
        return Verdict((quarantine_record(message, source, decoded, resolver.guard),), 0, 0, decoded)
    at, refused = message.received_at_ms, list(decoded.rejected)
    records: list[Record] = []
    for alarm in decoded.signals:
        signal = resolver.signal(alarm, source, at)
        if isinstance(signal, Rejected):
            refused.append(signal)
        else:
            records.append(Record(SIGNALS, signal.grid, _ENCODE(signal)))
    signals = len(records)
    for seen in decoded.observations:
        reading = resolver.reading(seen, source, at)
        if isinstance(reading, Rejected):
            refused.append(reading)
        else:
            records.append(Record(_TOPIC_OF[reading.kind], reading.grid, _ENCODE(reading)))
    readings = len(records) - signals
    rejected = _together(refused)
    if rejected is not None:
        records.append(quarantine_record(message, source, rejected, resolver.guard))
    return Verdict(tuple(records), readings, signals, rejected)


def quarantine_record(message: Message, source: str, rejected: Rejected, guard: Guard | None) -> Record:
    """The original bytes with what is known about them; cut, and said so, if no record can hold them.

    A guard seals them, and the detail that quotes them: whose name is in a message that was not understood,
    nobody can say.
    """
    payload, detail = message.payload, rejected.detail
    if len(payload) > KEPT_BYTES:
        detail = f"kept the first {KEPT_BYTES} of {len(payload)} bytes; {detail}"
        payload = payload[:KEPT_BYTES]
    facts = Quarantined(
        reason=rejected.reason,
        detail=detail,
        source=source,
        address=message.address,
        received_at_ms=message.received_at_ms,
        payload=payload,
    )
    if guard is not None:
        told, kept = guard.seal(facts.told()), guard.seal(payload)
        facts = replace(facts, detail="", payload=kept, sealed=True, sealed_detail=told)
    return Record(QUARANTINE, source, facts.payload, tuple(facts.headers()))


def _together(refused: list[Rejected]) -> Rejected | None:
    """The first reason, and a detail that names the first few items and counts the rest."""
    if len(refused) < 2:
        return refused[0] if refused else None
    named = "; ".join(f"{each.reason.value}: {each.detail}" for each in refused[:_NAMED_MAX])
    more = f"; and {len(refused) - _NAMED_MAX} more" if len(refused) > _NAMED_MAX else ""
    return Rejected(refused[0].reason, f"{len(refused)} items: {named}{more}")
