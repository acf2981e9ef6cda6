"""Which figures are judged, how they are made to vary alike wherever they are, and what people call them.

Counts by Anscombe's root, shares of a known number as log odds, means as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from schemas.kinds import Domain

__all__ = ["FIGURES", "Figure", "restore", "transform"]

Kind = Literal["count", "ratio", "mean"]
Float64s = npt.NDArray[np.float64]
_UNKNOWN_OF: Final = 50.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A judged figure of a domain. `of`: the figure that a ratio is a share of (less `without`)."""

    name: str
    kind: Kind
    chinese: str
    english: str
    unit: str = ""
    of: str = ""
    without: str = ""


FIGURES: Final[dict[Domain, tuple[Figure, ...]]] = {
    "parking": (
        Figure("occupancy", "ratio", "车位占用率", "parking occupancy", of="spaces", without="unknown"),
        Figure("turnover", "count", "车辆到达数", "vehicles that arrived"),
    ),
    "security": (
        Figure("access_granted", "count", "门禁通行数", "doors opened to people admitted"),
        Figure("access_denied", "count", "门禁拒绝数", "people refused at doors"),
        Figure("intrusion_motion", "count", "移动侦测数", "motions seen by cameras"),
        Figure("people_entered", "count", "进入人数", "people who entered"),
        Figure("people_left", "count", "离开人数", "people who left"),
        Figure("people_captured", "count", "抓拍人数", "people seen by cameras"),
        Figure("vehicles", "count", "过车数", "vehicles that passed"),
        Figure("device_faults", "count", "设备故障数", "faults of devices"),
    ),
    "care": (
        Figure("activity", "count", "居家活动数", "movements at home"),
        Figure("vitals_out_of_range", "count", "体征异常数", "vital signs out of range"),
        Figure("temperature_mean", "mean", "室内平均温度", "mean room temperature", "°C"),
        Figure("humidity_mean", "mean", "室内平均湿度", "mean room humidity", "%"),
        Figure("co2_mean", "mean", "室内平均二氧化碳", "mean room CO2", "ppm"),
    ),
    "governance": (
        Figure("checked_in", "count", "党员报到数", "party members who reported"),
        Figure("station_visits", "count", "驿站到访数", "visits to service stations"),
        Figure("patrols", "count", "巡查完成数", "patrols finished"),
        Figure("reports", "count", "上报问题数", "issues reported"),
    ),
}


def transform(kind: Kind, values: Float64s, of: Float64s | None = None) -> npt.NDArray[np.float32]:
    """Values on the scale on which they are judged; NaN where there is none."""
    if kind == "count":
        return (2 * np.sqrt(np.maximum(values, 0) + 0.375)).astype(np.float32)
    if kind == "ratio":
        whole = np.maximum(np.where(np.isfinite(of), of, _UNKNOWN_OF), 1) if of is not None else _UNKNOWN_OF
        share = (np.clip(values, 0, 1) * whole + 0.5) / (whole + 1)
        logit: npt.NDArray[np.float32] = np.log(share / (1 - share)).astype(np.float32)
        return logit
    return values.astype(np.float32)


def restore(kind: Kind, value: float) -> float:
    """A value on the judged scale as the figure itself."""
    if kind == "count":
        return max(0.25 * value * abs(value) - 0.375, 0.0)
    if kind == "ratio":
        return float(1 / (1 + np.exp(-value)))
    return value
