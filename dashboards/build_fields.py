"""How values are shown, as Grafana's field config: units, limits, texts for values and their absence."""

from __future__ import annotations

from collections.abc import Iterable

from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as grafana

from dashboards.model import Choropleth, FieldStyle, Link, Mapping, Panel, Step
from dashboards.palette import COLOURS, RAMP
from dashboards.words import NO_DATA

__all__ = ["field_config"]


def field_config(
    panel: Panel, custom: object, *, least: float | None = None, most: float | None = None
) -> grafana.FieldConfigSource:
    """Everything about the values of a panel; `custom` is what only its kind of panel has."""
    defaults = grafana.FieldConfig(
        unit=panel.unit,
        decimals=panel.decimals,
        min_val=least,
        max_val=most,
        mappings=[*_mappings(panel.mappings), _nothing(panel.nothing)],
        thresholds=_thresholds(panel.steps),
        color=_colour(panel),
        links=[_link(link) for link in panel.links] or None,
        no_value=panel.nothing,
        custom=custom,
    )
    return grafana.FieldConfigSource(defaults, [_override(style) for style in panel.fields])


def _nothing(text: str) -> grafana.SpecialValueMap:
    """A value that is not there says so, in grey."""
    result = grafana.ValueMappingResult(text=text, color=COLOURS["none"], index=99)
    return grafana.SpecialValueMap(
        grafana.DashboardSpecialValueMapOptions(match=grafana.SpecialValueMatch.NULL_AND_NAN, result=result)
    )


def _mappings(mappings: Iterable[Mapping]) -> list[grafana.ValueMapping]:
    options: dict[str, grafana.ValueMappingResult] = {}
    patterns: list[grafana.ValueMapping] = []
    for at, each in enumerate(mappings):
        colour = COLOURS[each.colour] if each.colour else None
        result = grafana.ValueMappingResult(text=each.text, color=colour, index=at)
        if each.pattern:
            patterns.append(grafana.RegexMap(grafana.DashboardRegexMapOptions(each.value, result)))
        else:
            options[each.value] = result
    return [*([grafana.ValueMap(options)] if options else []), *patterns]


def _thresholds(steps: tuple[Step, ...]) -> grafana.ThresholdsConfig:
    wanted = steps or (Step(None, "normal"),)
    return grafana.ThresholdsConfig(
        mode=grafana.ThresholdsMode.ABSOLUTE,
        steps=[grafana.Threshold(value=step.start, color=COLOURS[step.colour]) for step in wanted],
    )


def _colour(panel: Panel) -> grafana.FieldColor:
    """By the limits; of a map by the ramp. Never Grafana's palette, whose first colour is green."""
    mode = RAMP if isinstance(panel.show, Choropleth) else grafana.FieldColorModeId.THRESHOLDS
    return grafana.FieldColor(mode=grafana.FieldColorModeId(mode))


def _link(link: Link) -> grafana.DashboardLink:
    return grafana.DashboardLink(
        title=str(link.title), url=link.url, type_val=grafana.DashboardLinkType.LINK, target_blank=False
    )


def _override(style: FieldStyle) -> grafana.DashboardFieldConfigSourceOverrides:
    properties = {
        "displayName": str(style.words) if style.words else None,
        "unit": style.unit or None,
        "decimals": style.decimals,
        "thresholds": _thresholds(style.steps) if style.steps else None,
        "mappings": [*_mappings(style.mappings), _nothing(NO_DATA)] if style.mappings else None,
        "links": [_link(link) for link in style.links] or None,
        "color": _fixed(style),
        "custom.width": style.width or None,
        "custom.cellOptions": common.TableColorTextCellOptions() if style.steps or style.mappings else None,
    }
    return grafana.DashboardFieldConfigSourceOverrides(
        matcher=grafana.MatcherConfig(id_val="byName", options=style.name),
        properties=[
            grafana.DynamicConfigValue(k, value) for k, value in properties.items() if value is not None
        ],
    )


def _fixed(style: FieldStyle) -> grafana.FieldColor | None:
    if style.colour is None:
        return None
    return grafana.FieldColor(mode=grafana.FieldColorModeId.FIXED, fixed_color=COLOURS[style.colour])
