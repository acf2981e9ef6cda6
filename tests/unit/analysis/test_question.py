"""What somebody typed becomes a question, or an error that says what is allowed."""

from dataclasses import replace
from datetime import datetime

import pytest

from schemas.calendar import ZONE
from schemas.errors import SettingsError
from schemas.kinds import DOMAINS
from schemas.measures import DERIVED, MEASURES
from schemas.places.registry import PlaceRegistry, known_places
from schemas.places.synthetic import synthetic_layer
from taishi.analysis.figures import FIGURES, figures_named
from taishi.analysis.question import Known, Wish, checked_small_counts, resolve

PLACES = PlaceRegistry(known_places("370202"), synthetic_layer("370202"))
KNOWN = Known((PLACES,), datetime(2026, 11, 26, 10, 30, tzinfo=ZONE), (10, 60, 3600))


def asked(*metrics, **wished):
    return resolve(Wish(metrics, **wished), KNOWN)


def refused(message, *metrics, **wished):
    with pytest.raises(SettingsError, match=message):
        asked(*metrics, **wished)


def test_every_measure_and_every_ratio_can_be_asked_for():
    for domain in DOMAINS:
        assert list(FIGURES[domain]) == [*(m.name for m in MEASURES[domain]), *DERIVED[domain]]
    assert figures_named(["occupancy"])[0].sums == ("occupied", "spaces", "unknown")


def test_a_newcomers_question_is_yesterday_in_the_district_by_minutes():
    question = asked("occupancy")
    assert (question.domain, question.level, question.window_s) == ("parking", "district", 60)
    assert question.period.told() == "2026-11-25 00:00 … 2026-11-26 00:00"
    assert question.extent_ms == (question.period.from_ms, question.period.to_ms)


def test_the_level_is_that_of_the_place_where_none_is_said():
    assert asked("occupancy", places=("370202001",)).level == "street"
    assert asked("occupancy", places=("香港中路街道",)).level == "street"
    assert asked("occupancy", places=("370202001",), level="grid").takes("370202001001001")
    assert not asked("occupancy", places=("370202001",), level="grid").takes("370202002001001")


@pytest.mark.parametrize(
    ("since", "window_s"), [("2h", 10), ("today", 60), ("7d", 3600), ("2026-11-01", 3600), ("2025-11", 3600)]
)
def test_windows_are_as_large_as_the_period_asks_for(since, window_s):
    assert asked("occupancy", since=since).window_s == window_s


def test_only_whole_windows_of_the_period_count():
    question = asked("occupancy", since="2026-11-20T08:10", until="2026-11-20T10:50", window="1h")
    assert [(ms - question.period.from_ms) / 60_000 for ms in question.extent_ms] == [50, 110]
    refused("period: received .* shorter than a window of 1h", "occupancy", since="20m", window="1h")


def test_metrics_are_found_across_domains_and_each_once():
    assert [f.name for f in asked("parking.turnover", "occupancy", "turnover").figures] == [
        "turnover",
        "occupancy",
    ]
    assert asked("readings", domain="security").domain == "security"
    assert asked("readings", "turnover").domain == "parking"


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ((), "metric: received none"),
        (
            ("ocupancy",),
            r"metric: received 'ocupancy' \(did you mean occupancy or occupied\?\), allowed: spaces, ",
        ),
        (("readings",), "metric: received 'readings', allowed: parking.readings, security.readings"),
        (("sos", "occupancy"), "metrics: received sos, occupancy, allowed: those of one domain"),
    ],
)
def test_a_metric_that_is_none_is_refused(metrics, message):
    refused(message, *metrics)


def test_a_metric_of_another_domain_is_refused_with_those_of_this():
    refused("metric: received 'sos'.*allowed: spaces, occupied", "sos", domain="parking")


@pytest.mark.parametrize(
    ("wished", "message"),
    [
        ({"domain": "parks"}, "domain: received 'parks', allowed: parking, security, care, governance"),
        ({"level": "city"}, "level: received 'city', allowed: district, street, community, grid"),
        (
            {"places": ("370202001",), "level": "district"},
            "allowed: street, community, grid for street 370202001",
        ),
        (
            {"places": ("香港中路",)},
            "place: received '香港中路', allowed: 香港中路街道, .*taishi places list",
        ),
        ({"places": ("x",)}, "place: received 'x', allowed: a code or name of `taishi places list`"),
        ({"window": "5m"}, "window: received '5m', allowed: 10s, 1m, 1h"),
        ({"window": "1"}, "window: received '1', allowed: 10s, 1m, 1h"),
        ({"window": "10s", "since": "8d"}, r"kept for 7 days, now since .*; windows of 1m reach so far"),
        ({"window": "1m", "since": "2026-06"}, r"kept for 90 days, now since .*; windows of 1h reach so far"),
        ({"since": "2020-01"}, r"windows of 1h are kept for 1095 days, now since .*; none are older"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is_allowed(wished, message):
    refused(message, "occupancy", **wished)


def test_a_place_that_is_no_more_can_still_be_asked_for():
    layer = synthetic_layer("370202")
    gone, kept = layer.grids[0], replace(layer, grids=layer.grids[1:])
    known = replace(KNOWN, places=(PlaceRegistry(known_places("370202"), kept), PLACES))
    assert resolve(Wish(["occupancy"], places=(gone.code,)), known).within[0].code == gone.code


def test_of_people_only_counts_that_can_be_masked_are_given():
    assert asked("residents_seen", "sos").masked
    assert asked("checked_in").masked
    assert not asked("people_entered").masked
    refused("metric of care: received 'temperature_mean', allowed: residents_seen, ", "temperature_mean")
    refused("need small counts", "readings", domain="care")
    assert not asked("temperature_mean", small_counts=True).masked


def test_small_counts_need_the_installations_leave():
    assert checked_small_counts(True, allowed=True)
    assert not checked_small_counts(False, allowed=True)
    with pytest.raises(SettingsError, match="setting export_small_counts"):
        checked_small_counts(True, allowed=False)
