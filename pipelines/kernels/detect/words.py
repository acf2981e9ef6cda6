"""Why a detector says so, in words: 简体中文 first, English second."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from pipelines.kernels.detect.figures import Figure
from schemas.calendar import local

__all__ = ["Finding", "explain", "explain_end", "title"]

_VIEWS: Final = {
    "point": ("单点偏离", "single point"),
    "pair": ("连续两点偏离", "two points running"),
    "shift": ("约5分钟的水平", "level of about 5 minutes"),
    "step": ("约40分钟的水平", "level of about 40 minutes"),
    "cusum": ("累计偏离", "cumulative sum"),
    "drift": ("一天的漂移", "drift over a day"),
    "stuck": ("数值长时间不变", "value stays exactly the same"),
    "spread": ("波动幅度", "size of the fluctuations"),
    "short": ("短时形态", "form of the last 16 points"),
    "long": ("较长形态", "form of the last 48 points"),
}
_DAYS_MAX: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known when an alarm begins; values in the figure's own terms, times in ms."""

    figure: Figure
    view: str
    observed: float
    expected: float
    low: float
    high: float
    days: float
    points: int
    onsets_ms: tuple[int, ...]


def title(found: Finding) -> str:
    """One line: what is unusual and which way."""
    figure = found.figure
    if found.view == "stuck":
        return f"{figure.chinese}长时间不变 {figure.english}: stuck"
    if found.view == "spread":
        return f"{figure.chinese}波动异常 {figure.english}: fluctuates unusually"
    if found.observed >= found.expected:
        return f"{figure.chinese}异常偏高 {figure.english}: unusually high"
    return f"{figure.chinese}异常偏低 {figure.english}: unusually low"


def explain(found: Finding) -> str:
    """Observed, expected, band, what shows it, how rare, on how much history, when last."""
    unit, number = found.figure.unit, _number
    chinese, english = _VIEWS[found.view]
    band = f"{number(found.low)}–{number(found.high)}{unit}"
    seen, usual = f"{number(found.observed)}{unit}", f"{number(found.expected)}{unit}"
    often = min(found.days, _DAYS_MAX)
    amount = "不足1" if often < 1 else f"{often:.0f}"
    times = "、".join(f"{local(at):%m-%d %H:%M}" for at in found.onsets_ms)
    rarer = found.days > _DAYS_MAX
    rate = f"{'more than ' if rarer else ''}{max(math.ceil(often), 1)} days"
    return (
        f"观测 {seen},此时通常 {usual}(常见范围 {band})。依据:{chinese};按本序列历史约 {amount} 天"
        f"{'以上' if rarer else ''}一次,样本 {found.points} 分钟。上次同类:{times or '无'}。 "
        f"Observed {seen}, usual now {usual} (usual range {band}). Shown by: {english}; by its own history "
        f"about once in {rate}, {found.points} minutes seen. "
        f"Last onsets: {times.replace('、', ', ') or 'none'}."
    )


def explain_end(figure: Figure, *, adopted: bool, silent: bool) -> str:
    """Why the alarm is over."""
    if silent:
        return f"{figure.chinese}无数据,无法判断。 No values of {figure.english}: cannot judge."
    if adopted:
        return f"{figure.chinese}持续至今,作为新常态。 {figure.english}: lasted, taken as the new normal."
    return f"{figure.chinese}恢复正常。 {figure.english}: back to usual."


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
