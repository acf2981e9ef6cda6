"""态势总览: the district command centre: the map, what is alarming, how it stands against the usual."""

from __future__ import annotations

from typing import Final

from dashboards import alert_panels, windows
from dashboards.context import Context
from dashboards.figures import figure
from dashboards.limits import of_figure
from dashboards.links import UIDS, to_board
from dashboards.model import Board, Choropleth, Panel, Section, Stack
from dashboards.panels import key_figure, last_seen, wholeness
from dashboards.variables import metric
from dashboards.words import Words
from schemas.kinds import DOMAINS, Domain

__all__ = ["board"]

_KEY: Final[tuple[tuple[Domain, str], ...]] = (
    ("parking", "occupancy"),
    ("parking", "turnover"),
    ("security", "people_entered"),
    ("security", "access_denied"),
    ("security", "intrusion_intrusion"),
    ("care", "residents_seen"),
    ("care", "vitals_out_of_range"),
    ("governance", "patrols"),
    ("governance", "reports"),
)
_ON_MAP: Final[tuple[tuple[Domain, str], ...]] = (
    ("parking", "occupancy"),
    ("parking", "occupied"),
    ("parking", "unknown"),
    ("security", "people_entered"),
    ("security", "access_denied"),
    ("security", "intrusion_motion"),
    ("governance", "patrols"),
    ("governance", "reports"),
)
"""What grids can be coloured by; not care, whose grids are too small to be told."""


def board(context: Context) -> Board:
    """The board."""
    limits = context.limits
    keys = (figure(domain, name) for domain, name in _KEY)
    return Board(
        uid=UIDS["overview"],
        title=Words("态势总览", "situation overview"),
        about=Words(
            "一屏看全区：网格地图、活动告警、主要数字与往周同时、数据是否新鲜。",
            "The district at a glance: map, active alerts, key figures beside the usual, freshness.",
        ),
        variables=(*context.placed, metric(tuple((_named(*each), each[1]) for each in _ON_MAP))),
        live=context.live_url,
        sections=(
            Section(
                Words("${place:text}", "now"),
                (
                    _map(context),
                    Stack(
                        12,
                        (
                            alert_panels.active(),
                            *(key_figure(each, of_figure(limits, each)).sized(4, 3) for each in keys),
                            *(last_seen(domain).sized(3, 3) for domain in DOMAINS),
                        ),
                    ),
                ),
            ),
            Section(
                Words("告警", "alerts"), (alert_panels.alert_list(context.place_names, only_active=True),)
            ),
            Section(Words("数据是否新鲜", "freshness"), (wholeness(DOMAINS),)),
        ),
    )


def _named(domain: Domain, name: str) -> str:
    return str(figure(domain, name).words)


def _map(context: Context) -> Panel:
    return Panel(
        name="map",
        title=Words("网格地图：${metric:text}", "map of the grids"),
        about=Words(
            "按所选指标给网格着色，颜色由浅到深为本图内由低到高；灰色为无数据。底图不联网。"
            "坐标 WGS-84（边界文件声明）。点击网格看编码。",
            "Grids coloured by the metric, from the lowest to the highest shown; grey is no data. "
            "No tiles from outside. WGS-84, as the outlines declare. A click on a grid tells its code.",
        ),
        show=Choropleth(areas=context.map_url, key="place", value="value", centre=context.centre, zoom=13),
        unit="short",
        queries=(windows.grids(),),
        width=12,
        height=16,
        links=(to_board("place", Words("查看此地", "look at the place"), "${__data.fields.place}"),),
    )
