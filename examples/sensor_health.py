"""Sensor health: which sensors fell silent where, and which vendors send late, twice or badly."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from examples.plots import COLOURS, GREY, canvas, clock, save, say
from taishi.analysis.district import District

__all__ = ["draw", "shares_by_vendor", "silent_minutes", "unknown_by_kind"]

_ALL: Final = "(all)"
"""The scorecard's row of a source as a whole."""
_FAULTS: Final = {
    "late": ("迟到", "late"),
    "duplicate": ("重复", "twice"),
    "bad": ("拒收", "refused"),
}


def unknown_by_kind(district: District, since: str) -> dict[str, pd.DataFrame]:
    """What of the district is unknown by the hour: parking spaces, and beds (their sensors are silent)."""
    return {
        say("车位", "parking spaces"): district.windows("parking", "unknown", since=since, window="1h"),
        say("床位", "beds"): district.windows("care", "beds_unknown", since=since, window="1h"),
    }


def shares_by_vendor(sources: pd.DataFrame) -> pd.DataFrame:
    """Late, duplicate and refused, of what came, by vendor; those with most trouble first."""
    vendors = sources[sources["vendor"] != _ALL].groupby("vendor", observed=True)
    total = vendors[["messages", "readings", *_FAULTS]].sum()
    shares = pd.DataFrame(
        {"late": total["late"] / total["readings"], "duplicate": total["duplicate"] / total["readings"],
         "bad": total["bad"] / total["messages"]}
    )  # fmt: skip
    return shares.fillna(0.0).loc[shares.sum(axis=1).sort_values(ascending=False).index]


def silent_minutes(sources: pd.DataFrame, longer_than_s: float = 180.0) -> pd.DataFrame:
    """Minutes in which a vendor had been silent for unusually long: by time, a column a vendor."""
    vendors = sources[sources["vendor"] != _ALL]
    allowed_s = (3 * vendors["usual_s"]).clip(lower=longer_than_s)
    silent = vendors["silent_s"] > allowed_s
    return silent.groupby([vendors.index, vendors["vendor"]], observed=True).max().unstack(fill_value=False)


def draw(district: District, folder: Path) -> Path:
    """`sensor_health.png`: unknown by kind and street; silence by vendor; what came late, twice or badly."""
    unknown = unknown_by_kind(district, "7d")
    streets = district.windows("parking", "occupancy", level="street", since="7d", window="1h")
    sources = district.sources(since="7d")
    title = say("传感器健康：静默、迟到、重复、拒收", "Sensor health: silent, late, twice, refused")
    figure, (top, middle, bottom) = canvas(title, streets, (1.5, 1.2, 1.4))
    _draw_unknown(top, unknown, streets)
    _draw_silence(middle, silent_minutes(sources))
    _draw_shares(bottom, shares_by_vendor(sources))
    middle.sharex(top)
    return save(figure, folder / "sensor_health.png")


def _draw_unknown(axes: Axes, unknown: dict[str, pd.DataFrame], streets: pd.DataFrame) -> None:
    by_street = streets.pivot_table("unknown_share", "start", "place", observed=True)
    axes.fill_between(
        by_street.index, by_street.min(axis=1), by_street.max(axis=1), color=COLOURS[0], alpha=0.2,
        linewidth=0, label=say("车位：各街道范围", "parking spaces: from best to worst street"),
    )  # fmt: skip
    for colour, (kind, frame) in zip(COLOURS, unknown.items(), strict=False):
        axes.plot(frame.index, frame["unknown_share"], color=colour, linewidth=1.8, label=kind)
    axes.margins(y=0.2)
    axes.set(ylabel=say("未知比例", "unknown"), ylim=(0, None))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    clock(axes, "%m-%d")
    axes.set_title(say("传感器静默的车位与床位", "spaces and beds whose sensors are silent"))
    axes.legend(loc="upper left", ncols=3)


def _draw_silence(axes: Axes, silent: pd.DataFrame) -> None:
    """A bar for each stretch in which a vendor was silent."""
    for row, vendor in enumerate(silent.columns):
        axes.axhline(row, color=GREY, linewidth=0.5, alpha=0.4)
        quiet = silent[vendor].astype(bool)
        stretch = (quiet != quiet.shift(fill_value=False)).cumsum()
        for _, minutes in quiet[quiet].groupby(stretch[quiet]):
            begin, end = minutes.index[0], minutes.index[-1]
            axes.plot([begin, end], [row, row], color=COLOURS[3], linewidth=8, solid_capstyle="butt")
            axes.annotate(f"{(end - begin).total_seconds() / 60:.0f} min", (end, row), xytext=(6, -4),
                          textcoords="offset points", color=COLOURS[3])  # fmt: skip
    axes.set_yticks(range(len(silent.columns)), silent.columns)
    axes.set_ylim(len(silent.columns) - 0.5, -0.5)
    axes.set_title(say("各厂商静默时段", "stretches in which a vendor said nothing"))


def _draw_shares(axes: Axes, shares: pd.DataFrame) -> None:
    width = 0.26
    for number, (name, words) in enumerate(_FAULTS.items()):
        bars = axes.bar(
            [row + (number - 1) * width for row in range(len(shares))], shares[name], width,
            color=COLOURS[number], label=say(*words),
        )  # fmt: skip
        axes.bar_label(
            bars, [f"{share:.2%}" if share else "" for share in shares[name]], fontsize=7, padding=2
        )
    axes.set_xticks(range(len(shares)), shares.index)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.margins(y=0.2)
    axes.set_ylabel(say("占收到的比例", "of what came"))
    axes.set_title(say("各厂商迟到、重复与拒收", "late, sent twice, refused, by vendor"))
    axes.legend(loc="upper right", ncols=3)
