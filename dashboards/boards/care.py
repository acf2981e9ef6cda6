"""智慧养老: counts only, never who; what stands for fewer than five people is not shown."""

from __future__ import annotations

from dashboards.context import Context
from dashboards.figures import Figure, figure
from dashboards.limits import of_figure
from dashboards.links import UIDS
from dashboards.model import Board, Lines, Note, Panel, Section
from dashboards.panels import key_figure, last_seen, places, ranked, trends, wholeness
from dashboards.rule_panels import rules_of
from dashboards.words import Words

__all__ = ["board"]


def _all(*names: str) -> list[Figure]:
    return [figure("care", name) for name in names]


def board(context: Context) -> Board:
    """The board."""
    return Board(
        uid=UIDS["care"],
        title=Words("智慧养老", "elderly care"),
        about=Words(
            "只有计数，没有个人；少于 5 人的不显示。", "Counts, nobody by name; under 5 nothing is shown."
        ),
        variables=context.placed,
        refresh="30s",
        sections=(
            Section(
                Words("现在", "now"),
                tuple(
                    key_figure(each, of_figure(context.limits, each))
                    for each in _all(
                        *("residents_seen", "beds_occupied", "activity"),
                        *("vitals", "vitals_out_of_range", "temperature_mean"),
                    )
                ),
            ),
            Section(Words("告警规则此刻", "what rules see now"), rules_of(context.limits, "care")),
            _over_time(context),
            Section(
                Words("各地比较", "place by place"),
                (
                    ranked(figure("care", "residents_seen")).sized(12, 10),
                    places(
                        "places",
                        Words("各地养老", "care by place"),
                        _all("residents_seen", "beds_occupied", "vitals", "vitals_out_of_range"),
                    ).sized(12, 10),
                ),
            ),
            Section(Words("数据", "data"), (wholeness(["care"]), last_seen("care"))),
        ),
    )


def _how_to_read() -> Panel:
    return Panel(
        name="how-to-read",
        title=Words("如何读本看板", "how to read this board"),
        about=Words("说明。", "A note."),
        show=Note(
            "- **少于 5** 的人数及其数据由查询屏蔽，显示为无数据；0 照常显示。\n"
            "- 单个老人的呼救、跌倒、长时间无活动是**告警**，见「告警与值守」，由值班人员处置。\n\n"
            "- Counts **under 5**, and what is of so few, are masked by the query: no data. 0 is shown.\n"
            "- One person's call, fall or stillness is an **alert**, for those on call."
        ),
        unit="none",
        width=12,
        height=8,
    )


def _over_time(context: Context) -> Section:
    temperature = figure("care", "temperature_mean")
    hourly = Lines(bars=True, least=0)
    return Section(
        Words("走势", "trend"),
        (
            trends(
                "residents",
                Words("有数据老人", "residents heard of"),
                _all("residents_seen", "beds_occupied"),
            ),
            trends(
                "activity",
                Words("每小时居家活动", "movements an hour"),
                _all("activity"),
                (),
                hourly,
                "1h",
            ),
            trends(
                "vitals",
                Words("每小时体征", "vital signs an hour"),
                _all("vitals", "vitals_out_of_range"),
                show=hourly,
                bucket="1h",
            ),
            trends(
                "temperature",
                temperature.words,
                [temperature],
                of_figure(context.limits, temperature),
                Lines(),
            ),
            trends(
                "emergencies",
                Words("每日呼救与跌倒", "calls for help and falls a day"),
                _all("sos", "falls"),
                show=hourly,
                bucket="1d",
            ),
            _how_to_read(),
        ),
    )
