"""What pages say, 简体中文 first, English second."""

from __future__ import annotations

from typing import Final

from schemas.alerts import Severity
from schemas.kinds import Domain
from schemas.places.model import Level

__all__ = ["DOMAINS", "KINDS", "LEVELS", "PLURALS", "SEVERITIES", "Words"]

Words = tuple[str, str]
"""Chinese, English."""

DOMAINS: Final[dict[Domain, Words]] = {
    "parking": ("智慧停车", "Parking"),
    "security": ("智慧安防", "Security"),
    "care": ("智慧养老", "Elderly care"),
    "governance": ("基层治理", "Governance"),
}
LEVELS: Final[dict[Level, Words]] = {
    "district": ("全区", "district"),
    "street": ("街道", "street"),
    "community": ("社区", "community"),
    "grid": ("网格", "grid"),
}
PLURALS: Final[dict[Level, str]] = {"street": "streets", "community": "communities", "grid": "grids"}
"""Of the levels below the district, in English."""
SEVERITIES: Final[dict[Severity, Words]] = {
    "life_safety": ("生命安全", "life safety"),
    "high": ("高", "high"),
    "medium": ("中", "medium"),
    "low": ("低", "low"),
}
"""The most urgent first."""
KINDS: Final[dict[str, str]] = {
    "parking.space": "车位传感器",
    "parking.lot": "停车场",
    "security.access": "门禁",
    "security.intrusion": "周界与区域入侵",
    "security.fire": "火灾与燃气探测",
    "security.video_count": "客流计数",
    "security.device": "视频设备",
    "care.vitals": "体征",
    "care.activity": "居家活动",
    "care.bed": "床位",
    "care.environment": "室内环境",
    "care.emergency": "紧急呼叫",
    "governance.party": "党员报到",
    "governance.patrol": "网格巡查",
}
"""Kind of device -> what operators call it."""
