"""From the raw answers of a look, and the look before, to the snapshot. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from deploy.embedded.state import PartState
from schemas.kinds import DOMAINS
from schemas.topics import LARGE_BYTES, TOPICS, readings_topic
from taishi.status.conservation import conservation
from taishi.status.exposition import Scrape, parse
from taishi.status.gathered import Gathered, LogEnds, WindowRow
from taishi.status.snapshot import Check, DomainView, PartView, ShardView, Snapshot, SourceView

__all__ = ["STALE_AFTER_S", "assemble"]

STALE_AFTER_S: Final = 30.0
"""A district window that ended longer ago than this, on top of the delay, is no picture of now."""

_SHARDS: Final = tuple(
    f"{topic}/{partition}"
    for topic in map(readings_topic, DOMAINS)
    for partition in range(TOPICS[topic].partitions)
)
"""The shards of the readings; those of other topics are shown when their worker names them."""

_NEEDED: Final = (
    *("connect-mqtt", "connect-http", "worker-aggregate", "worker-situation"),
    *("worker-signals", "worker-presence", "worker-watch"),
)
"""Parts without which nothing flows, whoever starts them."""

_BY_SOURCE: Final = {
    "received": "taishi_messages_received_total",
    "acknowledged": "taishi_messages_acknowledged_total",
    "refused": "taishi_refused_total",
    "in_flight": "taishi_messages_in_flight",
    "readings_forwarded": "taishi_readings_forwarded_total",
    "signals_forwarded": "taishi_signals_forwarded_total",
    "consumed": "taishi_readings_consumed_total",
    "stored": "taishi_readings_stored_total",
    "duplicate": "taishi_readings_duplicate_total",
    "late": "taishi_readings_late_total",
}
_NO_REASON: Final = "unspecified"
_BY_REASON: Final = {
    "messages_quarantined": "taishi_quarantined_total",
    "readings_quarantined": "taishi_readings_quarantined_total",
}


def assemble(district: str, window_s: int, now: Gathered, before: Gathered | None = None) -> Snapshot:
    """The snapshot; `window_s` is the size of the windows in `now.windows`."""
    unreadable, scrape = _scrape(now.metrics)
    earlier = _scrape(before.metrics)[1] if before else None
    elapsed_s = (now.at_ms - before.at_ms) / 1000 if before else 0.0
    former = {source.name: source for source in _sources(earlier, None, 0.0)} if earlier else {}
    sources = _sources(scrape, former if before else None, elapsed_s)
    shards = _shards(scrape, now.log)
    parts = _parts(now, unreadable)
    domains = _domains(now, window_s)
    checks = conservation(sources, [shard for shard in shards if shard.shard in _SHARDS], former)
    canary = _grown("taishi_canary_failures_total", scrape, earlier)
    return Snapshot(
        district=district,
        taken_at_ms=now.at_ms,
        running=now.running,
        parts=parts,
        sources=sources,
        shards=shards,
        domains=domains,
        checks=checks,
        stored_bytes=now.stored,
        problems=(
            *_problems(now, parts, sources, domains, checks, canary),
            *_large_checkpoints(shards),
            *_refused_for_good(scrape),
        ),
    )


def _scrape(texts: Mapping[str, str]) -> tuple[dict[str, str], Scrape]:
    """What could be read, and by part why the rest could not."""
    good, unreadable = [], {}
    for part, text in texts.items():
        try:
            parse([text])
        except ValueError as error:
            unreadable[part] = f"its metrics are not Prometheus text: {error}"
        else:
            good.append(text)
    return unreadable, parse(good)


def _sources(
    scrape: Scrape, former: Mapping[str, SourceView] | None, elapsed_s: float
) -> tuple[SourceView, ...]:
    counts = {field: scrape.by(metric, "source") for field, metric in _BY_SOURCE.items()}
    reasons = {field: scrape.by_two(metric, "source", "reason") for field, metric in _BY_REASON.items()}
    names = sorted(
        {*(n for named in counts.values() for n in named), *(n for named in reasons.values() for n in named)}
    )
    return tuple(_source(name, counts, reasons, former, elapsed_s) for name in names)


def _source(
    name: str,
    counts: Mapping[str, Mapping[str, float]],
    reasons: Mapping[str, Mapping[str, Mapping[str, float]]],
    former: Mapping[str, SourceView] | None,
    elapsed_s: float,
) -> SourceView:
    numbers = {field: int(by_name.get(name, 0)) for field, by_name in counts.items()}
    by_reason = {
        field: {reason or _NO_REASON: int(count) for reason, count in by_name.get(name, {}).items() if count}
        for field, by_name in reasons.items()
    }
    return SourceView(
        name=name,
        messages_quarantined=by_reason["messages_quarantined"],
        readings_quarantined=by_reason["readings_quarantined"],
        readings_per_s=_rate(numbers, former.get(name), elapsed_s) if former else None,
        **numbers,
    )


def _rate(numbers: Mapping[str, int], before: SourceView | None, elapsed_s: float) -> float | None:
    """Readings a second between two looks; at the aggregate for a source without a connector (a replay).

    None where a count fell: its process was restarted.
    """
    if before is None or elapsed_s <= 0:
        return None
    passed = numbers["readings_forwarded"] - before.readings_forwarded
    if not numbers["received"]:
        passed = numbers["consumed"] - before.consumed
    return passed / elapsed_s if passed >= 0 else None


def _shards(scrape: Scrape, log: LogEnds | str) -> tuple[ShardView, ...]:
    ends = log if isinstance(log, LogEnds) else LogEnds()
    lag, age, size = (
        scrape.by(name, "shard")
        for name in ("taishi_lag_records", "taishi_watermark_age_seconds", "taishi_checkpoint_bytes")
    )
    names = dict.fromkeys([*_SHARDS, *sorted(lag)])
    return tuple(
        ShardView(
            shard=name,
            lag_records=_whole(lag.get(name)),
            watermark_age_s=age.get(name),
            checkpoint_bytes=_whole(size.get(name)),
            end_offset=ends.end.get(name),
            next_offset=ends.committed.get(name),
        )
        for name in names
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _parts(now: Gathered, unreadable: Mapping[str, str]) -> tuple[PartView, ...]:
    """The supervisor's parts; without a supervisor, those that must answer and those that do."""
    silent = {**now.unreachable, **unreadable}
    if now.stack is None:
        names = dict.fromkeys([*now.metrics, *_NEEDED])
        return tuple(
            PartView(
                name,
                state="unreachable" if name in silent else "answers",
                well=name not in silent,
                detail=silent.get(name, ""),
            )
            for name in names
        )
    return tuple(_part(part, now.running, silent.get(part.name)) for part in now.stack.parts)


def _part(part: PartState, running: bool, silent: str | None) -> PartView:
    """What a dead supervisor said last is not the state of now."""
    state = part.phase if running or part.phase in {"done", "stopped"} else "unsupervised"
    details = [part.detail, silent if silent and part.phase == "healthy" else ""]
    return PartView(
        name=part.name,
        state=state,
        well=part.well and running and not (silent and part.phase == "healthy"),
        pid=part.pid,
        restarts=part.restarts,
        memory_bytes=part.rss_bytes,
        detail="; ".join(filter(None, details)),
    )


def _domains(now: Gathered, window_s: int) -> tuple[DomainView, ...]:
    rows: Mapping[str, WindowRow | None] = {} if isinstance(now.windows, str) else now.windows
    return tuple(_domain(domain, rows.get(domain), now.at_ms, window_s) for domain in DOMAINS)


def _domain(domain: str, row: WindowRow | None, at_ms: int, window_s: int) -> DomainView:
    if row is None:
        return DomainView(domain, window_s=window_s)
    age_s = (at_ms - row.start_ms) / 1000 - window_s
    return DomainView(
        domain,
        start_ms=row.start_ms,
        window_s=window_s,
        age_s=age_s,
        stale=age_s > STALE_AFTER_S,
        complete=row.fields.get("complete", 1) > 0,
        simulated=row.simulated,
        values=row.fields,
    )


def _problems(
    now: Gathered,
    parts: Iterable[PartView],
    sources: Sequence[SourceView],
    domains: Sequence[DomainView],
    checks: Iterable[Check],
    canary: float,
) -> Iterable[str]:
    if not now.running and not now.metrics:
        yield "nothing runs here: `taishi up` starts everything"
        return
    if not now.running and now.stack is not None:
        yield "no supervisor runs, so nothing is restarted: `taishi up` starts it"
    for part in parts:
        if not part.well:
            yield f"{part.name}: {part.state}" + (f": {part.detail}" if part.detail else "")
    yield from (answer for answer in (now.log, now.windows) if isinstance(answer, str))
    if not isinstance(now.windows, str):
        yield from _no_picture(domains, sources)
    yield from (
        f"{check.name}, {check.subject}: {check.detail}" for check in checks if check.verdict == "broken"
    )
    if canary > 0:
        yield f"worker-situation: InfluxDB lacked what it had acknowledged ({canary:g} marks); rebuilding"


def _large_checkpoints(shards: Iterable[ShardView]) -> Iterable[str]:
    """A state that outgrows one record can no longer be saved; half of that is the time to say so."""
    yield from (
        f"{shard.shard}: its checkpoint holds {shard.checkpoint_bytes / 2**20:.0f} of at most "
        f"{LARGE_BYTES / 2**20:.0f} MiB: give the topic more partitions, or shorten lateness_s"
        for shard in shards
        if shard.checkpoint_bytes is not None and shard.checkpoint_bytes > LARGE_BYTES / 2
    )


def _refused_for_good(scrape: Scrape) -> Iterable[str]:
    """What nobody is told although somebody should be."""
    if parked := scrape.total("taishi_notifications_parked"):
        yield (
            "oncall: every channel of somebody refuses what they are told "
            f"({parked:g} notifications are parked): put the on-call file right and restart it"
        )


def _grown(name: str, now: Scrape, before: Scrape | None) -> float:
    """By how much a counter grew between two looks; 0 where there is no look before."""
    if before is None:
        return 0.0
    count, former = now.total(name) or 0.0, before.total(name) or 0.0
    return count - former if count >= former else count


def _no_picture(domains: Sequence[DomainView], sources: Iterable[SourceView]) -> Iterable[str]:
    """A domain without sensors has no windows and that is well; readings without windows are not."""
    if all(domain.age_s is None for domain in domains) and any(source.stored for source in sources):
        yield "readings are stored, and the district has no window yet"
    yield from (
        f"{domain.domain}: the district's newest window ended {domain.age_s:.0f} s ago"
        for domain in domains
        if domain.age_s is not None and domain.stale
    )
