"""Routes by the working calendar (holidays, 调休), level and kind; groups; repeats; shifts; and refusals."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from operations.oncall.hours import SHIFTS, WORKING_HOURS, Span, parse_spans, shift_of, working
from operations.oncall.load import parse_oncall
from operations.oncall.model import Tracked
from operations.oncall.plan import due, next_due_ms
from schemas.alerts import Alert
from schemas.calendar import ZONE, local
from schemas.errors import SettingsError

CHANNEL = ["json://127.0.0.1:9/a"]
FILE = {
    "people": {"王芳": CHANNEL, "李强": CHANNEL, "赵敏": CHANNEL},
    "groups": {"夜班": ["李强", "赵敏"]},
    "routes": [
        {"name": "district", "level": "district", "steps": [{"people": ["赵敏"]}]},
        {"name": "fire", "rule": "signal.smoke", "steps": [{"people": ["王芳", "李强"]}]},
        {"name": "day", "when": "working_hours", "steps": [{"people": ["王芳"]}]},
        {"name": "night", "when": "non_working_hours", "steps": [{"people": ["夜班"]}]},
    ],
}
ALERT = Alert(
    id="a" * 32, rule="device.silent", severity="high", domain="parking", level="device",
    place="370202001001001", onset_ms=0, active=True, title="设备失联 silent",
)  # fmt: skip


def ms(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp() * 1000)


def people(at, oncall=None, **changed):
    at_ms = ms(at) if isinstance(at, str) else at
    alert = replace(ALERT, onset_ms=at_ms, **changed)
    return [note.person for note in due(oncall or parse_oncall(FILE), Tracked(alert, at_ms), at_ms)]


NIGHT = ["李强", "赵敏"]
MOMENTS = [
    ("2026-11-23T08:00", ["王芳"]),  # a Monday
    ("2026-11-23T07:59", NIGHT),
    ("2026-11-23T12:00", NIGHT),  # noon is no working time
    ("2026-11-23T14:00", ["王芳"]),
    ("2026-11-23T17:59", ["王芳"]),
    ("2026-11-23T18:00", NIGHT),
    ("2026-11-21T10:00", NIGHT),  # a Saturday
    ("2026-09-20T10:00", ["王芳"]),  # a Sunday that makes up for the National Day week (调休)
    ("2026-10-01T10:00", NIGHT),  # National Day, a Thursday
    ("2026-10-08T10:00", ["王芳"]),  # the first day after it
    ("2026-02-17T10:00", NIGHT),  # Spring Festival, a Tuesday
    ("2026-02-14T10:00", ["王芳"]),  # a Saturday that makes up for it
]


@pytest.mark.parametrize(("at", "told"), MOMENTS)
def test_working_and_other_hours_lead_to_others(at, told):
    assert people(at) == told


def test_the_route_is_that_of_the_moment_it_came_however_late_the_next_step():
    steps = [{"people": ["王芳"]}, {"people": ["李强"], "after_s": 900}]
    day = {"name": "day", "when": "working_hours", "steps": steps}
    file = FILE | {"routes": [day, {"name": "night", "steps": [{"people": ["赵敏"]}]}]}
    came, later = ms("2026-11-23T17:55"), ms("2026-11-23T18:10")
    notes = due(parse_oncall(file), Tracked(replace(ALERT, onset_ms=came), came), later)
    assert [note.person for note in notes] == ["王芳", "李强"]


def test_level_and_kind_choose_a_route_and_a_group_is_its_people():
    assert people("2026-11-23T10:00", level="district") == ["赵敏"]
    assert people("2026-11-23T10:00", rule="signal.smoke.kitchen") == ["王芳", "李强"]
    assert people("2026-11-23T20:00") == ["李强", "赵敏"]


def test_working_hours_are_a_setting():
    oncall = parse_oncall(FILE | {"working_hours": ["09:30-17:00"]})
    assert people("2026-11-23T12:30", oncall) == ["王芳"]
    assert people("2026-11-23T09:29", oncall) == NIGHT


def test_a_repeat_is_due_every_so_often_at_most_so_many_times_and_is_no_new_alarm():
    step = {"people": ["王芳"], "repeat_s": 60, "repeat_max": 2}
    oncall = parse_oncall(
        FILE | {"routes": [{"name": "all", "steps": [step, {"people": ["王芳"], "after_s": 90}]}]}
    )
    tracked = Tracked(replace(ALERT, onset_ms=1), 1)
    notes = {n.key: n for at_ms in range(1, 200_000, 1_000) for n in due(oncall, tracked, at_ms)}.values()
    assert [(n.due_ms, n.step, n.repeat, n.again) for n in notes] == [
        (1, 0, 0, False), (60_001, 0, 1, True), (90_001, 1, 0, True), (120_001, 0, 2, True),
    ]  # fmt: skip
    late = list(due(oncall, tracked, 10**9))
    assert [n.repeat for n in late if n.step == 0] == [0, 2], "those that were missed are not made up for"
    assert len({note.key for note in notes}) == 4
    assert next_due_ms(oncall, tracked, 60_001) == 90_001


WRONG = [
    ({"working_hours": ["8-12"]}, r"working_hours\[0\]: received '8-12', allowed: two times of day"),
    ({"working_hours": ["08:00-24:01"]}, r"received '08:00-24:01'"),
    ({"working_hours": ["22:00-06:00"]}, "allowed: spans within one day"),
    ({"working_hours": ["08:00-12:00", "11:00-18:00"]}, "of which two overlap"),
    ({"shifts": ["08:00-20:00"]}, "allowed: spans that fill the day"),
    ({"flood_start": 3, "flood_end": 4}, "flood_end: received 4, allowed: 1 to flood_start"),
    ({"routes": [{"name": "x", "when": "sometimes", "steps": []}]}, "Invalid enum value 'sometimes'"),
    ({"routes": [{"name": "x", "level": "galaxy", "steps": []}]}, "Invalid enum value 'galaxy'"),
    (
        {"routes": [{"name": "x", "steps": [{"people": ["王芳"], "repeat_s": 60}]}]},
        r"routes\.x\.steps\[0\]: received repeat_s 60 and repeat_max 0, allowed: both",
    ),
]


@pytest.mark.parametrize(("changed", "words"), WRONG)
def test_a_wrong_file_is_refused_by_field(changed, words):
    with pytest.raises(SettingsError, match=words):
        parse_oncall(FILE | changed)


def test_shifts_are_told_and_the_night_goes_over_midnight():
    assert str(shift_of(ms("2026-11-23T07:59"), SHIFTS)) == "20:00-08:00"
    assert str(shift_of(ms("2026-11-23T08:00"), SHIFTS)) == "08:00-20:00"
    assert parse_spans("shifts", ["00:00-08:00", "08:00-16:00", "16:00-24:00"], whole_day=True)[2] == Span(
        960, 1440
    )


@given(st.integers(ms("2026-01-01T00:00"), ms("2026-12-31T00:00")))
def test_every_moment_is_in_one_shift_and_goes_to_the_day_or_the_night(at_ms):
    assert sum(span.holds(local(at_ms)) for span in SHIFTS) == 1
    assert people(at_ms) == (["王芳"] if working(at_ms, WORKING_HOURS) else NIGHT)
