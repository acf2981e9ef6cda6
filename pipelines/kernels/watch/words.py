"""What a person reads of silence and storms: (title, explanation), 简体中文 first, English second."""

from __future__ import annotations

from typing import Final

from schemas.presence import Silence, Stillness

__all__ = ["KIND_NAMES", "feed_words", "person_words", "silence_words", "span", "storm_words"]

KIND_NAMES: Final[dict[str, tuple[str, str]]] = {
    "parking.space": ("车位传感器", "parking sensor"),
    "parking.lot": ("停车场", "car park"),
    "security.access": ("门禁", "access control"),
    "security.intrusion": ("周界摄像机", "guarding camera"),
    "security.fire": ("消防探测器", "fire detector"),
    "security.video_count": ("客流摄像机", "counting camera"),
    "security.device": ("安防设备", "security device"),
    "care.vitals": ("体征设备", "vitals device"),
    "care.activity": ("活动传感器", "activity sensor"),
    "care.bed": ("床位传感器", "bed sensor"),
    "care.environment": ("室内环境传感器", "room sensor"),
    "care.emergency": ("呼救按钮", "call button"),
    "governance.party": ("党群终端", "party terminal"),
    "governance.patrol": ("巡查终端", "patrol terminal"),
    "feed": ("数据源", "feeds"),
    "person": ("长时间无活动", "inactivity"),
}
_LEVELS: Final = {
    "community": ("社区", "community"),
    "street": ("街道", "street"),
    "district": ("全区", "district"),
}


def span(ms: float) -> tuple[str, str]:
    """A duration as people say it: the two largest units, (Chinese, English)."""
    minutes = int(ms // 60_000)
    days, hours, minutes_left = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} 天 {hours} 小时", f"{days} d {hours} h"
    if hours:
        return f"{hours} 小时 {minutes_left} 分", f"{hours} h {minutes_left} min"
    if minutes:
        return f"{minutes} 分钟", f"{minutes} min"
    return f"{int(ms // 1000)} 秒", f"{int(ms // 1000)} s"


def silence_words(silence: Silence) -> tuple[str, str]:
    """A device says nothing."""
    chinese, english = KIND_NAMES.get(silence.kind, ("设备", "device"))
    quiet, allowed = span(silence.at_ms - silence.since_ms), span(silence.allowed_s * 1000)
    return (
        f"{chinese}离线 {english} silent",
        f"设备 {silence.device}（{silence.source}）已 {quiet[0]} 无数据，通常不超过 {allowed[0]}。 "
        f"{silence.device} ({silence.source}) has said nothing for {quiet[1]}, allowed {allowed[1]}.",
    )


def feed_words(source: str, quiet_ms: float, longest_ms: float) -> tuple[str, str]:
    """A whole source says nothing."""
    quiet, usual = span(quiet_ms), span(longest_ms)
    return (
        f"数据源中断 feed silent: {source}",
        f"数据源 {source} 已 {quiet[0]} 无数据，近期最长间隔 {usual[0]}；其设备不再逐一告警。 "
        f"Nothing came from {source} for {quiet[1]}; its longest gap lately was {usual[1]}. "
        "Its devices are not told of singly.",
    )


def person_words(stillness: Stillness) -> tuple[str, str]:
    """Somebody does not move."""
    quiet = span(stillness.at_ms - stillness.since_ms)
    return (
        "长时间无活动 prolonged inactivity",
        f"住户 {stillness.subject[:8]} 已 {quiet[0]} 无活动，超出其本人在该时段的习惯（非跌倒检测）。 "
        f"No movement of {stillness.subject[:8]} for {quiet[1]}, beyond their own habits at these hours "
        "(this detects no falls).",
    )


def storm_words(cause: str, title: str, level: str, children: int) -> tuple[str, str]:
    """Many alerts of one cause in one place."""
    chinese, english = _LEVELS[level]
    return (
        f"{chinese}集中告警 {title} ×{children}",
        f"同一{chinese}短时间内出现 {children} 条同类告警（{cause}），合并为一条。 "
        f"{children} alerts of one cause ({cause}) in one {english} within ten minutes stand as one.",
    )
