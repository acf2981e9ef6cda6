"""InfluxQL as data, and what Grafana puts into it."""

from __future__ import annotations

import pytest

from dashboards.influxql import Column, Select, TagValues, name, tag, whole_or_at_least
from dashboards.interpolate import Range, interpolate, variables_in
from schemas.errors import SettingsError


def test_a_select_says_all_its_parts_in_influxqls_order() -> None:
    inner = Select((Column('sum("sos")', "sos"),), '"1m"."care"', (tag("level", "street"),), ('"place"',))
    outer = Select((Column('"sos"'),), inner, (whole_or_at_least("sos", 5),), newest_first=True, limit=3)
    assert str(outer) == (
        'SELECT "sos" FROM (SELECT sum("sos") AS "sos" FROM "1m"."care" WHERE "level" = \'street\' '
        'GROUP BY "place") WHERE ("sos" = 0 OR "sos" >= 5) ORDER BY time DESC LIMIT 3'
    )


def test_queries_whose_rows_are_taken_together_stand_side_by_side() -> None:
    weeks = tuple(Select((Column('"x"'),), f'"{at}"') for at in (1, 2))
    assert str(Select((Column('mean("x")', "m"),), weeks)).endswith(
        'FROM (SELECT "x" FROM "1"), (SELECT "x" FROM "2")'
    )


@pytest.mark.parametrize("text", ['a"b', "a b", "a;b", "", "${a}${b}"])
def test_a_name_that_could_end_its_quotes_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="InfluxQL name: received"):
        name(text)


@pytest.mark.parametrize("text", ["o'clock", "a\\", "a\nb"])
def test_a_value_that_could_end_its_quotes_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="InfluxQL value: received"):
        tag("level", text)


def test_tag_values_are_asked_for_with_a_condition() -> None:
    asked = TagValues('"places"', "option", (tag("level", "${level}"),))
    assert str(asked) == 'SHOW TAG VALUES FROM "places" WITH KEY = "option" WHERE "level" = \'${level}\''


def test_the_range_and_the_variables_are_put_in_as_grafana_does() -> None:
    text = (
        'SELECT 1 FROM "${policy}".x WHERE $timeFilter AND p =~ /^${place}/ AND l = $level AND t < ${__to}ms'
    )
    sent = interpolate(text, Range(1000, 2000), {"policy": "1m", "place": "370202", "level": "street"})
    assert sent == (
        'SELECT 1 FROM "1m".x WHERE time >= 1000ms and time <= 2000ms AND p =~ /^370202/ AND l = street '
        "AND t < 2000ms"
    )
    assert variables_in(text) == {"policy", "place", "level"}


def test_a_variable_without_a_value_is_named() -> None:
    with pytest.raises(SettingsError, match="variable: received 'place', allowed: __from"):
        interpolate("${place}", Range(1, 2), {"level": "street"})


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(SettingsError, match="from before to"):
        Range(2, 1)
