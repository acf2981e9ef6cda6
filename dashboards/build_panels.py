"""A panel as Grafana is given it: one function a kind, over the SDK's types."""

from __future__ import annotations

from functools import singledispatch
from typing import Final

from grafana_foundation_sdk.models import (
    bargauge,
    common,
    geomap,
    stat,
    statetimeline,
    table,
    text,
    timeseries,
)
from grafana_foundation_sdk.models import dashboard as grafana

from dashboards.build_fields import field_config
from dashboards.build_queries import target
from dashboards.model import Bars, Choropleth, Lines, Note, Panel, Show, Stat, Table, Timeline
from dashboards.palette import COLOURS

__all__ = ["built_panel"]

_NO_TILE: Final = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
"""A transparent picture of one pixel: a base map that asks nobody (Grafana's default asks carto)."""


def built_panel(panel: Panel, at: grafana.GridPos) -> grafana.Panel:
    """The panel at its place."""
    built = _shown(panel.show, panel)
    sources = {query.source.uid: query.source for query in panel.queries}
    built.id_val, built.title, built.grid_pos = panel.number, str(panel.title), at
    built.description = f"{panel.about.chinese}\n\n{panel.about.english}"
    built.targets = [target(query) for query in panel.queries] or None
    if len(sources) == 1:
        (only,) = sources.values()
        built.datasource = grafana.DataSourceRef(only.plugin, only.uid)
    elif sources:
        built.datasource = grafana.DataSourceRef("datasource", "-- Mixed --")
    return built


@singledispatch
def _shown(show: Show, panel: Panel) -> grafana.Panel:
    raise TypeError(f"{panel.name}: a panel that shows {type(show).__name__} cannot be built")


@_shown.register
def _(show: Stat, panel: Panel) -> grafana.Panel:
    options = stat.Options(
        graph_mode=common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.VALUE,
        justify_mode=common.BigValueJustifyMode.AUTO,
        text_mode=common.BigValueTextMode.VALUE_AND_NAME if show.named else common.BigValueTextMode.AUTO,
        reduce_options=_reduced(show.fields, by="sum" if show.summed else "lastNotNull"),
        orientation=common.VizOrientation.AUTO,
    )
    return grafana.Panel("stat", options=options, field_config=field_config(panel, None))


@_shown.register
def _(show: Lines, panel: Panel) -> grafana.Panel:
    custom = timeseries.FieldConfig(
        draw_style=common.GraphDrawStyle.BARS if show.bars else common.GraphDrawStyle.LINE,
        line_width=1 if show.bars else 2,
        fill_opacity=60 if show.bars else 8,
        show_points=common.VisibilityMode.AUTO,
        span_nulls=False,  # a gap is a gap
        stacking=common.StackingConfig(
            mode=common.StackingMode.NORMAL if show.stacked else common.StackingMode.NONE, group="A"
        ),
        thresholds_style=common.GraphThresholdsStyleConfig(
            mode=common.GraphThresholdsStyleMode.DASHED
            if len(panel.steps) > 1
            else common.GraphThresholdsStyleMode.OFF
        ),
    )
    options = timeseries.Options(legend=_legend(), tooltip=_tooltip())
    config = field_config(panel, custom, least=show.least, most=show.most)
    built = grafana.Panel("timeseries", options=options, field_config=config)
    built.time_shift, built.interval = show.shift or None, show.step or None
    return built


@_shown.register
def _(show: Bars, panel: Panel) -> grafana.Panel:
    options = bargauge.Options(
        display_mode=common.BarGaugeDisplayMode.BASIC,
        value_mode=common.BarGaugeValueMode.TEXT,
        name_placement=common.BarGaugeNamePlacement.LEFT,
        show_unfilled=False,
        sizing=common.BarGaugeSizing.AUTO,
        legend=common.VizLegendOptions(show_legend=False),
        reduce_options=_reduced("", rows=bool(show.columns)),
        orientation=common.VizOrientation.HORIZONTAL,
    )
    config = field_config(panel, None, least=show.least, most=show.most)
    built = grafana.Panel("bargauge", options=options, field_config=config)
    if show.columns:
        key, _, value = show.columns
        built.transformations = [*_joined(show.columns, key, hide=(key,)), _sorted(value, descending=True)]
    return built


@_shown.register
def _(show: Table, panel: Panel) -> grafana.Panel:
    sort = [common.TableSortByFieldState(display_name=show.sort, desc=show.descending)] if show.sort else None
    options = table.Options(show_header=True, cell_height=common.TableCellHeight.SM, sort_by=sort)
    custom = {"align": "auto", "cellOptions": common.TableAutoCellOptions(), "filterable": False}
    built = grafana.Panel("table", options=options, field_config=field_config(panel, custom))
    built.transformations = _joined(show.columns, show.joined)
    return built


@_shown.register
def _(show: Timeline, panel: Panel) -> grafana.Panel:
    del show
    options = statetimeline.Options(
        show_value=common.VisibilityMode.AUTO,
        merge_values=True,
        align_value=common.TimelineValueAlignment.CENTER,
        legend=common.VizLegendOptions(show_legend=False),
        tooltip=_tooltip(),
    )
    custom = statetimeline.FieldConfig(line_width=0, fill_opacity=80)
    return grafana.Panel("state-timeline", options=options, field_config=field_config(panel, custom))


@_shown.register
def _(show: Choropleth, panel: Panel) -> grafana.Panel:
    longitude, latitude = show.centre
    areas = {
        "src": show.areas,
        "idField": show.key,
        "style": {"color": {"fixed": COLOURS["none"]}, "opacity": 0.3, "lineWidth": 1},  # areas without data
        "rules": [],
        "dataStyle": {"color": {"field": show.value, "fixed": COLOURS["none"]}},
    }
    options = geomap.Options(
        view=geomap.MapViewConfig(
            id_val="coords",
            lat=latitude,  # type: ignore[arg-type] # the SDK says int; Grafana takes any number
            lon=longitude,  # type: ignore[arg-type]
            zoom=show.zoom,
            all_layers=True,
        ),
        controls=geomap.ControlsOptions(show_zoom=True, mouse_wheel_zoom=True, show_attribution=False),
        basemap=common.MapLayerOptions("xyz", "none", config={"url": _NO_TILE, "attribution": ""}),
        layers=[common.MapLayerOptions("dynamic-geojson", "areas", config=areas, tooltip=True)],
        tooltip=geomap.TooltipOptions(geomap.TooltipMode.DETAILS),
    )
    return grafana.Panel("geomap", options=options, field_config=field_config(panel, None))


@_shown.register
def _(show: Note, panel: Panel) -> grafana.Panel:
    del panel
    return grafana.Panel("text", options=text.Options(mode=text.TextMode.MARKDOWN, content=show.text))


def _reduced(fields: str, *, by: str = "lastNotNull", rows: bool = False) -> common.ReduceDataOptions:
    """One value of each series, or every row as it is."""
    return common.ReduceDataOptions(calcs=[by], fields=fields, values=rows, limit=100 if rows else None)


def _legend() -> common.VizLegendOptions:
    return common.VizLegendOptions(
        show_legend=True,
        display_mode=common.LegendDisplayMode.LIST,
        placement=common.LegendPlacement.BOTTOM,
        calcs=["lastNotNull"],
    )


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING)


def _joined(
    columns: tuple[str, ...], by: str, hide: tuple[str, ...] = ()
) -> list[grafana.DataTransformerConfig]:
    """Only these columns, in their order; of several tables the rows that have the same `by` become one."""
    wanted = [{"id": "filterFieldsByName", "options": {"include": {"names": list(columns)}}}]
    if by:
        wanted.append({"id": "joinByField", "options": {"byField": by, "mode": "outer"}})
    order = {column: at for at, column in enumerate(columns)}
    excluded = dict.fromkeys(hide, True)
    organized = {"indexByName": order, "excludeByName": excluded, "renameByName": {}}
    wanted.append({"id": "organize", "options": organized})
    return [grafana.DataTransformerConfig(str(each["id"]), options=each["options"]) for each in wanted]


def _sorted(column: str, *, descending: bool) -> grafana.DataTransformerConfig:
    options = {"fields": {}, "sort": [{"field": column, "desc": descending}]}
    return grafana.DataTransformerConfig("sortBy", options=options)
