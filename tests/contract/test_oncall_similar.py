"""What became of the last alerts alike goes with the next one."""

from __future__ import annotations

import pytest

from schemas.alerts import Alert
from tests.contract.oncall_fakes import COMMUNITY, HOUR, T0, Desk, action, alert, oncall, opened

GRID = f"{COMMUNITY}009"


def past(number: int) -> Alert:
    began = T0 - number * HOUR
    return alert(100 + number, place=GRID, onset_ms=began, active=False, cleared_ms=began + 600_000)


def test_a_message_tells_of_the_last_three_alike_and_what_became_of_them(
    desk_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(desk_url) as store:
        desk = Desk(store, oncall(), monkeypatch)
        for number in (4, 3, 2):
            desk.take(past(number))
        going_on = alert(101, place=GRID, onset_ms=T0 - HOUR)
        desk.take(going_on, alert(5, onset_ms=T0 - HOUR))
        desk.look()
        store.act(action("acknowledge", going_on, T0, by="李强", why="误报 nuisance"), T0)
        desk.take(alert(9, place=GRID))
        desk.look(1)
        (text,) = [text for _, _, text in desk.told if "告警 last alike" in text and alert(9).id in text]
        told = text.partition("last alike: ")[2].partition("\n")[0].split("；")
        assert told == [
            "11-23 07:00 李强 确认（误报 nuisance），未恢复",
            "11-23 06:00 无人确认，10 分钟后恢复",
            "11-23 05:00 无人确认，10 分钟后恢复",
        ]


def test_what_began_later_or_elsewhere_is_not_alike(desk_url: str) -> None:
    with opened(desk_url) as store:
        store.take("alerts", [past(1), past(2), alert(3)], 1, T0)
        assert store.became(past(2)) == []
