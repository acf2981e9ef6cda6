"""Parking pressure by hour of the week and street: where and when the spaces run out."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from examples.plots import COLOURS, GREY, HEAT, canvas, day_name, days_of_week, place_names, save, say, times
from taishi.analysis.district import District

__all__ = ["draw", "pressure"]

_FULL: Final = 0.85
"""Above it drivers circle for a space (D. Shoup, The High Cost of Free Parking, 2005)."""


def pressure(frame: pd.DataFrame) -> pd.DataFrame:
    """Mean occupancy: a row a place, a column an hour of the week (0: Monday 00:00); NaN where none is."""
    there = frame[~frame["missing"]]
    hour = times(there).day_of_week * 24 + times(there).hour
    mean = there.groupby([there["place"], hour], observed=True)["occupancy"].mean().unstack()
    return mean.reindex(columns=range(7 * 24))


def draw(district: District, folder: Path) -> Path:
    """`parking_pressure.png`: hours of the week by street; arrivals by hour beside how far streets differ."""
    streets = district.windows("parking", ["occupancy", "turnover"], level="street", since="7d", window="1h")
    figure, (above, below) = canvas(
        say("停车压力：周内各小时与街道", "Parking pressure by hour of week and street"), streets, (2.2, 1.5)
    )
    _draw_week(above, pressure(streets), place_names(streets))
    _draw_day(below, streets[~streets["missing"]])
    return save(figure, folder / "parking_pressure.png")


def _draw_week(axes: Axes, week: pd.DataFrame, names: dict[str, str]) -> None:
    week = week.loc[week.max(axis=1).sort_values(ascending=False).index]
    axes.set_facecolor("lightgrey")  # what is missing shows it
    image = axes.imshow(week.to_numpy(), aspect="auto", cmap=HEAT, interpolation="nearest")
    axes.set_yticks(range(len(week)), [names[place] for place in week.index])
    place, row = str(week.index[0]), week.to_numpy()[0]
    hour = int(np.nanargmax(row))
    axes.set_title(
        say(
            "各街道平均占用率，最紧张的在上；灰色为无数据。最高",
            "mean by street, the fullest first; grey: no data. Most",
        )
        + f": {row[hour]:.0%}, {names[place]}, {day_name(hour // 24)} {hour % 24}:00"
    )
    days_of_week(axes)
    bar = axes.figure.colorbar(image, ax=axes, format=PercentFormatter(1, decimals=0), pad=0.01)
    bar.set_label(say("占用率", "occupied, of spaces known"))


def _draw_day(axes: Axes, streets: pd.DataFrame) -> None:
    """Arrivals of the district as bars; from the emptiest street to the fullest as a band."""
    hour = times(streets).hour
    by_street = streets.groupby([hour, "place"], observed=True)["occupancy"].mean().unstack()
    hours, low, high = by_street.index, by_street.min(axis=1), by_street.max(axis=1)
    axes.fill_between(hours, low, high, color=COLOURS[0], alpha=0.25, linewidth=0,
                      label=say("最空到最满的街道", "from the emptiest street to the fullest"))  # fmt: skip
    axes.plot(
        hours,
        by_street.median(axis=1),
        color=COLOURS[0],
        linewidth=2.2,
        label=say("中位街道", "median street"),
    )
    axes.axhline(
        _FULL, color=COLOURS[3], linestyle="--", label=say("难觅车位", f"hard to find a space, {_FULL:.0%}")
    )
    arrivals = axes.twinx()
    weekend = times(streets).day_of_week >= 5
    for shift, days, colour, words in (
        (-0.2, ~weekend, COLOURS[1], ("工作日到达", "arrivals Mon to Fri")),
        (0.2, weekend, GREY, ("周末到达", "arrivals Sat, Sun")),
    ):
        of_kind = streets[days]
        district = of_kind.groupby("start")[["turnover"]].sum().astype(float)
        mean = district["turnover"].groupby(times(district).hour).mean()
        arrivals.bar(mean.index + shift, mean, 0.38, color=colour, alpha=0.55, label=say(*words))
    axes.set_zorder(arrivals.get_zorder() + 1)
    axes.patch.set_visible(False)
    axes.set(xlim=(-0.7, 23.7), xticks=range(0, 24, 2), ylim=(0, 1.25), yticks=[0, 0.25, 0.5, 0.75, 1.0])
    axes.set_xlabel(say("小时", "hour of day"))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_ylabel(say("占用率", "occupancy"))
    arrivals.margins(y=0.25)
    arrivals.set_ylabel(say("全区到达，辆/小时", "arrivals in the district, an hour"))
    arrivals.spines["right"].set_visible(True)
    axes.set_title(say("一天之内：占用与到达", "over the day: occupancy and arrivals"))
    handles, labels = (
        one + other
        for one, other in zip(
            axes.get_legend_handles_labels(), arrivals.get_legend_handles_labels(), strict=True
        )
    )
    axes.legend(handles, labels, loc="upper center", ncols=3, fontsize=9)
