"""S13: who calls for help is told of while the residents' register, or the record, takes and gives nothing.

To tell an SOS nobody needs to know who it is: the way from signal to person on call knows no register.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sql

from operations.people.spool import Spool
from operations.scenarios.identity import Resident
from schemas.errors import SettingsError
from taishi.cli.desk import _residents
from taishi.settings import load_settings
from tests.contract.desk_client import GRID, NOW, Served, served
from tests.contract.oncall_fakes import Desk, oncall

LIMIT_S = 5.0
NO_RECORD = "CREATE TRIGGER no_record BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END"


def broken(_subject: str) -> Resident | None:
    raise SettingsError("residents_file /etc/taishi/residents: record 7 was changed")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Served]:
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    with served(url, identify=broken, spool=Spool(tmp_path / "spool.jsonl")) as made:
        yield made


def calls(desk: Served, count: int) -> list[str]:
    return [
        desk.raise_alert(
            "signal.sos", f"{GRID[:12]}{n:03}", domain="care", subject=f"p1-{n}", severity="life_safety",
            title=f"呼救 SOS {n}",
        )
        for n in range(count)
    ]  # fmt: skip


def test_every_call_is_told_within_seconds_while_the_register_is_down(
    desk: Served, monkeypatch: pytest.MonkeyPatch, sized: Callable[[int], int]
) -> None:
    teller, count = Desk(desk.store, oncall(), monkeypatch, NOW), sized(100)
    began_s = time.monotonic()
    calls(desk, count)
    told = teller.look()
    assert time.monotonic() - began_s < LIMIT_S
    assert sorted(head for _, head in told) == sorted(
        f"【生命安全】呼救 SOS {n} {GRID[:12]}{n:03}" for n in range(count)
    )


def test_who_asks_is_told_why_not_and_both_are_in_the_record(desk: Served) -> None:
    calls(desk, 1)
    answer = desk.client.post(
        "/api/care/residents/p1-0/identity", json={"why": "上门救助"}, headers=desk.token("care_worker")
    )
    assert (answer.status_code, "名册不可用" in answer.json()["detail"]) == (503, True)
    why, asked = desk.store.newest(2, what="care.identity")
    assert (asked.said.what, asked.said.detail) == ("care.identity", "上门救助")
    assert why.said.what == "care.identity_unanswered"
    assert "上门救助; residents_file /etc/taishi/residents: record 7 was changed" in why.said.detail


def test_calls_are_told_and_answered_while_the_record_takes_nothing(
    desk: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk.store._engine.begin() as connection:
        connection.execute(sql.text(NO_RECORD))
    calls(desk, 3)
    assert len(Desk(desk.store, oncall(), monkeypatch, NOW).look()) == 3


def test_a_desk_with_a_broken_register_starts_and_says_so_to_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, desk: Served
) -> None:
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path))
    (tmp_path / "residents").write_text("identity,name\n")
    (tmp_path / "residents").chmod(0o600)
    identify = _residents(load_settings(residents_file=tmp_path / "residents"), desk.store)
    assert identify is not None
    with pytest.raises(SettingsError, match="keys_file"):
        identify("p1-0")
