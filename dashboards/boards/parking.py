"""智慧停车: how full it is, where, and whether the sensors can be believed."""

from __future__ import annotations

from dashboards.context import Context
from dashboards.figures import figure
from dashboards.limits import of_figure
from dashboards.links import UIDS
from dashboards.model import Board, Lines, Section
from dashboards.panels import key_figure, last_seen, places, ranked, trends, wholeness
from dashboards.rule_panels import rules_of
from dashboards.words import Words

__all__ = ["board"]


def board(context: Context) -> Board:
    """The board."""
    occupancy, occupied, spaces = (figure("parking", each) for each in ("occupancy", "occupied", "spaces"))
    unknown, turnover, devices = (figure("parking", each) for each in ("unknown", "turnover", "devices"))
    full = of_figure(context.limits, occupancy)
    share = Lines(least=0, most=1)
    return Board(
        uid=UIDS["parking"],
        title=Words("智慧停车", "parking"),
        about=Words(
            "占用、周转与车位传感器状态。", "How full it is, what comes and goes, and what the sensors know."
        ),
        variables=context.placed,
        sections=(
            Section(
                Words("现在", "now"),
                tuple(
                    key_figure(each, of_figure(context.limits, each))
                    for each in (occupancy, occupied, spaces, unknown, turnover, devices)
                ),
            ),
            Section(Words("告警规则此刻", "what rules see now"), rules_of(context.limits, "parking")),
            Section(
                Words("走势", "trend"),
                (
                    trends("occupancy", occupancy.words, [occupancy], full, share),
                    trends(
                        "occupancy-last-week",
                        Words("上周同期占用率", "occupancy, one week before"),
                        [occupancy],
                        full,
                        Lines(least=0, most=1, shift="7d"),
                    ),
                    trends("spaces", Words("车位状态", "state of spaces"), [occupied, unknown, spaces]),
                    trends(
                        "turnover",
                        Words("每小时驶入", "arrivals an hour"),
                        [turnover],
                        (),
                        Lines(bars=True, least=0),
                        "1h",
                    ),
                ),
            ),
            Section(
                Words("各地比较", "place by place"),
                (
                    ranked(occupancy, full).sized(12, 10),
                    places(
                        "places",
                        Words("各地停车", "parking by place"),
                        [occupancy, occupied, spaces, unknown, turnover],
                    ).sized(12, 10),
                ),
            ),
            Section(Words("数据", "data"), (wholeness(["parking"]), last_seen("parking"))),
        ),
    )
