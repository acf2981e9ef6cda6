"""What a person reads of a flood: one message for all that was collapsed, by cause and place. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from operations.oncall.flood import Flood
from operations.oncall.words import SEVERITY_WORDS
from schemas.alerts import SEVERITIES, Alert
from schemas.calendar import local

__all__ = ["EVERY_MS", "Digest", "compose"]

EVERY_MS: Final = 60_000
"""How often a console gets a digest, at most."""
_COMMUNITY_DIGITS: Final = 12
_LINES_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Digest:
    """One message to one console; `key` is its identity."""

    key: str
    console: str
    head: str
    text: str


def compose(console: str, alerts: Sequence[Alert], flood: Flood | None, now_ms: int) -> Digest:
    """The digest of these alerts (one or more), the most urgent and the most frequent first."""
    groups = Counter(_group(alert) for alert in alerts)
    ranked = sorted(groups.items(), key=lambda each: (-SEVERITIES.index(each[0][0]), -each[1], each[0]))
    key = f"digest/{console}/{now_ms}"
    severity, title, place = ranked[0][0]
    what = (
        f"另有 {len(alerts)} 条同类告警 {title} {place}"
        if len(ranked) == 1
        else f"另有 {len(alerts)} 条告警，{len(ranked)} 类 {len(alerts)} more alerts"
    )
    simulated = "【模拟】" if all(alert.simulated for alert in alerts) else ""
    return Digest(
        key=key,
        console=console,
        head=f"{simulated}【告警洪峰】【{SEVERITY_WORDS[severity]}】{what}",
        text="\n".join((*_lines(ranked), *_flood(flood), f"编号 key {key}")),
    )


def _group(alert: Alert) -> tuple[str, str, str]:
    return alert.severity, alert.title, alert.place[:_COMMUNITY_DIGITS]


def _lines(ranked: Sequence[tuple[tuple[str, str, str], int]]) -> list[str]:
    lines = [
        f"另有 {count} 条同类告警 [{SEVERITY_WORDS[severity]}] {title} {place}"
        for (severity, title, place), count in ranked[:_LINES_MAX]
    ]
    if rest := ranked[_LINES_MAX:]:
        lines.append(f"其余 {sum(count for _, count in rest)} 条，{len(rest)} 类 and more")
    return [*lines, "全部 all: taishi alerts list"]


def _flood(flood: Flood | None) -> list[str]:
    if flood is None:
        return []
    return [
        f"洪峰自 {local(flood.start_ms):%H:%M:%S} 起，共 {flood.count} 条，10 分钟最多 {flood.peak} 条 "
        f"flood of {flood.count} alarms"
    ]
