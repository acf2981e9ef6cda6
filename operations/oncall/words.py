"""What a person reads: 简体中文 first, English second, and the key by which a repeat is known."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from operations.oncall.model import Notification
from schemas.alerts import Alert, Severity

__all__ = ["body", "title"]

_ZONE: Final = ZoneInfo("Asia/Shanghai")
_SEVERITY: Final[dict[Severity, str]] = {
    "low": "低",
    "medium": "中",
    "high": "高",
    "life_safety": "生命安全",
}


def title(alert: Alert, note: Notification) -> str:
    """One line: severity, what, where; escalated and simulated ones say so."""
    escalated = "【升级】" if note.step else ""
    simulated = "【模拟】" if alert.simulated else ""
    return f"{simulated}{escalated}【{_SEVERITY[alert.severity]}】{alert.title} {alert.place}"


def body(alert: Alert, note: Notification) -> str:
    """Why, since when, and how to answer."""
    onset = datetime.fromtimestamp(alert.onset_ms / 1000, _ZONE)
    return "\n".join(
        (
            alert.explanation or alert.title,
            f"开始 since {onset:%Y-%m-%d %H:%M:%S}（北京时间）",
            f"确认 acknowledge: taishi alerts ack {alert.id[:12]} --by 姓名",
            f"编号 key {note.key}",
        )
    )
