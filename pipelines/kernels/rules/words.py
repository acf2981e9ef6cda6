"""What a person reads: why a rule raised or cleared, 简体中文 first, English second."""

from __future__ import annotations

import math
from typing import Final, Literal

from pipelines.kernels.rules.model import Bound, Rule
from schemas.calendar import local

__all__ = ["Ending", "delays", "describe", "explain_end", "explain_onset", "title"]

Ending = Literal["normal", "out_of_hours", "withdrawn"]
_BOUNDS: Final[dict[Bound, tuple[str, str]]] = {
    "above": ("高于", "above"),
    "below": ("低于", "below"),
    "at_least": ("不少于", "at least"),
    "at_most": ("不多于", "at most"),
}
_SIGNS: Final[dict[Bound, str]] = {"above": ">", "below": "<", "at_least": "≥", "at_most": "≤"}
_ENDINGS: Final[dict[Ending, tuple[str, str]]] = {
    "normal": ("已恢复", "back to normal"),
    "out_of_hours": ("不在规则时段内", "out of the rule's hours"),
    "withdrawn": ("规则已撤销", "rule withdrawn"),
}


def title(rule: Rule) -> str:
    """The rule's title in both languages."""
    return f"{rule.title} {rule.title_en}".strip()


def describe(rule: Rule) -> tuple[str, str]:
    """What the rule looks at and when it holds, in 简体中文 and in English."""
    over, over_en = _duration(rule.over_s)
    limit = f"{_SIGNS[rule.bound]} {_number(rule.threshold)}"
    if rule.kind == "combination":
        names = " + ".join(rule.members)
        where = "（含下级）" if rule.gathers else ""
        return f"{names}，{over}内{where}", f"{names} within {over_en}" + (
            ", gathered" if rule.gathers else ""
        )
    if rule.kind == "absence":
        silent, silent_en = _duration(int(rule.threshold))
        return f"{rule.figure} 中断 ≥ {silent}", f"{rule.figure} absent ≥ {silent_en}"
    if rule.kind == "count":
        return f"{rule.figure} {over}内合计 {limit}", f"{rule.figure} within {over_en} {limit}"
    if rule.kind == "rate":
        return f"{rule.figure} {over}内变化 {limit}", f"change of {rule.figure} within {over_en} {limit}"
    return f"{rule.figure} {limit}", f"{rule.figure} {limit}"


def delays(rule: Rule) -> tuple[str, str]:
    """On-delay, off-delay and deadband in force, in both languages; empty without any."""
    chinese, english = _delays(rule)
    return chinese.strip("（）"), english.strip(" ()")


def explain_onset(rule: Rule, onset_ms: int, observed: float, before: float) -> str:
    """Observed, threshold, over which time, since when, and the delays in force."""
    chinese, english = _facts(rule, observed, before)
    since = f"{local(onset_ms):%Y-%m-%d %H:%M}"
    held, held_en = _delays(rule)
    return f"{chinese}；自 {since} 起{held}。 {english}; since {since}{held_en}."


def explain_end(rule: Rule, ending: Ending, observed: float, before: float) -> str:
    """Why it is over, and what was observed then (if anything was)."""
    chinese, english = _ENDINGS[ending]
    if ending != "normal" or rule.kind == "combination" or math.isnan(observed):
        return f"{chinese}。 {english}."
    facts, facts_en = _seen(rule, observed, before)
    held, held_en = _delays(rule)
    return f"{chinese}：{facts}{held}。 {english}: {facts_en}{held_en}."


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
