"""Who is told and when: severity, place, steps, acknowledgement, age; each step once."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.oncall.load import parse_oncall
from operations.oncall.model import Tracked
from operations.oncall.plan import due, next_due_ms
from operations.oncall.words import body, title
from schemas.alerts import SEVERITIES, Alert
from schemas.errors import SettingsError

T0 = 1_795_392_000_000
FILE = {
    "people": {"王芳": ["json://127.0.0.1:9/a"], "李强": ["json://127.0.0.1:9/b"], "赵敏": ["json://127.0.0.1:9/c"]},
    "groups": {"值班长": ["李强", "赵敏"]},
    "routes": [
        {
            "name": "urgent",
            "severity": "life_safety",
            "steps": [{"people": ["王芳"]}, {"people": ["值班长"], "after_s": 60}],
        },
        {"name": "street", "severity": "high", "place": "370202001", "steps": [{"people": ["李强"]}]},
    ],
}  # fmt: skip
ONCALL = parse_oncall(FILE)
ALERT = Alert(
    id="a" * 32, rule="signal.smoke", severity="life_safety", domain="security", level="grid",
    place="370202001001001", onset_ms=T0, active=True, title="烟雾报警 smoke",
    explanation="设备 d1 上报烟雾报警。",
)  # fmt: skip


def told(now_ms, *, seen_ms=T0 + 300, by="", **changed):
    alert = msgspec.structs.replace(ALERT, **changed)
    return [(n.step, n.person) for n in due(ONCALL, Tracked(alert, seen_ms, by), now_ms)]


def test_the_first_step_is_at_once_and_the_next_comes_unless_somebody_answers():
    assert told(T0 + 300) == [(0, "王芳")]
    assert told(T0 + 60_299) == [(0, "王芳")]
    assert told(T0 + 60_300) == [(0, "王芳"), (1, "李强"), (1, "赵敏")]
    assert told(T0 + 60_300, by="王芳") == []


def test_when_the_next_step_comes():
    tracked = Tracked(ALERT, T0)
    assert next_due_ms(ONCALL, tracked, T0) == T0 + 60_000
    assert next_due_ms(ONCALL, tracked, T0 + 60_000) is None


def test_the_first_route_that_takes_an_alert_counts_and_without_one_nobody_is_told():
    assert told(T0 + 300, severity="high") == [(0, "李强")]
    assert told(T0 + 300, severity="high", place="370202002001001") == []
    assert told(T0 + 300, severity="low") == []


def test_an_alert_that_is_over_tells_nobody_and_one_that_waits_for_a_person_does():
    assert told(T0 + 300, active=False) == []
    assert told(T0 + 300, active=False, latched=True) == [(0, "王芳")]


def test_what_is_an_hour_old_when_first_seen_tells_nobody():
    assert told(T0 + 3_700_000, seen_ms=T0 + 3_600_001) == []
    assert told(T0 + 3_700_000, seen_ms=T0 + 3_600_001, told_ms=T0 + 3_000_000) != []


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=20), st.sampled_from(SEVERITIES))
def test_however_often_one_looks_the_keys_only_grow_and_never_change(looks, severity):
    alert, known = msgspec.structs.replace(ALERT, severity=severity), {}
    for at in sorted(looks):
        notes = {note.key: note for note in due(ONCALL, Tracked(alert, T0), T0 + at)}
        assert known.items() <= notes.items()
        known = notes


def test_the_words_say_what_where_why_since_when_and_by_which_key():
    first, *_, last = due(ONCALL, Tracked(ALERT, T0), T0 + 60_000)
    assert title(ALERT, first) == "【生命安全】烟雾报警 smoke 370202001001001"
    simulated = msgspec.structs.replace(ALERT, simulated=True)
    assert title(simulated, last).startswith("【模拟】【升级】")
    text = body(ALERT, first, [])
    assert "设备 d1 上报烟雾报警" in text
    assert "2026-11-23 08:00:00（北京时间）" in text
    assert first.key in text


def changed(*path_and_value):
    *path, value = path_and_value
    file = msgspec.json.decode(msgspec.json.encode(FILE))
    at = file
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    return file


STEPS = ("routes", 0, "steps")
ADDRESS = "nonsense://secret-token"
WRONG = [
    (changed("people", "王芳", []), r"people\.王芳: received no channel"),
    (changed("people", "王芳", [ADDRESS]), r"people\.王芳\[0\]: received a 'nonsense' address"),
    (changed(*STEPS, 0, "people", ["张三"]), r"routes\.urgent\.steps\[0\]: received '张三', allowed: 王芳"),
    (changed(*STEPS, 1, "after_s", 0), r"steps\[1\]\.after_s: received 0, allowed: more than"),
    (changed(*STEPS, []), r"routes\.urgent: received no step"),
    (changed("routes", 0, "severity", "fatal"), r"Invalid enum value 'fatal' - at `\$\.routes"),
    (changed("routes", 0, "sevrity", "high"), r"unknown field `sevrity`"),
    (changed("people", {}), r"received '王芳'"),
]


@pytest.mark.parametrize(("file", "words"), WRONG)
def test_a_wrong_file_is_refused_by_field_and_never_shows_a_token(file, words):
    with pytest.raises(SettingsError, match=words) as refused:
        parse_oncall(file)
    assert "secret-token" not in str(refused.value)
