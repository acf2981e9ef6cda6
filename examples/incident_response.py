"""The response to an incident: what was seen before the alert, when it was taken, and when it was over."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from examples.plots import COLOURS, GREY, canvas, clock, place_names, save, say
from operations.alerts.choose import SEVERITY_NAMES
from schemas.alerts import SEVERITIES
from taishi.analysis.district import District

__all__ = ["delays_s", "draw", "last_incident"]

_RULE: Final = "rule.parking-full"
_AROUND: Final = pd.Timedelta(minutes=90)


def last_incident(alerts: pd.DataFrame) -> pd.Series:
    """The newest alert of the rule that is over and was taken by a person, with its `onset`."""
    done = alerts[(alerts["rule"] == _RULE) & alerts["cleared"].notna() & alerts["acknowledged"].notna()]
    if done.empty:
        raise SystemExit(f"no alert of {_RULE} in these days was acknowledged and is over")
    return done.reset_index().iloc[-1]


def delays_s(alerts: pd.DataFrame) -> pd.Series:
    """Seconds from onset to acknowledgement, of alerts that were acknowledged, by severity."""
    seconds = (alerts["acknowledged"] - alerts.index.to_series()).dt.total_seconds()
    return pd.Series(seconds.to_numpy(), index=alerts["severity"]).dropna()


def draw(district: District, folder: Path) -> Path:
    """`incident_response.png`: the newest full community minute by minute, and how soon alerts were taken."""
    alerts = district.alerts(since="7d")
    one = last_incident(alerts)
    since, until = one["onset"] - _AROUND, one["cleared"] + _AROUND
    around = {"since": since.to_pydatetime(), "until": until.to_pydatetime(), "window": "1m"}
    place = district.windows("parking", ["occupancy", "turnover"], place=one["place"], **around)
    whole = district.windows("parking", "occupancy", **around)
    name = place_names(place).get(one["place"], one["place"])
    figure, (above, below) = canvas(
        say(f"事件响应：{name}车位已满", f"Response to an incident: parking full in {name}"),
        place,
        (1.7, 1.5),
    )
    _draw_incident(above, place, whole, one, name)
    _draw_delays(below, delays_s(alerts))
    return save(figure, folder / "incident_response.png")


def _draw_incident(axes: Axes, place: pd.DataFrame, whole: pd.DataFrame, one: pd.Series, name: str) -> None:
    axes.plot(whole.index, whole["occupancy"], color=GREY, linewidth=1.5, label=say("全区", "district"))
    axes.plot(place.index, place["occupancy"], color=COLOURS[0], linewidth=2.2, label=name)
    axes.axvspan(
        one["onset"], one["cleared"], color=COLOURS[1], alpha=0.18, label=say("告警活动", "alert active")
    )
    moments = {
        one["onset"]: (say("触发", "onset"), "-"),
        one["acknowledged"]: (
            say("确认", "acknowledged") + f" +{_minutes(one['acknowledged'] - one['onset'])}",
            "--",
        ),
        one["cleared"]: (say("恢复", "cleared") + f" +{_minutes(one['cleared'] - one['onset'])}", ":"),
    }
    for side, (moment, (text, style)) in zip(("right", "left", "left"), moments.items(), strict=True):
        axes.axvline(moment, color=COLOURS[3], linestyle=style, linewidth=1.6)
        axes.annotate(text, (moment, 0.2), xytext=(-5 if side == "right" else 5, 0), ha=side,
                      textcoords="offset points", color=COLOURS[3])  # fmt: skip
    axes.set(ylim=(0, 1.05), ylabel=say("占用率", "occupancy"))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    clock(axes, "%m-%d %H:%M")
    axes.set_title(say("事件前后每分钟的占用率", "occupancy minute by minute, 90 min before and after"))
    axes.legend(loc="upper left")


def _draw_delays(axes: Axes, delays: pd.Series) -> None:
    """Share of alerts acknowledged within a time, by severity: the further left a curve, the faster."""
    for colour, severity in zip((COLOURS[5], COLOURS[0], COLOURS[1], COLOURS[3]), SEVERITIES, strict=True):
        seconds = np.sort(delays[delays.index == severity].to_numpy())
        if seconds.size:
            share = np.arange(1, seconds.size + 1) / seconds.size
            median = f"{np.median(seconds) / 60:.1f} min"
            label = f"{SEVERITY_NAMES[severity]} (n = {seconds.size}, {say('中位数', 'median')} {median})"
            axes.step(seconds / 60, share, where="post", color=colour, linewidth=2.2, label=label)
    axes.set(
        xscale="log",
        ylim=(0, 1.02),
        xlabel=say("从触发到确认，分钟", "minutes from onset to acknowledgement"),
    )
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_ylabel(say("已确认比例", "share acknowledged"))
    axes.set_title(say("各级告警的确认时间", "how soon alerts of each severity were taken"))
    axes.grid(alpha=0.25)
    axes.legend(loc="lower right")


def _minutes(span: pd.Timedelta) -> str:
    return f"{span.total_seconds() / 60:.1f} min"
