"""What the example analyses conclude, on a few rows that can be counted by hand."""

import pandas as pd
import pytest

from examples import plots
from examples.incident_response import delays_s, last_incident
from examples.parking_pressure import pressure
from examples.sensor_health import shares_by_vendor, silent_minutes

MONDAY = "2026-11-23"


def moments(*texts):
    return pd.DatetimeIndex(texts, tz="Asia/Shanghai")


def test_pressure_is_the_mean_of_the_same_hour_of_the_week():
    frame = pd.DataFrame(
        {
            "place": ["a", "a", "b", "a"],
            "occupancy": [0.5, 0.7, 0.9, None],
            "missing": [False, False, False, True],
        },
        index=moments(f"{MONDAY} 09:00", "2026-11-30 09:00", "2026-11-24 00:00", f"{MONDAY} 10:00"),
    )
    week = pressure(frame)
    assert week.shape == (2, 168)
    assert (week.loc["a", 9], week.loc["b", 24]) == (pytest.approx(0.6), 0.9)
    assert week.notna().sum().sum() == 2


ALERTS = pd.DataFrame(
    {
        "rule": ["rule.parking-full", "rule.parking-full", "signal.sos"],
        "severity": ["low", "low", "life_safety"],
        "acknowledged": moments(f"{MONDAY} 09:10", None, f"{MONDAY} 09:01"),
        "cleared": moments(f"{MONDAY} 10:00", f"{MONDAY} 11:00", None),
    },
    index=moments(f"{MONDAY} 09:00", f"{MONDAY} 10:30", f"{MONDAY} 09:00").rename("onset"),
)


def test_an_incident_is_one_that_somebody_took_and_that_is_over():
    assert last_incident(ALERTS)["onset"] == pd.Timestamp(f"{MONDAY} 09:00", tz="Asia/Shanghai")
    with pytest.raises(SystemExit, match=r"no alert of rule\.parking-full"):
        last_incident(ALERTS.iloc[1:])


def test_delays_are_of_what_was_taken():
    assert delays_s(ALERTS).to_dict() == {"low": 600.0, "life_safety": 60.0}


SOURCES = pd.DataFrame(
    {
        "vendor": ["acme", "acme", "best", "(all)"],
        "messages": [10.0, 10.0, 5.0, 25.0],
        "readings": [20.0, 20.0, 5.0, 45.0],
        "late": [1.0, 3.0, 0.0, 4.0],
        "duplicate": [0.0, 0.0, 0.0, 0.0],
        "bad": [1.0, 0.0, 0.0, 1.0],
        "silent_s": [10.0, 200.0, 400.0, None],
        "usual_s": [5.0, 5.0, 150.0, None],
    },
    index=moments(f"{MONDAY} 09:00", f"{MONDAY} 09:01", f"{MONDAY} 09:00", f"{MONDAY} 09:00"),
)


def test_shares_are_of_all_that_came_and_the_worst_vendor_is_first():
    shares = shares_by_vendor(SOURCES)
    assert list(shares.index) == ["acme", "best"]
    assert shares.loc["acme"].tolist() == [0.1, 0.0, 0.05]


def test_a_vendor_is_silent_beyond_three_of_its_usual_pauses():
    silent = silent_minutes(SOURCES)
    assert silent["acme"].tolist() == [False, True]
    assert not silent["best"].any()  # 400 s where 150 s are usual


def test_without_a_chinese_font_everything_is_english(monkeypatch):
    frame = pd.DataFrame({"place": ["370202"], "name": ["市南区"]})
    monkeypatch.setattr(plots, "_CHINESE", "Noto Sans CJK SC")
    assert (plots.say("停车", "Parking"), plots.place_names(frame)) == ("停车 Parking", {"370202": "市南区"})
    monkeypatch.setattr(plots, "_CHINESE", None)
    assert (plots.say("停车", "Parking"), plots.place_names(frame)) == ("Parking", {"370202": "370202"})
