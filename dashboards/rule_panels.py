"""What the alert rules look at, now: a panel a rule with a threshold, coloured by that threshold."""

from __future__ import annotations

from typing import Final

from dashboards import windows
from dashboards.figures import figure
from dashboards.limits import Limit, of_rules
from dashboards.model import Panel, Query, Stat
from dashboards.words import LEVEL_WORDS, Words
from schemas.kinds import Domain

__all__ = ["judged", "rules_of"]

_SIGNS: Final = {"above": "≥", "below": "<"}


def rules_of(limits: tuple[Limit, ...], domain: Domain) -> tuple[Panel, ...]:
    """A panel for every rule of the domain that compares a figure with a number, in the rules' order."""
    return tuple(judged(limit, domain) for limit in limits if limit.domain == domain)


def judged(limit: Limit, domain: Domain) -> Panel:
    """The figure of a rule for the chosen place at the end of the board's time."""
    looked, looked_en = _looked_at(limit, domain)
    levels = "、".join(LEVEL_WORDS[each].chinese for each in limit.levels)
    levels_en = ", ".join(LEVEL_WORDS[each].english for each in limit.levels)
    sign = f"{_SIGNS[limit.side]} {limit.threshold:g}"
    return Panel(
        name=f"rule-{limit.rule}",
        title=Words(limit.words.chinese, limit.words.english),
        about=Words(
            f"规则 {limit.rule}：{looked} {sign}，用于{levels}。颜色只按界线，延时与时段以规则为准。",
            f"Rule {limit.rule}: {looked_en} {sign}, for {levels_en}. Colours know the limit only; delays "
            "and hours are the rule's.",
        ),
        show=Stat(),
        unit="percentunit" if limit.per else figure(domain, limit.figures[0]).unit,
        queries=(_query(limit, domain),),
        width=4,
        height=4,
        decimals=1 if limit.per or not limit.over_s else 0,
        steps=of_rules((limit,)),
    )


def _looked_at(limit: Limit, domain: Domain) -> tuple[str, str]:
    """What the rule compares with its threshold, in both languages."""
    shown = [figure(domain, each).words for each in limit.figures]
    chinese, english = "+".join(w.chinese for w in shown), " + ".join(w.english for w in shown)
    if limit.per:
        whole = figure(domain, limit.per).words
        chinese, english = f"{chinese} ÷ {whole.chinese}", f"{english} / {whole.english}"
    if limit.over_s:
        minutes = limit.over_s // 60
        return f"最近 {minutes} 分钟{chinese}", f"{english} within {minutes} min"
    return chinese, english


def _query(limit: Limit, domain: Domain) -> Query:
    shown = tuple(figure(domain, each) for each in limit.figures)
    whole = figure(domain, limit.per) if limit.per else None
    return windows.judged(shown, whole, limit.over_s)
