"""What a person reads: 简体中文 first, English second, and the key by which a repeat is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from operations.alerts.similar import Similar, similar_words
from operations.oncall.model import Notification
from schemas.alerts import Alert
from schemas.calendar import local

__all__ = ["SEVERITY_WORDS", "body", "title"]

SEVERITY_WORDS: Final[dict[str, str]] = {
    "low": "低",
    "medium": "中",
    "high": "高",
    "life_safety": "生命安全",
}


def title(alert: Alert, note: Notification) -> str:
    """One line: severity, what, where; escalated, repeated and simulated ones say so."""
    escalated = "【升级】" if note.step else ""
    repeated = f"【重复 {note.repeat}】" if note.repeat else ""
    simulated = "【模拟】" if alert.simulated else ""
    marks = f"{simulated}{escalated}{repeated}"
    return f"{marks}【{SEVERITY_WORDS[alert.severity]}】{alert.title} {alert.place}"


def body(alert: Alert, note: Notification, before: Sequence[Similar]) -> str:
    """Why, for how many others, since when, what became of those alike, and how to answer."""
    stands = (
        (f"代表 {alert.children} 条同因告警 stands for {alert.children} alerts",) if alert.children else ()
    )
    return "\n".join(
        (
            alert.explanation or alert.title,
            *stands,
            f"开始 since {local(alert.onset_ms):%Y-%m-%d %H:%M:%S}（北京时间）",
            similar_words(before),
            f"确认 acknowledge: taishi alerts ack {alert.id[:12]} --by 姓名",
            f"编号 key {note.key}",
        )
    )
