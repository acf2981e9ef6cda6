"""How the plots look: colours that colour-blind people tell apart, Chinese where a font can write it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import font_manager

mpl.use("Agg")  # files, no window

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter
from matplotlib.figure import Figure

from schemas.calendar import ZONE

__all__ = [
    "COLOURS",
    "GREY",
    "HEAT",
    "canvas",
    "clock",
    "day_name",
    "days_of_week",
    "place_names",
    "save",
    "say",
    "times",
]

COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9")
"""Okabe and Ito's palette."""
GREY: Final = "#6b6b6b"
HEAT: Final = "cividis"
"""From dark blue to yellow; the same for those who tell no red from green."""
_FONTS: Final = (
    *("Noto Sans CJK SC", "Source Han Sans SC", "Noto Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei"),
    *("Microsoft YaHei", "SimHei", "PingFang SC", "Noto Sans CJK JP"),
)
_INSTALLED: Final = {font.name for font in font_manager.fontManager.ttflist}
_CHINESE: Final = next((name for name in _FONTS if name in _INSTALLED), None)
_DAYS: Final = (
    *(("周一", "Mon"), ("周二", "Tue"), ("周三", "Wed"), ("周四", "Thu"), ("周五", "Fri")),
    *(("周六", "Sat"), ("周日", "Sun")),
)

plt.rcParams.update(
    {
        "font.family": [_CHINESE, "DejaVu Sans"] if _CHINESE else ["DejaVu Sans"],
        "axes.unicode_minus": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 12,
        "legend.frameon": False,
        "figure.dpi": 110,
    }
)


def say(chinese: str, english: str) -> str:
    """Both languages; English alone where no font can write the other."""
    return f"{chinese} {english}" if _CHINESE else english


def place_names(frame: pd.DataFrame) -> dict[str, str]:
    """Code -> what to write for a place: its name; its code where no font can write that."""
    names = frame[["place", "name"]].drop_duplicates().dropna()
    return {str(code): str(name if _CHINESE else code) for code, name in names.to_numpy()}


def canvas(title: str, of: pd.DataFrame, heights: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """A page with a title, of when and where the data are, and axes of these relative heights."""
    figure, axes = plt.subplots(
        len(heights), 1, figsize=(12, 2.4 + 2.1 * sum(heights)), height_ratios=heights, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    begin, end = (moment.strftime("%Y-%m-%d %H:%M") for moment in (of.index.min(), of.index.max()))
    simulated = say("，模拟数据", ", simulated data") if (of["simulated_share"] > 0).any() else ""
    figure.suptitle(title, x=0.01, ha="left", fontsize=16, fontweight="bold")
    figure.supxlabel(
        f"{begin} … {end}, {of.attrs['time_zone']}{simulated}", x=0.01, ha="left", fontsize=9, color=GREY
    )
    return figure, list(axes[:, 0])


def times(frame: pd.DataFrame) -> pd.DatetimeIndex:
    """A frame's index, which is of moments."""
    return pd.DatetimeIndex(frame.index)


def clock(axes: Axes, form: str) -> None:
    """Moments along an axis as the district's clocks show them, such as `%H:%M`."""
    axes.xaxis.set_major_formatter(DateFormatter(form, tz=ZONE))  # type: ignore[no-untyped-call]


def day_name(number: int) -> str:
    """Of a day of the week, 0 is Monday."""
    return say(*_DAYS[number])


def days_of_week(axes: Axes) -> None:
    """An axis of the 168 hours of a week: days named in their middle, a line at each midnight."""
    axes.set_xticks(np.arange(7) * 24 + 11.5, [day_name(number) for number in range(7)])
    axes.tick_params(axis="x", length=0)
    for midnight in range(1, 7):
        axes.axvline(midnight * 24 - 0.5, color="white", linewidth=1.2)


def save(figure: Figure, path: Path) -> Path:
    """Write the picture; its path."""
    figure.savefig(path)
    plt.close(figure)
    return path
