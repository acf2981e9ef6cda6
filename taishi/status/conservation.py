"""Nothing vanishes: the equations between what came in and what became of it, as the product checks them.

    connectors, messages:  received = acknowledged + refused + in flight
    aggregate, readings:   consumed = stored + duplicate + late + quarantined
    log, records:          end of the log - next offset = lag, and never less than nothing

Acknowledged means: Kafka has confirmed it, as readings and signals or in quarantine. The numbers
of one process are read one after another while messages move, so an equation may be off by what
moved between two looks; it is `settling` then, and `broken` when it is off by more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from taishi.status.snapshot import Check, ShardView, SourceView, Verdict

__all__ = ["check_aggregate", "check_connectors", "check_log", "conservation"]


def conservation(
    sources: Sequence[SourceView], shards: Sequence[ShardView], before: Mapping[str, SourceView]
) -> tuple[Check, ...]:
    """All checks of all sources and shards; `before` holds the sources of the former look by name."""
    return (
        *(check_connectors(source, before.get(source.name)) for source in sources if source.received),
        *(check_aggregate(source, before.get(source.name)) for source in sources if source.consumed),
        *(check_log(shard) for shard in shards),
    )


def check_connectors(now: SourceView, before: SourceView | None) -> Check:
    """Every message received was acknowledged, was refused with a word to its sender, or is in flight."""
    missing = now.received - now.acknowledged - now.refused - now.in_flight
    moved = _moved(now.received, before.received if before else None)
    detail = (
        f"received {now.received} = acknowledged {now.acknowledged} + refused {now.refused} "
        f"+ in flight {now.in_flight}"
    )
    return Check("connectors", now.name, _verdict(missing, moved), _off(detail, missing))


def check_aggregate(now: SourceView, before: SourceView | None) -> Check:
    """Every reading taken from the log was stored, was a duplicate, was late, or was quarantined."""
    quarantined = sum(now.readings_quarantined.values())
    missing = now.consumed - now.stored - now.duplicate - now.late - quarantined
    moved = _moved(now.consumed, before.consumed if before else None)
    detail = (
        f"consumed {now.consumed} = stored {now.stored} + duplicate {now.duplicate} + late {now.late} "
        f"+ quarantined {quarantined}"
    )
    return Check("aggregate", now.name, _verdict(missing, moved), _off(detail, missing))


def check_log(shard: ShardView) -> Check:
    """A shard never claims to have read what the log does not hold (a recreated topic, a lost log)."""
    if shard.end_offset is None or shard.next_offset is None:
        return Check("log", shard.shard, "unknown", "Kafka or the aggregate's offsets could not be read")
    behind = shard.end_offset - shard.next_offset
    detail = f"end {shard.end_offset} - next {shard.next_offset} = lag {behind}"
    if behind < 0:
        return Check("log", shard.shard, "broken", f"{detail}: the shard stands beyond the log's end")
    return Check("log", shard.shard, "holds", detail)


def _moved(now: int, before: int | None) -> int | None:
    """What moved between two looks; a smaller count is a restarted process, which counts from nothing."""
    if before is None:
        return None
    return now - before if now >= before else now


def _verdict(missing: int, moved: int | None) -> Verdict:
    if missing == 0:
        return "holds"
    if moved is None:
        return "settling"  # one look cannot tell a loss from what moves
    return "settling" if abs(missing) <= moved else "broken"


def _off(detail: str, missing: int) -> str:
    return f"{detail}, off by {missing}" if missing else detail
