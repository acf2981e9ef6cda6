"""Flood mode: a storm of a thousand is ten messages and a few digests; life safety rings singly; deaths."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from operations.oncall.flood import Flood
from operations.oncall.store import Store
from tests.contract.oncall_fakes import T0, Desk, alert, oncall, opened

MIN = 60_000


@pytest.fixture
def store(desk_url: str) -> Iterator[Store]:
    with opened(desk_url) as made:
        yield made


@pytest.fixture
def desk(store: Store, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(store, oncall(people=2), monkeypatch)


def test_a_storm_of_a_thousand_is_ten_messages_and_a_few_digests_a_person(desk: Desk) -> None:
    for start in range(0, 1_000, 100):
        desk.take(*(alert(n) for n in range(start, start + 100)))
        desk.look(6_000)
    for _ in range(15):
        desk.look(MIN)
    for person in ("王芳", "李强"):
        heads = [head for name, head, _ in desk.told if name == person]
        assert len([head for head in heads if "告警洪峰" not in head]) == 10
        assert 1 <= len([head for head in heads if "告警洪峰" in head]) <= 3
    assert len(set(desk.keys())) == len(desk.keys())
    digests = [text for name, head, text in desk.told if name == "王芳" and "洪峰" in head]
    assert sum(int(text.split("另有 ")[1].split(" ")[0]) for text in digests) == 990


def test_a_digest_says_how_many_of_what_where_and_goes_out_at_most_once_a_minute(desk: Desk) -> None:
    desk.take(*(alert(n) for n in range(12)))
    desk.look()
    (head, text) = next((h, t) for _, h, t in desk.told if "洪峰" in h)
    assert head == "【告警洪峰】【高】另有 2 条同类告警 设备失联 silent 370202001001"
    assert "洪峰自 08:00:00 起，共 12 条" in text
    desk.take(*(alert(n, rule="signal.tamper", title="防拆 tamper") for n in range(20, 23)))
    assert desk.look(MIN - 1) == []
    desk.take(alert(30))
    heads = [head for person, head in desk.look(1) if person == "王芳"]
    assert heads == ["【告警洪峰】【高】另有 4 条告警，2 类 4 more alerts"]


def test_life_safety_rings_singly_in_the_middle_of_a_flood_and_first(desk: Desk) -> None:
    desk.take(*(alert(n) for n in range(50)))
    desk.take(*(alert(n, severity="life_safety", title="紧急呼救 SOS") for n in range(60, 63)))
    heads = [head for person, head in desk.look() if person == "王芳"]
    assert [head[:6] for head in heads[:3]] == ["【生命安全】"] * 3


def test_a_flood_is_an_object_with_start_end_count_and_peak_that_survives_a_restart(desk: Desk) -> None:
    desk.take(*(alert(n) for n in range(30)))
    desk.look()
    assert desk.store.floods()[0] == Flood("李强", T0, 30, 30)
    desk.restart()
    desk.take(*(alert(n) for n in range(30, 32)))
    assert [head for _, head in desk.look(MIN) if "【高】设备" in head] == []
    desk.look(11 * MIN)
    assert desk.store.floods() == []
    flood = next(each for each in desk.store.floods(0) if each.console == "王芳")
    assert (flood.start_ms, flood.end_ms, flood.count, flood.peak) == (T0, T0 + 10 * MIN, 32, 32)
    desk.take(alert(99))
    assert {head for _, head in desk.look(MIN)} == {"【高】设备失联 silent 370202001001005"}


def test_a_flood_that_ended_while_nobody_looked_has_its_true_end(desk: Desk) -> None:
    desk.take(*(alert(n) for n in range(12)))
    desk.look()
    desk.now_ms += 300 * MIN
    desk.restart()
    desk.look()
    assert {flood.end_ms for flood in desk.store.floods(0)} == {T0 + 10 * MIN}


def test_what_is_answered_before_the_digest_is_not_in_it(desk: Desk) -> None:
    desk.take(*(alert(n) for n in range(13)))
    desk.look()
    desk.take(*(alert(n) for n in range(20, 25)))
    desk.look(1_000)
    for number in (20, 21):
        desk.store.acknowledge(alert(number).id, "王芳", "", desk.now_ms)
    desk.take(alert(22, revision=1, active=False, cleared_ms=desk.now_ms))
    told = [head for person, head in desk.look(MIN) if person == "王芳"]
    assert told == ["【告警洪峰】【高】另有 2 条同类告警 设备失联 silent 370202001001"]
    (row,) = [row for row in desk.store.history(alert(20).id) if row["person"] == "王芳"]
    assert (row["state"], row["problem"]) == ("withdrawn", "answered or over")
    (row,) = [row for row in desk.store.history(alert(23).id) if row["person"] == "王芳"]
    assert (row["state"], row["channel"]) == ("sent", "json")


def test_a_digest_that_died_between_sending_and_marking_is_sent_again_word_for_word(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.take(*(alert(n) for n in range(12)))
    with monkeypatch.context() as dying:
        dying.setattr(desk.store, "sent", lambda *_: None)
        desk.look()
    first = {text for _, head, text in desk.told if "洪峰" in head}
    desk.restart()
    desk.told.clear()
    desk.look(1_000)
    assert {text for _, head, text in desk.told if "洪峰" in head} == first
    assert desk.look(1_000) == []


def test_a_digest_no_channel_takes_is_tried_again_and_no_second_one_is_made(desk: Desk) -> None:
    desk.take(*(alert(n) for n in range(12)))
    desk.fails = True
    desk.look()
    desk.take(alert(40))
    for _ in range(4):
        desk.look(MIN)
    written = [each.note.person for each in desk.store.to_send(desk.now_ms + 60 * MIN) if not each.alert]
    assert sorted(written) == ["李强", "王芳"]
    desk.fails = False
    desk.look(MIN)
    heads = [head for person, head, _ in desk.told if person == "王芳" and "洪峰" in head]
    assert heads[0].startswith("【告警洪峰】【高】另有 2 条")
    desk.look(MIN)
    heads = [head for person, head, _ in desk.told if person == "王芳" and "洪峰" in head]
    assert [head.split("另有 ")[1][:3] for head in heads] == ["2 条", "1 条"]


def heads_of(desk: Desk, later_ms: int) -> list[str]:
    return [head.split("】")[2] for person, head in desk.look(later_ms) if person == "王芳"]


def test_every_digest_waits_its_minute_also_after_a_restart_and_with_no_news(desk: Desk) -> None:
    desk.take(*(alert(n) for n in range(12)))
    desk.look()
    desk.take(alert(40))
    assert heads_of(desk, 30_000) == []
    desk.restart()
    assert heads_of(desk, 29_999) == []
    assert len(heads_of(desk, 1)) == 1
    desk.take(alert(41))
    assert heads_of(desk, 30_000) == []
    assert len(heads_of(desk, 30_000)) == 1


def test_a_death_before_the_plan_is_written_loses_and_doubles_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.take(*(alert(n) for n in range(40)))
    with monkeypatch.context() as dying:
        dying.setattr(desk.store, "plan", lambda *_: (_ for _ in ()).throw(OSError("killed")))
        with pytest.raises(OSError, match="killed"):
            desk.look()
    desk.restart()
    desk.look()
    assert desk.store.floods()[0].count == 40
    assert len(desk.store.load(0)) == 80


def test_a_repeat_is_said_again_at_most_so_often_and_counts_as_no_new_alarm(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(store, oncall(repeat_s=60, repeat_max=3), monkeypatch)
    desk.take(alert())
    heads = [head for _ in range(7) for _, head in desk.look(MIN)]
    assert [head[:5] for head in heads] == ["【高】设备", "【重复 1", "【重复 2", "【重复 3"]
    assert desk.keys() == [f"{alert().id}/0/王芳", *(f"{alert().id}/0/王芳+{n}" for n in (1, 2, 3))]
    assert len(store.load(0)) == 1


def test_repeats_make_no_flood(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(store, oncall(repeat_s=10, repeat_max=9), monkeypatch)
    desk.take(alert(0), alert(1), alert(2))
    assert sum(len(desk.look(10_000)) for _ in range(11)) == 30
    assert store.floods() == []


def test_an_acknowledgement_ends_the_repeats(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(store, oncall(repeat_s=60, repeat_max=3), monkeypatch)
    desk.take(alert())
    assert len(desk.look() + desk.look(MIN)) == 2
    store.acknowledge(alert().id, "王芳", "", desk.now_ms)
    assert desk.look(5 * MIN) == []
