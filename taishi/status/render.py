"""The snapshot as a table on a terminal, and as JSON. Pure: a snapshot in, something printable out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from taishi.status.labels import DOMAIN_NAMES, KEY_FIGURES, STATES, both
from taishi.status.snapshot import DomainView, PartView, ShardView, Snapshot, SourceView

__all__ = ["render", "to_json"]


def to_json(snapshot: Snapshot) -> dict[str, Any]:
    """Everything of the snapshot, with `well`; keys as the dataclasses name them."""
    return {"well": snapshot.well, **asdict(snapshot)}


def render(snapshot: Snapshot) -> RenderableType:
    """All tables below each other; one without rows is left out."""
    tables: list[RenderableType | None] = [
        _domains(snapshot),
        _sources(snapshot.sources) if snapshot.sources else None,
        _shards(snapshot.shards) if any(s.lag_records is not None for s in snapshot.shards) else None,
        _parts(snapshot.parts) if snapshot.parts else None,
        _stored(snapshot.stored_bytes) if snapshot.stored_bytes else None,
        _checks(snapshot),
    ]
    return Panel(
        Group(*(table for table in tables if table is not None)), title=_title(snapshot), title_align="left"
    )


def _title(snapshot: Snapshot) -> Text:
    at = datetime.fromtimestamp(snapshot.taken_at_ms / 1000, UTC).astimezone()
    state = ("一切正常 all well", "green") if snapshot.well else ("有异常 something is wrong", "red")
    return Text.assemble(f"态势 Taishi · {snapshot.district} · {at:%H:%M:%S} · ", state)


def _table(title: str, *columns: tuple[str, str], left: int = 1) -> Table:
    """Columns by their Chinese and English names; the first `left` hold words and are never cut."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 1))
    for number, (chinese, english) in enumerate(columns):
        words = number < left
        table.add_column(
            f"{chinese}\n{english}", justify="left" if words else "right", header_style="dim", no_wrap=words
        )
    return table


def _domains(snapshot: Snapshot) -> RenderableType:
    table = _table("全区态势 The district now", ("领域", "domain"), ("时窗", "window"), left=2)
    table.show_header = False
    table.add_column(overflow="fold")
    for domain in snapshot.domains:
        table.add_row(both(DOMAIN_NAMES[domain.domain], domain.domain), _window(domain), _figures(domain))
    return table


def _window(domain: DomainView) -> Text:
    if domain.start_ms is None or domain.age_s is None:
        return Text("无数据 no window yet", style="red")
    start = datetime.fromtimestamp(domain.start_ms / 1000, UTC).astimezone()
    text = Text(f"{start:%H:%M:%S} +{domain.window_s} s")
    if domain.stale:
        text.append(f" 过期 stale {domain.age_s:.0f} s", style="red")
    return text


def _figures(domain: DomainView) -> Text:
    words = [
        f"{both(chinese, english)} {_number(name, domain.values[name])}"
        for name, chinese, english in KEY_FIGURES[domain.domain]
        if name in domain.values
    ]
    text = Text(" · ".join(words), style="dim" if domain.stale else "")
    if not domain.complete:
        text.append("  不全 incomplete", style="yellow")
    if domain.simulated:
        text.append("  模拟 simulated", style="magenta")
    return text


def _number(name: str, value: float) -> str:
    return f"{value:.1%}" if name == "occupancy" else f"{value:,.0f}"


def _sources(sources: Sequence[SourceView]) -> RenderableType:
    """A line for each source that has sent something; the others in one line below."""
    table = _table(
        "来源 Sources: messages, then readings",
        ("来源", "source"),
        ("收到", "received"),
        ("确认", "acknowledged"),
        ("拒收", "refused"),
        ("在途", "in flight"),
        ("入库", "stored"),
        ("重复", "duplicate"),
        ("迟到", "late"),
        ("条/秒", "readings/s"),
    )
    table.add_column("隔离\nquarantined", header_style="dim", overflow="fold")
    for source in sources:
        counts = (source.received, source.acknowledged, source.refused, source.in_flight)
        if source.received or source.consumed:
            table.add_row(
                escape(source.name),
                *(f"{count:,}" for count in (*counts, source.stored, source.duplicate, source.late)),
                "" if source.readings_per_s is None else f"{source.readings_per_s:,.1f}",
                _reasons(source),
            )
    silent = [source.name for source in sources if not (source.received or source.consumed)]
    return Group(table, Text(f" 尚无数据 nothing yet: {', '.join(silent)}" if silent else "", style="dim"))


def _reasons(source: SourceView) -> str:
    reasons = Counter(source.messages_quarantined) + Counter(source.readings_quarantined)
    return ", ".join(f"{reason} {count:,}" for reason, count in sorted(reasons.items()))


def _shards(shards: Iterable[ShardView]) -> RenderableType:
    """One line a topic: the sum of the lags, and the age of the watermark that is furthest behind."""
    table = _table(
        "日志 Log",
        ("主题", "topic"),
        ("分片", "shards"),
        ("积压", "lag, records"),
        ("水位延迟", "watermark age"),
    )
    topics: dict[str, list[ShardView]] = {}
    for shard in shards:
        topics.setdefault(shard.shard.rpartition("/")[0], []).append(shard)
    for topic, members in topics.items():
        ages = [shard.watermark_age_s for shard in members if shard.watermark_age_s is not None]
        lag = sum(shard.lag_records or 0 for shard in members)
        table.add_row(topic, f"{len(ages)}/{len(members)}", f"{lag:,}", f"{max(ages):.1f} s" if ages else "?")
    return table


def _parts(parts: Iterable[PartView]) -> RenderableType:
    table = _table(
        "部件 Parts",
        ("部件", "part"),
        ("状态", "state"),
        ("进程", "pid"),
        ("重启", "restarts"),
        ("内存", "memory"),
        left=2,
    )
    table.add_column("说明\ndetail", header_style="dim", overflow="fold")
    for part in parts:
        table.add_row(
            part.name,
            Text(both(STATES.get(part.state, ""), part.state), style="green" if part.well else "red"),
            "" if part.pid is None else str(part.pid),
            str(part.restarts),
            f"{part.memory_bytes / 2**20:,.0f} MiB" if part.memory_bytes else "",
            escape(part.detail),
        )
    return table


def _stored(sizes: Mapping[str, int]) -> Text:
    """InfluxDB on disk, by policy."""
    words = [f"{bucket} {size / 2**20:,.1f} MiB" for bucket, size in sorted(sizes.items())]
    return Text.assemble(("时序库 Store ", "bold"), " · ".join(words))


def _checks(snapshot: Snapshot) -> RenderableType:
    """The account in one line, then every reason why not all is well."""
    verdicts = Counter(check.verdict for check in snapshot.checks)
    text = Text.assemble(
        ("账目 Accounts ", "bold"),
        f"{verdicts['holds']} 平 hold · {verdicts['settling']} 结算中 settling · ",
        (f"{verdicts['broken']} 不平 broken", "red" if verdicts["broken"] else ""),
        f" · {verdicts['unknown']} 未知 unknown",
    )
    for problem in snapshot.problems:
        text.append(f"\n异常 wrong: {problem}", style="red")
    return text
