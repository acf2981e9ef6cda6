"""What operators read: 简体中文 first, English second."""

from __future__ import annotations

from typing import Final

__all__ = ["DOMAIN_NAMES", "KEY_FIGURES", "STATES", "both"]

DOMAIN_NAMES: Final[dict[str, str]] = {
    "parking": "停车",
    "security": "安防",
    "care": "养老",
    "governance": "治理",
}

STATES: Final[dict[str, str]] = {
    "waiting": "等待",
    "starting": "启动中",
    "healthy": "正常",
    "unhealthy": "无应答",
    "backing-off": "稍后重启",
    "stopping": "停止中",
    "stopped": "已停止",
    "done": "已完成",
    "unsupervised": "无人看管",
    "answers": "有应答",
    "unreachable": "不可达",
}

KEY_FIGURES: Final[dict[str, tuple[tuple[str, str, str], ...]]] = {
    "parking": (
        ("spaces", "车位", "spaces"),
        ("occupied", "占用", "occupied"),
        ("unknown", "未知", "unknown"),
        ("occupancy", "占用率", "occupancy"),
        ("turnover", "驶入", "arrivals"),
    ),
    "security": (
        ("access_granted", "通行", "passages"),
        ("access_denied", "拒绝", "denied"),
        ("intrusion_intrusion", "入侵", "intrusions"),
        ("fire_smoke", "烟感", "smoke"),
        ("people_entered", "进入人数", "people in"),
        ("devices", "设备", "devices"),
    ),
    "care": (
        ("residents_seen", "老人", "residents"),
        ("vitals", "体征", "vitals"),
        ("vitals_out_of_range", "体征异常", "out of range"),
        ("beds_occupied", "在床", "in bed"),
        ("activity", "活动", "activity"),
        ("sos", "呼救", "SOS"),
        ("falls", "跌倒", "falls"),
    ),
    "governance": (
        ("checked_in", "报到", "checked in"),
        ("station_visits", "到站", "station visits"),
        ("patrols", "巡查", "patrols"),
        ("reports", "上报", "reports"),
    ),
}
"""Domain -> (measure, Chinese, English) of the figures shown for the district."""


def both(chinese: str, english: str) -> str:
    """`停车 parking`."""
    return f"{chinese} {english}"
