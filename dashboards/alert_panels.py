"""Panels on alerts that several boards have: active ones by severity, the list, what came over time."""

from __future__ import annotations

from typing import Final

from dashboards import alert_queries
from dashboards.links import to_board
from dashboards.model import FieldStyle, Lines, Mapping, Panel, Stat, Step, Table
from dashboards.palette import SEVERITY_COLOURS
from dashboards.words import SEVERITY_WORDS, Words
from schemas.alerts import SEVERITIES

__all__ = ["active", "alert_list", "onsets", "severity_mappings"]

_URGENT_FIRST: Final = tuple(reversed(SEVERITIES))
_NONE_FOR_LONG: Final = "30 天内没有 none in 30 days"


def severity_mappings() -> tuple[Mapping, ...]:
    """How a severity is shown in a cell."""
    return tuple(Mapping(each, str(SEVERITY_WORDS[each]), SEVERITY_COLOURS[each]) for each in _URGENT_FIRST)


def active() -> Panel:
    """How many alerts go on, by severity, the most urgent first."""
    return Panel(
        name="alerts-active",
        title=Words("活动告警", "active alerts"),
        about=Words(
            "所选地点及其下级正在持续的告警，按级别；含已确认和已搁置的。",
            "Alerts that go on in the chosen place, by severity; also acknowledged and shelved ones.",
        ),
        show=Stat(named=True),
        unit="locale",
        queries=tuple(
            alert_queries.active(each, SEVERITY_WORDS[each], chr(ord("A") + at))
            for at, each in enumerate(_URGENT_FIRST)
        ),
        width=12,
        height=4,
        decimals=0,
        fields=tuple(
            FieldStyle(str(SEVERITY_WORDS[each]), steps=(Step(None, "none"), Step(1, SEVERITY_COLOURS[each])))
            for each in _URGENT_FIRST
        ),
        links=(to_board("alerts", Words("告警与值守", "alerts")),),
        nothing=_NONE_FOR_LONG,
    )


def alert_list(names: tuple[Mapping, ...], *, only_active: bool, limit: int = 50) -> Panel:
    """The newest alerts; `names` shows codes of places as names."""
    place = to_board("place", Words("查看此地", "look at the place"), "${__data.fields.place}")
    columns = ("Time", "severity", "title", "place", "count", "children", "active", "explanation")
    return Panel(
        name="alerts-active-list" if only_active else "alerts-list",
        title=Words("活动告警列表", "list of active alerts")
        if only_active
        else Words("告警列表", "list of alerts"),
        about=Words(
            "时间为发生时刻；“次数”为合并的重复，“下属”为它所代表的告警。确认与处置在告警台进行。",
            "Time is the onset; merged repeats, and how many alerts it stands for. Acknowledge at the desk.",
        ),
        show=Table(columns=columns, sort="Time"),
        unit="string",
        queries=(alert_queries.newest(limit, only_active=only_active),),
        width=24,
        height=9,
        fields=(
            FieldStyle("Time", Words("发生", "onset"), unit="dateTimeAsLocal", width=170),
            FieldStyle("severity", Words("级别", "severity"), mappings=severity_mappings(), width=150),
            FieldStyle("title", Words("告警", "alert"), width=320),
            FieldStyle("place", Words("地点", "place"), mappings=names, links=(place,), width=200),
            FieldStyle("count", Words("次数", "count"), unit="locale", width=90),
            FieldStyle("children", Words("下属", "stands for"), unit="locale", width=110),
            FieldStyle("active", Words("状态", "state"), mappings=_STATES, width=130),
            FieldStyle("explanation", Words("说明", "why")),
        ),
        nothing="没有告警 no alerts",
    )


_STATES: Final = (Mapping("1", "持续 active", "critical"), Mapping("0", "已恢复 over", "none"))


def onsets() -> Panel:
    """How many alerts came over time, by severity."""
    return Panel(
        name="alerts-onsets",
        title=Words("告警发生", "alerts that came"),
        about=Words("按级别的告警数，按发生时刻。", "Alerts by severity, at the time of their onset."),
        show=Lines(bars=True, stacked=True, least=0, step="10m"),
        unit="locale",
        queries=tuple(
            alert_queries.onsets_by_severity(each, SEVERITY_WORDS[each], chr(ord("A") + at))
            for at, each in enumerate(SEVERITIES)
        ),
        width=24,
        height=7,
        decimals=0,
        fields=tuple(
            FieldStyle(str(SEVERITY_WORDS[each]), colour=SEVERITY_COLOURS[each]) for each in SEVERITIES
        ),
        nothing="没有告警 no alerts",
    )
