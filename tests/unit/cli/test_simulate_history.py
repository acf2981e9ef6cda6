"""`taishi simulate --history`: spans and moments as people write them, and what is refused."""

import pytest

from schemas.errors import SettingsError
from taishi.cli.simulate_history import moment_ms, span_s


@pytest.mark.parametrize(("text", "wanted_s"), [("7d", 604_800), ("36h", 129_600), ("90m", 5_400)])
def test_a_span_is_a_number_and_a_unit(text, wanted_s):
    assert span_s(text) == wanted_s


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "-1h", "7 d", "1w", "1.5d", "999999d"])
def test_any_other_span_is_refused_with_what_is_allowed(text):
    with pytest.raises(SettingsError, match="allowed: a number and m, h or d, such as 7d or 36h"):
        span_s(text)


def test_a_moment_without_a_zone_is_of_the_districts_zone():
    assert moment_ms("2026-11-20T08:00") == moment_ms("2026-11-20T00:00:00+00:00") == 1_795_132_800_000


def test_another_moment_is_refused_with_an_example():
    with pytest.raises(SettingsError, match="--history-until: received 'yesterday', allowed: ISO 8601"):
        moment_ms("yesterday")
