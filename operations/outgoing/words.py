"""What an alert is called elsewhere: CAP's categories and levels, and its words in one language. Pure."""

from __future__ import annotations

import re
from typing import Final, Literal

from schemas.alerts import Alert, Severity
from schemas.places.model import DEFAULT_SCHEME

__all__ = [
    "CERTAINTY",
    "SEVERITY",
    "Language",
    "category",
    "certainty",
    "description",
    "headline",
    "place_told",
    "spoken",
    "urgency",
]

Language = Literal["zh-CN", "en-US"]

SEVERITY: Final[dict[Severity, str]] = {
    "life_safety": "Extreme",
    "high": "Severe",
    "medium": "Moderate",
    "low": "Minor",
}
_URGENCY: Final[dict[Severity, str]] = {
    "life_safety": "Immediate",
    "high": "Immediate",
    "medium": "Expected",
    "low": "Future",
}
CERTAINTY: Final = ("Observed", "Likely")
_BY_RULE: Final = {
    "signal.smoke": "Fire",
    "signal.heat": "Fire",
    "signal.manual_call": "Fire",
    "signal.gas": "Safety",
    "signal.tamper": "Infra",
}
_BY_DOMAIN: Final = {"security": "Security", "care": "Health", "parking": "Transport"}
_COMMUNITY: Final = DEFAULT_SCHEME.length("community")
_PERSONAL: Final = ("care", "governance")
"""Domains whose devices stand for a person or a home: what is told of them names no device."""
_CHINESE: Final = re.compile("[\u2e80-\u9fff\uff00-\uffef]")
_SENTENCES: Final = re.compile("(?<=[。.]) +")
_PERSON: Final = "silence.person"


def category(alert: Alert) -> str:
    """CAP's category; what belongs to no domain of ours is `Other`."""
    rule = (alert.cause or alert.rule).removeprefix("storm.")
    if rule.startswith("silence.") and rule != _PERSON:
        return "Infra"  # a device or a feed says nothing
    return _BY_RULE.get(rule) or _BY_DOMAIN.get(alert.domain, "Other")


def place_told(alert: Alert) -> str:
    """The place as others may know it: of what concerns one person, no smaller than a community."""
    return alert.place[:_COMMUNITY] if alert.domain in _PERSONAL else alert.place


def urgency(alert: Alert) -> str:
    """How soon somebody must act; of what is over, `Past`."""
    return _URGENCY[alert.severity] if alert.active or alert.latched else "Past"


def certainty(alert: Alert) -> str:
    """`Observed` where a device said so, `Likely` where a detector concluded it."""
    return CERTAINTY[0] if alert.rule.startswith("signal.") else CERTAINTY[1]


def headline(alert: Alert, language: Language) -> str:
    """The alert's title, marked when it is simulated."""
    words = spoken(alert.title, language)
    mark = {"zh-CN": "【模拟】", "en-US": "[simulated] "}[language]
    return mark + words if alert.simulated else words


def description(alert: Alert, language: Language) -> str:
    """What is known; of people no more than that it is so, how often, and whether it goes on."""
    chinese = language == "zh-CN"
    told = [headline(alert, language)]
    if alert.explanation and alert.domain not in _PERSONAL:
        told.append(spoken(alert.explanation, language))
    elif alert.count > 1:
        told.append(f"共 {alert.count} 次" if chinese else f"{alert.count} times")
    if not alert.active:
        told.append("情况已结束" if chinese else "the condition is over")
        if alert.latched:
            told.append("等待人工确认" if chinese else "waits for a person to reset it")
    return ("；" if chinese else "; ").join(part.rstrip("。. ") for part in told)


def spoken(text: str, language: Language) -> str:
    """The words of one language of `中文 English`, or of sentences of both; all of a text of one only."""
    sentences = _SENTENCES.split(text)
    chinese = " ".join(part for part in sentences if _CHINESE.match(part))
    english = " ".join(part for part in sentences if not _CHINESE.match(part))
    if len(sentences) == 1:
        ends = [found.end() for found in _CHINESE.finditer(text)]
        chinese, english = (text[: ends[-1]], text[ends[-1] :]) if ends else ("", text)
    return (chinese if language == "zh-CN" else english).strip() or text
