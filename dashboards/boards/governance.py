"""智慧网格与党建: patrols, issues from the spot, members who reported, service stations."""

from __future__ import annotations

from dashboards.context import Context
from dashboards.figures import FIGURES, figure
from dashboards.links import UIDS
from dashboards.model import Board, Lines, Section
from dashboards.panels import key_figure, last_seen, places, ranked, trends, wholeness
from dashboards.rule_panels import rules_of
from dashboards.words import Words

__all__ = ["board"]

_SHOWN = ("patrols", "reports", "checked_in", "station_visits")


def board(context: Context) -> Board:
    """The board."""
    shown = [figure("governance", name) for name in _SHOWN]
    bars = Lines(bars=True, least=0)
    return Board(
        uid=UIDS["governance"],
        title=Words("智慧网格与党建", "grid work and party building"),
        about=Words(
            "网格巡查、问题上报、党员报到、驿站到访。", "Patrols, issues, members who reported, stations."
        ),
        variables=context.placed,
        refresh="30s",
        since="now-24h",
        sections=(
            Section(
                Words("最近一小时", "last hour"),
                (
                    *(key_figure(each) for each in (*shown, FIGURES["governance"]["devices"])),
                    *rules_of(context.limits, "governance"),
                ),
            ),
            Section(
                Words("每小时", "an hour"),
                tuple(trends(each.name, each.words, [each], (), bars, "1h") for each in shown),
            ),
            Section(
                Words("各地比较", "place by place"),
                (
                    ranked(shown[0], ago="1d").sized(12, 10),
                    places("places", Words("各地网格与党建", "governance by place"), shown, ago="1d").sized(
                        12, 10
                    ),
                ),
            ),
            Section(Words("数据", "data"), (wholeness(["governance"]), last_seen("governance"))),
        ),
    )
