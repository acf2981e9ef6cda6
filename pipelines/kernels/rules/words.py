"""What a person reads: why a rule raised or cleared, 简体中文 first, English second."""

from __future__ import annotations

import math
from typing import Final, Literal

from pipelines.kernels.rules.model import Bound, Rule
from schemas.calendar import local

__all__ = ["Ending", "explain_end", "explain_onset", "title"]

Ending = Literal["normal", "out_of_hours", "withdrawn"]
_BOUNDS: Final[dict[Bound, tuple[str, str]]] = {
    "above": ("高于", "above"),
    "below": ("低于", "below"),
    "at_least": ("不少于", "at least"),
    "at_most": ("不多于", "at most"),
}
_ENDINGS: Final[dict[Ending, tuple[str, str]]] = {
    "normal": ("已恢复", "back to normal"),
    "out_of_hours": ("不在规则时段内", "out of the rule's hours"),
    "withdrawn": ("规则已撤销", "rule withdrawn"),
}


def title(rule: Rule) -> str:
    """The rule's title in both languages."""
    return f"{rule.title} {rule.title_en}".strip()


def explain_onset(rule: Rule, onset_ms: int, observed: float, before: float) -> str:
    """Observed, threshold, over which time, since when, and the delays in force."""
    chinese, english = _facts(rule, observed, before)
    since = f"{local(onset_ms):%Y-%m-%d %H:%M}"
    delays, delays_en = _delays(rule)
    return f"{chinese}；自 {since} 起{delays}。 {english}; since {since}{delays_en}."


def explain_end(rule: Rule, ending: Ending, observed: float, before: float) -> str:
    """Why it is over, and what was observed then (if anything was)."""
    chinese, english = _ENDINGS[ending]
    if ending != "normal" or rule.kind == "combination" or math.isnan(observed):
        return f"{chinese}。 {english}."
    facts, facts_en = _seen(rule, observed, before)
    delays, delays_en = _delays(rule)
    return f"{chinese}：{facts}{delays}。 {english}: {facts_en}{delays_en}."


def _facts(rule: Rule, observed: float, before: float) -> tuple[str, str]:
    chinese, english = _seen(rule, observed, before)
    if rule.kind == "combination":
        return chinese, english
    word, word_en = _BOUNDS[rule.bound]
    if rule.kind == "absence":
        limit, limit_en = _duration(int(rule.threshold))
    else:
        limit = limit_en = _number(rule.threshold)
    return f"{chinese}，{word} {limit}", f"{english}, {word_en} {limit_en}"


def _seen(rule: Rule, observed: float, before: float) -> tuple[str, str]:
    over, over_en = _duration(rule.over_s)
    if rule.kind == "combination":
        chinese = "、".join(f"“{zh}”" for zh, _ in rule.member_titles)
        english = " and ".join(f'"{en}"' for _, en in rule.member_titles)
        if not rule.over_s:
            return f"{chinese}同时成立", f"{english} at once"
        return f"{chinese}在 {over}内先后成立", f"{english} within {over_en}"
    figure = rule.figure
    if rule.kind == "absence":
        silent, silent_en = _duration(int(observed))
        return f"{figure} 中断 {silent}", f"{figure} absent for {silent_en}"
    value = _number(observed)
    if rule.kind == "count":
        return f"{figure} 在 {over}内合计 {value}", f"{figure} {value} within {over_en}"
    if rule.kind == "rate":
        was = _number(before)
        return (
            f"{figure} 在 {over}内变化 {observed:+.4g}（此前 {was}）",
            f"{figure} changed by {observed:+.4g} within {over_en} (from {was})",
        )
    return f"{figure} 为 {value}", f"{figure} is {value}"


def _delays(rule: Rule) -> tuple[str, str]:
    named = (
        ("触发延时", "on-delay", rule.on_delay_s),
        ("恢复延时", "off-delay", rule.off_delay_s),
    )
    parts = [(f"{zh} {_duration(s)[0]}", f"{en} {_duration(s)[1]}") for zh, en, s in named if s]
    if rule.deadband:
        parts.append((f"回差 {_number(rule.deadband)}", f"deadband {_number(rule.deadband)}"))
    if not parts:
        return "", ""
    return f"（{'，'.join(zh for zh, _ in parts)}）", f" ({', '.join(en for _, en in parts)})"


def _duration(seconds: int) -> tuple[str, str]:
    if seconds and seconds % 3600 == 0:
        return f"{seconds // 3600} 小时", f"{seconds // 3600} h"
    return f"{seconds // 60} 分钟", f"{seconds // 60} min"


def _number(value: float) -> str:
    return f"{value:.6g}"
