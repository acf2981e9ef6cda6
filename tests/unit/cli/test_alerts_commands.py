"""`taishi alerts` on a desk of its own: each action, its refusal, its words and its JSON."""

import json

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from operations.oncall.clock import now_ms
from operations.oncall.flood import Flood
from operations.oncall.model import Notification
from operations.oncall.store import Store
from operations.store.outbox import Planned
from schemas.alerts import Alert
from schemas.errors import TaishiError
from taishi.cli import alerts as module
from taishi.cli.alerts import alerts

MIN, HOUR = 60_000, 3_600_000
ONSET = now_ms() - 5 * MIN
ALERT = Alert(
    id="a" * 32, rule="device.silent", severity="high", domain="parking", level="device",
    place="370202001001001", onset_ms=ONSET, active=True, title="设备失联 silent", device="d1",
)  # fmt: skip
SOS = replace(
    ALERT, id="5" * 32, rule="signal.sos", severity="life_safety", latched=True, active=False,
    cleared_ms=ONSET + MIN, device="sos-1", title="紧急呼救 SOS",
)  # fmt: skip
PARENT = replace(
    ALERT, id="f" * 32, rule="storm.silent", cause="device.silent", level="street", place="370202002",
    device="", title="片区断联 outage", children=1,
)  # fmt: skip
CHILD = replace(ALERT, id="c" * 32, place="370202002001001", device="d9")
KNOWN = [ALERT, SOS, PARENT, CHILD]


@pytest.fixture
def taishi(tmp_path, monkeypatch):
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path))
    monkeypatch.setattr(module, "read_alerts", lambda _: KNOWN)
    (tmp_path / "data").mkdir()
    store = Store(f"sqlite:///{tmp_path / 'data' / 'operations.db'}")
    store.take("alerts", KNOWN, 1, ONSET)
    store.close()

    def run(*words):
        done = CliRunner().invoke(alerts, words)
        if isinstance(done.exception, TaishiError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return json.loads(done.output) if "--json" in words else done.output

    return run


def ids(listed):
    return [each["id"][0] for each in listed]


def test_the_list_hides_children_of_a_parent_and_shows_them_below_it_on_demand(taishi):
    listed = taishi("list", "--json")
    assert ids(listed) == ["5", "a", "f"]
    assert listed[2]["children_ids"] == [CHILD.id]
    assert listed[2]["state"]["hidden"] is False
    whole = taishi("list", "--hidden", "--json")
    assert ids(whole) == ["5", "a", "f", "c"]
    assert whole[3]["state"]["suppressed"] == [{"parent": PARENT.id}]
    text = taishi("list")
    assert "代表 1 条" in text
    assert "3 条告警 alerts，1 条隐藏 hidden (--hidden)" in text
    assert "└ ccc" in taishi("list", "--hidden")


def test_a_child_that_is_over_is_counted_no_more(taishi, monkeypatch):
    over = replace(CHILD, active=False, cleared_ms=ONSET + 1)
    monkeypatch.setattr(module, "read_alerts", lambda _: [PARENT, over])
    assert taishi("show", "ff", "--json")["children_ids"] == []


def test_shelving_takes_an_alarm_off_the_list_and_is_listed_with_its_end(taishi):
    said = taishi("shelve", "aa", "--for", "2h", "--why", "换电池 battery", "--by", "王芳", "--json")
    assert (said["kind"], said["by"], said["why"]) == ("shelve", "王芳", "换电池 battery")
    assert said["until_ms"] - said["at_ms"] == 2 * HOUR
    assert ids(taishi("list", "--json")) == ["5", "f"]
    hidden = taishi("hidden", "--json")
    assert [each["by"] for each in hidden["hidings"]] == ["王芳"]
    assert hidden["parents"][0]["children"] == [CHILD.id]
    text = taishi("hidden")
    assert "1:59" in text
    assert "换电池 battery" in text
    assert "2 条告警隐藏" in text
    assert "already shelved by 王芳" in refused(
        taishi, "shelve", "aa", "--for", "1h", "--why", "x", "--by", "李强"
    )
    assert "已取消搁置" in taishi("unshelve", "aa", "--by", "李强")
    assert ids(taishi("list", "--json")) == ["5", "a", "f"]


def refused(taishi, *words):
    with pytest.raises(TaishiError) as error:
        taishi(*words)
    return str(error.value)


def test_once_lasts_at_most_the_longest_shelving(taishi):
    said = taishi("shelve", "aa", "--once", "--why", "x", "--by", "王芳", "--json")
    assert (said["kind"], said["until_ms"] - said["at_ms"]) == ("shelve_once", 8 * HOUR)
    assert taishi("show", "aa", "--json")["state"]["shelving"] == "one_shot"
    assert len(taishi("hidden", "--json")["hidings"]) == 1


def test_too_long_too_alone_and_nonsense_are_refused_with_words(taishi):
    shelve = ("shelve", "--why", "x", "--by", "王芳", "--for")
    assert "received 9:00:00, allowed: at most 8:00:00" in refused(taishi, *shelve, "9h", "aa")
    assert "not hidden by a single person" in refused(taishi, *shelve, "1h", "55")
    assert "已搁置 shelved" in taishi(*shelve, "1h", "55", "--second", "李强")
    assert "--for: received 'soon'" in refused(taishi, *shelve, "soon", "aa")
    assert "allowed: one of them" in refused(taishi, *shelve, "1h", "aa", "--until", "2030-01-01")
    assert "which 0 alerts" in refused(taishi, *shelve, "1h", "zz")
    assert "received nothing" in refused(taishi, "out-of-service", "--why", "x", "--by", "王芳")
    assert "an alert and a scope" in refused(
        taishi, "suppress", "aa", "--rule", "x", "--logic", "x", "--by", "王芳"
    )


def test_the_longest_shelving_is_the_on_call_files(taishi, tmp_path, monkeypatch):
    file = tmp_path / "oncall.toml"
    file.write_text('max_shelve_s = 600\nroutes = []\n[people]\n"王芳" = ["json://127.0.0.1:9"]\n', "utf-8")
    monkeypatch.setenv("TAISHI_ONCALL_FILE", str(file))
    assert "at most 0:10:00" in refused(taishi, "shelve", "aa", "--for", "11m", "--why", "x", "--by", "王芳")


def test_acknowledge_then_reset_a_latched_alert(taishi):
    assert "not acknowledged" in refused(taishi, "reset", "55", "--by", "王芳")
    assert "已确认 acknowledged by 王芳" in taishi("ack", "55", "--by", "王芳", "--why", "去现场 going")
    assert "already acknowledged by 王芳 at" in refused(taishi, "ack", "55", "--by", "李强")
    assert "已复位 reset by 王芳" in taishi("reset", "55", "--by", "王芳")
    assert ids(taishi("list", "--json")) == ["a", "f"]
    assert "5" in ids(taishi("list", "--all", "--json"))


def test_out_of_service_and_suppression_go_by_device_rule_and_place(taishi):
    out = ("--device", "d1", "--by", "赵敏")
    text = taishi("out-of-service", *out, "--why", "工单 8841")
    assert "设备 device d1: 已停用" in text
    assert "life safety still rings" in text
    assert ids(taishi("list", "--json")) == ["5", "f"]
    assert "already so: 赵敏" in refused(taishi, "out-of-service", *out, "--why", "again")
    taishi("in-service", *out)
    scope = ("--rule", "device.", "--place", "370202001", "--by", "赵敏")
    assert "剩 0:30 left" in taishi("suppress", *scope, "--logic", "停电检修 planned outage", "--for", "30m")
    assert ids(taishi("list", "--json")) == ["5", "f"]
    assert "停电检修" in taishi("hidden")
    taishi("unsuppress", *scope)
    assert ids(taishi("list", "--json")) == ["5", "a", "f"]


def test_the_same_key_again_changes_nothing_and_says_the_same(taishi):
    words = ("comment", "aa", "已联系厂商 vendor called", "--by", "王芳", "--key", "phone-1", "--json")
    assert taishi(*words) == taishi(*words)
    told = taishi("history", "aa", "--json")["transitions"]
    assert [each["what"] for each in told] == ["raised", "comment"]


def test_history_has_every_transition_with_who_when_why_beside_the_notifications(taishi, tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'data' / 'operations.db'}")
    note = Notification(f"{ALERT.id}/0/王芳", ALERT.id, "王芳", 0, ONSET + 1)
    store.plan([Planned(note)], [Flood("王芳", ONSET, 11, 11)], ONSET + 1)
    store.sent(note.key, "json", ONSET + 2)
    store.close()
    taishi("shelve", "aa", "--for", "1h", "--why", "换电池", "--by", "王芳", "--second", "李强")
    taishi("ack", "aa", "--by", "赵敏", "--why", "在看 looking")
    lines = taishi("history", "aa").splitlines()
    assert ["触发 raised" in lines[0], "told by json" in lines[1]] == [True, True]
    assert "王芳 + 李强  搁置 shelved → " in lines[2]
    assert lines[3].endswith("赵敏  已确认 acknowledged: 在看 looking")
    said = taishi("history", "aa", "--json")
    assert (said["acknowledged"]["by"], said["state"]["shelving"]) == ("赵敏", "timed")
    assert [row["person"] for row in said["notifications"]] == ["王芳"]


def test_show_tells_the_state_in_words(taishi):
    taishi("ack", "ff", "--by", "王芳")
    text = taishi("show", "ff")
    assert f"child  {CHILD.id}" in text
    assert "by 王芳" in text


def test_kpis_are_a_table_with_verdicts_and_json_with_shifts(taishi, tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'data' / 'operations.db'}")
    notes = [Notification(f"{ALERT.id}/0/{name}", ALERT.id, name, 0, ONSET) for name in ("王芳", "李强")]
    store.plan([Planned(note) for note in notes], [], ONSET)
    store.close()
    found = taishi("kpis", "--since", "24h", "--json")
    assert found["hidden"] == 1
    whole = [report for report in found["reports"] if not report["shift"]]
    assert {report["console"]: report["annunciated"] for report in whole} == {"王芳": 1, "李强": 1}
    assert {report["shift"] for report in found["reports"]} == {"", "08:00-20:00", "20:00-08:00"}
    assert [kpi["name"] for kpi in whole[0]["kpis"]] == [f"K{n}" for n in range(1, 13)]
    text = taishi("kpis", "--console", "王芳")
    assert "每日告警数" in text
    assert "可接受 acceptable" in text
    assert "李强" not in text


def test_without_a_desk_the_list_still_lists_and_begins_none(tmp_path, monkeypatch):
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path / "none"))
    monkeypatch.setattr(module, "read_alerts", lambda _: KNOWN)
    done = CliRunner().invoke(alerts, ["list", "--json"])
    assert ids(json.loads(done.output)) == ["5", "a", "f"]
    assert not (tmp_path / "none").exists()
