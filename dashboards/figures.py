"""The figures of windows as operators read them: names, units, and what a longer time does to them.

Units come from `schemas.measures` (UCUM) and are Grafana's here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from dashboards.words import Words
from schemas.errors import SettingsError, received_allowed
from schemas.kinds import Domain
from schemas.measures import DERIVED, MEASURES, Measure, Ratio

__all__ = ["FIGURES", "UNITS", "Figure", "Grows", "figure"]

Grows = Literal[
    "held",  # the state at a window's end: of a longer time the newest counts
    "flow",  # what happened in a window: of a longer time it adds up
    "distinct",  # how many different ones: neither
    "ratio",  # formed from sums: neither
]


@dataclass(frozen=True, slots=True)
class Figure:
    """One field of a domain's measurement; `unit` is one of Grafana's unit ids."""

    domain: Domain
    name: str
    words: Words
    unit: str
    grows: Grows


UNITS: Final[dict[str, str]] = {"1": "locale", "%": "humidity", "Cel": "celsius", "[ppm]": "ppm"}
"""UCUM -> Grafana, of the units measures have. `locale` groups thousands."""

_GENERAL: Final = {
    "readings": Words("读数", "readings"),
    "readings_simulated": Words("其中模拟", "of them simulated"),
    "devices": Words("在线设备", "devices heard of"),
}
_WORDS: Final[dict[Domain, dict[str, Words]]] = {
    "parking": {
        "spaces": Words("车位", "spaces"),
        "occupied": Words("占用", "occupied"),
        "unknown": Words("状态未知", "unknown"),
        "turnover": Words("驶入", "arrivals"),
        "occupancy": Words("占用率", "occupancy"),
    },
    "security": {
        "access_granted": Words("通行", "passages"),
        "access_denied": Words("拒绝", "denied"),
        "access_forced": Words("强行开门", "doors forced"),
        "access_held_open": Words("门未关", "doors held open"),
        "intrusion_intrusion": Words("入侵", "intrusions"),
        "intrusion_line_crossing": Words("越界", "line crossings"),
        "intrusion_loitering": Words("徘徊", "loitering"),
        "intrusion_motion": Words("移动侦测", "motions"),
        "intrusion_tamper": Words("设备遮挡破坏", "tampering"),
        "intrusion_object_left": Words("物品遗留", "objects left"),
        "intrusion_object_removed": Words("物品搬移", "objects removed"),
        "intrusion_wrong_way": Words("逆行", "wrong way"),
        "intrusion_fast_motion": Words("快速移动", "fast motions"),
        "intrusion_crowding": Words("人员聚集", "crowding"),
        "fire_smoke": Words("烟感", "smoke"),
        "fire_heat": Words("温感", "heat"),
        "fire_gas": Words("燃气", "gas"),
        "fire_manual": Words("手动报警", "manual call points"),
        "fire_fault": Words("探测器故障", "detector faults"),
        "people_entered": Words("进入人数", "people in"),
        "people_left": Words("离开人数", "people out"),
        "people_captured": Words("抓拍人数", "people captured"),
        "vehicles": Words("过车", "vehicles"),
        "video_loss": Words("视频丢失", "pictures lost"),
        "device_faults": Words("设备故障", "device faults"),
    },
    "care": {
        "residents_seen": Words("有数据老人", "residents heard of"),
        "vitals": Words("体征测量", "vital signs"),
        "vitals_out_of_range": Words("体征异常", "vitals out of range"),
        "activity": Words("居家活动", "movements at home"),
        "beds": Words("床位", "beds"),
        "beds_occupied": Words("在床", "in bed"),
        "beds_unknown": Words("床位未知", "beds unknown"),
        "sos": Words("呼救", "calls for help"),
        "falls": Words("跌倒", "falls"),
        "temperature_sum": Words("室温之和", "sum of temperatures"),
        "temperature_count": Words("室温测量", "temperature readings"),
        "humidity_sum": Words("湿度之和", "sum of humidities"),
        "humidity_count": Words("湿度测量", "humidity readings"),
        "co2_sum": Words("二氧化碳之和", "sum of CO2"),
        "co2_count": Words("二氧化碳测量", "CO2 readings"),
        "temperature_mean": Words("平均室温", "mean room temperature"),
        "humidity_mean": Words("平均湿度", "mean humidity"),
        "co2_mean": Words("平均二氧化碳", "mean CO2"),
    },
    "governance": {
        "checked_in": Words("党员报到", "members checked in"),
        "station_visits": Words("驿站到访", "station visits"),
        "patrols": Words("网格巡查", "patrols"),
        "reports": Words("问题上报", "issues reported"),
    },
}


def _grows(measure: Measure) -> Grows:
    rules = {term.rule for term in measure.terms}
    if rules & {"distinct_devices", "distinct_subjects"}:
        return "distinct"
    return "held" if rules & {"entities", "entities_silent", "held_live", "held", "held_silent"} else "flow"


def _figures(domain: Domain) -> dict[str, Figure]:
    words = _GENERAL | _WORDS[domain]
    summed = {
        m.name: Figure(domain, m.name, words[m.name], UNITS[m.unit], _grows(m)) for m in MEASURES[domain]
    }
    ratios = {
        name: Figure(domain, name, words[name], _ratio_unit(ratio), "ratio")
        for name, ratio in DERIVED[domain].items()
    }
    return summed | ratios


def _ratio_unit(ratio: Ratio) -> str:
    """A ratio of counts is a share; of anything else it has that unit."""
    return "percentunit" if ratio.unit == "1" else UNITS[ratio.unit]


FIGURES: Final[dict[Domain, dict[str, Figure]]] = {domain: _figures(domain) for domain in MEASURES}
"""Domain -> field -> figure, of every measure and derived figure there is."""


def figure(domain: Domain, name: str) -> Figure:
    """A figure by its field; SettingsError if there is none of that name."""
    known = FIGURES[domain]
    if name not in known:
        raise SettingsError(received_allowed(f"figure of {domain}", name, known))
    return known[name]
