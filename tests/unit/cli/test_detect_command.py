"""`taishi detect FILE.csv`: the judge's door."""

import csv
import io
from datetime import datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner

from schemas.errors import SettingsError
from taishi.cli.detect import detect
from taishi.cli.main import main  # noqa: F401 - the command is reached through its table

START = datetime(2026, 3, 2)  # noqa: DTZ001 - local time, as files have it


def table(values, step_min=5):
    rows = [f"{START + timedelta(minutes=step_min * n)},{value}" for n, value in enumerate(values)]
    return "\n".join(["timestamp,value", *rows]) + "\n"


def usual(count, seed=1):
    rng = np.random.default_rng(seed)
    at = np.arange(count)
    return [round(v, 3) for v in 50 + 20 * np.sin(2 * np.pi * at / 288) + rng.normal(0, 2, count)]


def run(text):
    result = CliRunner().invoke(detect, ["-"], input=text)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return list(csv.DictReader(io.StringIO(result.stdout))), result.stderr


@pytest.fixture(scope="module")
def week():
    return usual(7 * 288)


def test_every_row_comes_back_with_a_score_and_an_alert(week):
    rows, _ = run(table(week))
    assert [row["value"] for row in rows] == [str(v) for v in week]
    assert all(0 <= float(row["score"]) <= 1 and row["alert"] in {"0", "1"} for row in rows)
    assert sum(row["alert"] == "1" for row in rows) < 20


def test_scores_use_only_the_rows_before(week):
    whole, _ = run(table([*week, 1e9, -1e9, *week]))
    prefix, _ = run(table(week))
    assert whole[: len(prefix)] == prefix


def test_a_surge_a_closure_and_a_stuck_value_are_found(week):
    values = [*week, *usual(288, 2)]
    for start, length, change in ((300, 6, 80), (900, 12, -60)):
        values[7 * 288 - start : 7 * 288 - start + length] = [
            v + change for v in values[7 * 288 - start : 7 * 288 - start + length]
        ]
    values[7 * 288 + 100 : 7 * 288 + 130] = [70.001] * 30
    rows, _ = run(table(values))
    for start, length in ((7 * 288 - 300, 6), (7 * 288 - 900, 12), (7 * 288 + 100, 30)):
        assert any(row["alert"] == "1" for row in rows[start : start + length])
        assert max(float(row["score"]) for row in rows[start : start + length]) > 0.7


def test_rows_without_a_value_cannot_be_judged():
    rows, said = run("timestamp,value\n2026-03-01 00:00,1\n2026-03-01 00:05,\n2026-03-01 00:10,NaN\n")
    assert [(row["score"], row["alert"]) for row in rows[1:]] == [("0.000000", "0")] * 2
    assert "cannot judge: 2 行无值" in said


def test_columns_may_come_in_another_order_and_with_others():
    rows, _ = run("id,value,timestamp\na,3,2026-03-01T00:00:00+08:00\nb,4,1772294700\nc,5,1772295000000\n")
    assert [row["value"] for row in rows] == ["3", "4", "5"]


def test_times_that_stand_still_or_go_back_are_taken_in_order_of_rows():
    stamps = ["2026-03-01 01:00", "2026-03-01 01:00", "2026-03-01 00:30", "2026-03-01 01:30"]
    rows, _ = run("timestamp,value\n" + "".join(f"{stamp},{n}\n" for n, stamp in enumerate(stamps)))
    assert [row["timestamp"] for row in rows] == stamps


def test_an_empty_table_has_no_rows():
    assert run("timestamp,value\n") == ([], "")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "line 1: received columns none, allowed: a header that names timestamp and value"),
        ("time,value\n", "line 1: received columns time, value"),
        ("timestamp,value\nyesterday,1\n", "line 2: received timestamp 'yesterday', allowed: ISO 8601"),
        (
            "timestamp,value\n2026-03-01,1\n2026-03-02,high\n",
            "line 3: received value 'high', allowed: a number",
        ),
        ("timestamp,value\n2026-03-01\n", "line 2: received 1 fields, allowed: at least 2"),
        ("timestamp,value\n-5,1\n", "line 2: received timestamp '-5', allowed: years 1970 to 2096"),
    ],
)
def test_what_cannot_be_read_is_refused_by_line(text, named):
    with pytest.raises(SettingsError) as refused:
        run(text)
    assert named in str(refused.value)
