"""A board as Grafana is given it: panels at their places, variables, marks, links, over the SDK's types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as grafana

from dashboards.build_panels import built_panel
from dashboards.layout import placed
from dashboards.links import TAG
from dashboards.marks import Mark, marks
from dashboards.model import Board, Panel
from dashboards.palette import COLOURS
from dashboards.sources import DISTRICT, GRAFANA, Source
from dashboards.variables import Variable

__all__ = ["built", "rendered"]

_REFRESH: Final = ("5s", "10s", "30s", "1m", "5m", "15m", "30m", "1h")
_ZONE: Final = "Asia/Shanghai"


def rendered(board: Board) -> str:
    """The board's JSON, always the same for the same board."""
    return json.dumps(built(board), cls=JSONEncoder, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def built(board: Board) -> grafana.Dashboard:
    """The board in the SDK's types."""
    return grafana.Dashboard(
        uid=board.uid,
        title=str(board.title),
        description=f"{board.about.chinese}\n\n{board.about.english}",
        tags=[TAG],
        timezone=_ZONE,
        editable=False,
        graph_tooltip=grafana.DashboardCursorSync.CROSSHAIR,
        time=grafana.DashboardDashboardTime(from_val=board.since, to="now"),
        timepicker=grafana.TimePickerConfig(refresh_intervals=list(_REFRESH)),
        week_start="monday",
        refresh=board.refresh,
        panels=list(_panels(board)),
        templating=grafana.DashboardDashboardTemplating([_variable(each) for each in board.variables]),
        annotations=grafana.AnnotationContainer([_built_in_marks(), *(_mark(each) for each in marks(board))]),
        links=[_boards(), *([_live(board.live)] if board.live else [])],
    )


def _panels(board: Board) -> Iterator[grafana.Panel | grafana.RowPanel]:
    for number, item in enumerate(placed(board.sections)):
        at = grafana.GridPos(h=item.height, w=item.width, x=item.x, y=item.y)
        if isinstance(item.shown, Panel):
            yield built_panel(item.shown, at)
        else:
            yield grafana.RowPanel(title=str(item.shown), grid_pos=at, id_val=100_001 + number)


def _boards() -> grafana.DashboardLink:
    """The list of all boards; time and variables go along."""
    return grafana.DashboardLink(
        title="看板 Boards",
        type_val=grafana.DashboardLinkType.DASHBOARDS,
        icon="external link",
        tags=[TAG],
        as_dropdown=True,
        include_vars=True,
        keep_time=True,
    )


def _live(url: str) -> grafana.DashboardLink:
    """To the live page of the place; time is always the present there."""
    return grafana.DashboardLink(
        title="现场页与设备 Live page and devices",
        type_val=grafana.DashboardLinkType.LINK,
        icon="external link",
        url=url,
        target_blank=True,
    )


def _variable(variable: Variable) -> grafana.VariableModel:
    hide = grafana.VariableHide.HIDE_VARIABLE if variable.hidden else grafana.VariableHide.DONT_HIDE
    model = grafana.VariableModel(
        name=variable.name,
        label=str(variable.words),
        hide=hide,
        current=grafana.VariableOption(text=variable.text, value=variable.value, selected=True),
        allow_custom_value=False,
    )
    if variable.kind == "choice":
        model.type_val = grafana.VariableType.CUSTOM
        model.query = ", ".join(f"{text} : {value}" for text, value in variable.options)
        return model
    model.type_val = grafana.VariableType.QUERY
    model.datasource = _ref(variable.source)
    model.query = {"query": variable.query, "refId": variable.name}
    model.regex = variable.pattern or None
    model.sort = grafana.VariableSort.DISABLED
    model.refresh = (
        grafana.VariableRefresh.ON_TIME_RANGE_CHANGED
        if variable.by_time
        else grafana.VariableRefresh.ON_DASHBOARD_LOAD
    )
    return model


def _ref(source: Source) -> grafana.DataSourceRef:
    return grafana.DataSourceRef(source.plugin, source.uid)


def _built_in_marks() -> grafana.AnnotationQuery:
    """Grafana's own, so that people may write notes."""
    return grafana.AnnotationQuery(
        name="备注 Notes",
        datasource=_ref(GRAFANA),
        enable=True,
        hide=True,
        icon_color=COLOURS["normal"],
        type_val="dashboard",
        built_in=1,
    )


class _InfluxqlMark(grafana.AnnotationTarget):
    """A raw query for marks (`annotationEvents` in Grafana); the SDK's type knows only Grafana's own."""

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self._mark = mark

    def to_json(self) -> dict[str, object]:
        """As the InfluxDB data source reads it."""
        mark = self._mark
        return {
            "refId": "Anno",
            "fromAnnotations": True,
            "query": mark.query,
            "rawQuery": True,
            "queryType": "tags",
            "name": str(mark.words),
            "titleColumn": mark.title,
            "textColumn": mark.text,
            "tagsColumn": ",".join(mark.tags),
            "timeEndColumn": mark.until,
        }


def _mark(mark: Mark) -> grafana.AnnotationQuery:
    return grafana.AnnotationQuery(
        name=str(mark.words),
        datasource=_ref(DISTRICT),
        enable=True,
        icon_color=COLOURS[mark.colour],
        target=_InfluxqlMark(mark),
    )
