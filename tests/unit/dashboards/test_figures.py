"""Figures of boards: every measure has its words and unit; limits come from the rules."""

from __future__ import annotations

import re

import pytest

from dashboards.figures import FIGURES, figure
from dashboards.limits import KpiLimit, Limit, of_figure, of_kpi, of_rules, said
from dashboards.model import Board, Step
from dashboards.words import Words
from pipelines.io.rule_file import SHIPPED_RULES, read_rules
from schemas.errors import SettingsError
from schemas.measures import DERIVED, MEASURES
from taishi.boards import limits_of


def test_every_measure_and_ratio_has_its_words_in_both_languages() -> None:
    for domain, measures in MEASURES.items():
        names = {*(measure.name for measure in measures), *DERIVED[domain]}
        assert set(FIGURES[domain]) == names
        for each in FIGURES[domain].values():
            assert re.search("[\u4e00-\u9fff]", each.words.chinese)
            assert re.search("[A-Za-z]", each.words.english)


def test_what_a_longer_time_does_to_a_figure_follows_from_its_rule() -> None:
    assert figure("parking", "occupied").grows == "held"
    assert figure("parking", "turnover").grows == "flow"
    assert figure("care", "residents_seen").grows == "distinct"
    assert figure("parking", "occupancy").grows == "ratio"
    assert figure("care", "temperature_mean").unit == "celsius"
    assert figure("parking", "occupancy").unit == "percentunit"


def test_a_figure_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match="figure of parking: received 'nix', allowed: spaces"):
        figure("parking", "nix")


def limit(threshold: float, side: str = "above", severity: str = "low", over_s: int = 0) -> Limit:
    words = Words("规则", "rule")
    return Limit("r", words, severity, "parking", ("occupied",), "", over_s, ("street",), side, threshold)  # type: ignore[arg-type]


def test_a_figure_is_coloured_from_the_rules_threshold_on() -> None:
    assert of_rules([limit(9), limit(20, severity="high")]) == (
        Step(None, "normal"),
        Step(9, "caution"),
        Step(20, "critical"),
    )


def test_below_a_lower_limit_it_is_the_rules_colour_and_normal_from_it_on() -> None:
    assert of_rules([limit(35), limit(12, "below", "medium")]) == (
        Step(None, "critical"),
        Step(12, "normal"),
        Step(35, "caution"),
    )


def test_without_a_rule_nothing_is_judged() -> None:
    assert of_rules([]) == (Step(None, "normal"),)
    assert str(said([])).strip() == ""


def test_a_limit_of_a_sum_over_minutes_is_none_of_the_figure_itself() -> None:
    occupied = figure("parking", "occupied")
    assert of_figure([limit(9, over_s=600)], occupied) == ()
    assert len(of_figure([limit(9)], occupied)) == 1


def test_an_alarm_limit_itself_is_still_acceptable() -> None:
    words = Words("每日", "a day")
    both, one = KpiLimit("K1", words, "", 144, 288), KpiLimit("K4", words, "%", 1, None)
    assert [(step.colour, step.start or 0) for step in of_kpi(both)] == [
        ("normal", 0),
        ("caution", pytest.approx(144)),
        ("critical", pytest.approx(288)),
    ]
    assert of_kpi(both)[1].start > 144  # type: ignore[operator]
    assert [step.colour for step in of_kpi(one, 0.01)] == ["normal", "critical"]
    assert of_kpi(one, 0.01)[1].start == pytest.approx(0.01)


def test_the_shipped_rules_limits_are_on_the_boards(shipped: tuple[Board, ...]) -> None:
    limits = tuple(limits_of(read_rules(SHIPPED_RULES)))
    assert "parking-full" in {each.rule for each in limits}
    panels = {panel.name: panel for board in shipped for panel in board.panels}
    for each in limits:
        colours = [step for step in panels[f"rule-{each.rule}"].steps if step.start is not None]
        assert [step.start for step in colours] == [each.threshold], each.rule
    assert Step(0.95, "caution") in panels["occupancy"].steps
