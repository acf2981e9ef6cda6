"""Variables and macros go into a query as Grafana puts them, by the examples of its own documentation."""

import pytest

from dashboards.formats import by_default, formatted, interval_for
from dashboards.interpolate import Range, interpolate, variables_in
from schemas.errors import SettingsError

HOUR = Range(1_000, 3_601_000)


@pytest.mark.parametrize(
    ("form", "values", "wanted"),
    [
        ("csv", ["test1", "test2"], "test1,test2"),
        ("doublequote", ["test1", "test2"], '"test1","test2"'),
        ("glob", ["test1", "test2"], "{test1,test2}"),
        ("json", ["test1", "test2"], '["test1", "test2"]'),
        ("percentencode", ["foo()bar BAZ", "test2"], "foo%28%29bar%20BAZ%2Ctest2"),
        ("pipe", ["test1.", "test2"], "test1.|test2"),
        ("raw", ["test1.", "test2"], "test1.,test2"),
        ("regex", ["test1.", "test2"], r"(test1\.|test2)"),
        ("singlequote", ["test1", "test2"], "'test1','test2'"),
        ("sqlstring", ["test'1", "test2"], "'test''1','test2'"),
        ("nosuchform", ["test1", "test2"], "{test1,test2}"),
    ],
)
def test_several_values_take_the_form_a_query_asks_for(form, values, wanted):
    assert formatted(values, form) == wanted
    assert interpolate(f"x ${{servers:{form}}} y", HOUR, {"servers": values}) == f"x {wanted} y"


@pytest.mark.parametrize("form", ["csv", "glob", "pipe", "raw", "regex"])
def test_one_value_is_itself_in_these_forms(form):
    assert formatted("test1", form) == formatted(["test1"], form) == "test1"


def test_several_values_are_one_group_of_a_regular_expression_each_escaped():
    query = "SELECT a FROM b WHERE c =~ /^$hosts$/"
    assert by_default(["a.b", "c/d", "e|f"], "hosts", query) == r"(a\.b|c\/d|e\|f)"
    assert interpolate(query, HOUR, {"hosts": ["a.b", "c"]}) == r"SELECT a FROM b WHERE c =~ /^(a\.b|c)$/"
    assert by_default(["a.b"], "hosts", query) == r"(a\.b)"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("WHERE path = '$path'", "/special/path"),
        ("WHERE path = '${path}'", "/special/path"),
        ("WHERE path =~ /$path/", r"\/special\/path"),
        ("WHERE path !~ /^${path}$/ AND b = 'c'", r"\/special\/path"),
        ("WHERE path = '$path' AND other =~ /x/", "/special/path"),
        ("WHERE path = '$path' AND other =~ /$pathless/", "/special/path"),
    ],
)
def test_one_value_is_escaped_only_where_it_stands_in_a_regular_expression(query, wanted):
    assert by_default("/special/path", "path", query) == wanted


def test_a_place_goes_into_a_regular_expression_as_it_is_for_it_is_a_number():
    query = 'SELECT x FROM y WHERE "place" =~ /^${place}/ AND "level" = \'${level}\' AND $timeFilter'
    sent = interpolate(query, HOUR, {"place": "370202001", "level": "community"})
    assert sent == (
        'SELECT x FROM y WHERE "place" =~ /^370202001/ AND "level" = \'community\' '
        "AND time >= 1000ms and time <= 3601000ms"
    )


def test_the_range_and_the_interval_are_put_in():
    text = "GROUP BY time($__interval), time($interval) $__from ${__to} $__range"
    sent = interpolate(text, Range(1_000, 3_601_000, "2m"), {})
    assert sent == "GROUP BY time(2m), time(2m) 1000 3601000 3600s"


@pytest.mark.parametrize(
    ("range_ms", "points", "wanted"),
    [
        (3_600_000, 1_000, "5s"),
        (6 * 3_600_000, 1_000, "20s"),
        (24 * 3_600_000, 1_000, "1m"),
        (7 * 86_400_000, 1_000, "10m"),
        (30 * 86_400_000, 1_000, "30m"),
        (365 * 86_400_000, 1_000, "6h"),
        (60_000, 1_000, "1s"),
        (1_000 * 31_536_000_000, 10, "365d"),
    ],
)
def test_an_interval_is_rounded_to_a_usual_length_and_not_below_a_second(range_ms, points, wanted):
    assert interval_for(range_ms, points) == wanted


def test_an_interval_may_be_shorter_where_the_data_source_allows():
    assert interval_for(60_000, 1_000, least_ms=1) == "50ms"


def test_a_variable_nobody_has_given_is_refused_by_name_with_those_there_are():
    with pytest.raises(SettingsError, match=r"variable: received 'where', allowed: .*__from.*place"):
        interpolate("$where", HOUR, {"place": "1"})


def test_the_variables_of_a_text_are_those_that_boards_declare():
    assert variables_in("$a ${b} ${c:csv} $__interval $timeFilter ${__to}") == {"a", "b", "c"}
