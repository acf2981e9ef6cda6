"""S10: what is over-age leaves, what is not stays, a second run finds nothing; logs of half a year stay.

Windows: the policies of InfluxDB (`tests/contract/test_store_policies.py`).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sql

from operations.people.audit import Said, first_broken
from operations.people.keep import AUDIT_LEAST_DAYS, DAY_MS, KEEP_DAYS, keep_days, older_than_ms
from operations.store.case_tables import CASE_ALERTS
from operations.store.check_in_tables import CHECK_INS
from operations.store.expiry import ExpiryRows
from operations.store.tables import ACTIONS, ALERTS, FAILED_SIGN_INS, OUTBOX, SESSIONS
from schemas.errors import SettingsError
from schemas.topics import TOPICS
from taishi.retention import Retention
from taishi.settings import load_settings

NOW = 1_800_000_000_000
OLDEST_DAYS = 400
KEPT = keep_days(
    {"sessions": 30, "failed_sign_ins": 90, "notifications": 183, "check_ins": 200, "alerts": 365}
)
SAID = Said(at_ms=NOW, who="retention", terminal="", what="retention.expire")
TIME = {"sessions": SESSIONS.c.seen_ms, "failed_sign_ins": FAILED_SIGN_INS.c.at_ms,
        "notifications": OUTBOX.c.due_ms, "check_ins": CHECK_INS.c.at_ms,
        "alerts": ALERTS.c.changed_ms}  # fmt: skip


def row(name: str, number: int, at_ms: int) -> dict[str, object]:
    """A row of that age that is over, and so may leave."""
    return {
        "sessions": {"token_hash": f"{number:064}", "person": "wang", "terminal": "phone", "begun_ms": at_ms,
                     "seen_ms": at_ms},
        "failed_sign_ins": {"person": "wang", "at_ms": at_ms},
        "notifications": {"key": f"n{number}", "alert_id": "", "person": "wang", "step": 0, "due_ms": at_ms,
                          "sent_ms": at_ms, "state": "sent"},
        "check_ins": {"id": f"c{number}", "point": "gate", "person": "wang", "name": "王", "at_ms": at_ms,
                      "longitude": 120.0, "latitude": 36.0, "distance_m": 1.0, "note": ""},
        "alerts": {"id": f"{number:032}", "body": b"", "revision": 1, "first_seen_ms": at_ms, "open": False,
                   "changed_ms": at_ms},
    }[name]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ExpiryRows]:
    made = ExpiryRows(f"sqlite:///{tmp_path / 'desk.db'}")
    yield made
    made.close()


def put(store: ExpiryRows, name: str, rows: list[dict[str, object]]) -> None:
    with store._engine.begin() as connection:
        connection.execute(sql.insert(TIME[name].table), rows)


def times(store: ExpiryRows, name: str) -> list[int]:
    with store._engine.connect() as connection:
        return sorted(connection.execute(sql.select(TIME[name])).scalars())


def test_over_age_leaves_under_age_stays_and_a_second_run_finds_nothing(
    store: ExpiryRows, sized: Callable[[int], int]
) -> None:
    chance, wanted, expected = random.Random(10), {}, {}
    for name in KEPT:
        edges = [NOW - round(KEPT[name] * DAY_MS) + off for off in (-1, 0, 1)]
        ages = [chance.randint(0, OLDEST_DAYS * DAY_MS) for _ in range(sized(10_000) // len(KEPT))]
        at = [*edges, *(NOW - age for age in ages)]
        put(store, name, [row(name, number, moment) for number, moment in enumerate(at)])
        wanted[name] = sorted(each for each in at if each >= older_than_ms(KEPT, NOW)[name])
        expected[name] = len(at) - len(wanted[name])
    before_ms = older_than_ms(KEPT, NOW)
    assert store.over_age(before_ms) == expected
    assert store.expire(before_ms, SAID) == expected
    assert {name: times(store, name) for name in KEPT} == wanted
    assert store.expire(before_ms, SAID) == dict.fromkeys(KEPT, 0)
    told = [(each.said.of, each.said.detail.split()[0]) for each in store.entries()]
    assert told == [(name, str(count)) for name, count in expected.items()]
    assert first_broken(store.entries()) == ""


def test_what_stands_waits_or_belongs_to_a_case_stays_however_old(store: ExpiryRows) -> None:
    put(store, "alerts", [row("alerts", n, 0) | {"open": n == 1} for n in range(4)])
    waiting = row("notifications", 0, 0) | {"state": "waiting", "alert_id": f"{2:032}", "sent_ms": 0}
    put(store, "notifications", [waiting])
    put(store, "sessions", [row("sessions", 0, 0) | {"terminal": "wall"}])
    action = {"id": "a", "kind": "comment", "alert_id": f"{0:032}", "rule": "", "place": "", "device": "",
              "by": "王", "second": "", "at_ms": 0, "until_ms": 0, "count": 0, "why": ""}  # fmt: skip
    with store._engine.begin() as connection:
        connection.execute(sql.insert(CASE_ALERTS).values(alert_id=f"{3:032}", case_id="c"))
        connection.execute(sql.insert(ACTIONS), [action, action | {"id": "b", "alert_id": f"{3:032}"}])
    gone = store.expire(older_than_ms(KEPT, NOW), SAID)
    assert gone == dict.fromkeys(KEPT, 0) | {"alerts": 1}
    with store._engine.connect() as connection:
        assert list(connection.execute(sql.select(ACTIONS.c.id)).scalars()) == ["b"]
        assert sorted(connection.execute(sql.select(ALERTS.c.id)).scalars()) == [
            f"{n:032}" for n in (1, 2, 3)
        ]


def test_a_death_amid_a_run_leaves_no_table_gone_untold_and_the_next_run_does_the_rest(
    store: ExpiryRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in KEPT:
        put(store, name, [row(name, 0, 0)])
    write = ExpiryRows._record

    def dies_at_check_ins(rows: ExpiryRows, connection: sql.Connection, said: Said) -> object:
        if said.of == "check_ins":
            raise RuntimeError("killed")
        return write(rows, connection, said)

    with monkeypatch.context() as broken:
        broken.setattr(ExpiryRows, "_record", dies_at_check_ins)
        with pytest.raises(RuntimeError, match="killed"):
            store.expire(older_than_ms(KEPT, NOW), SAID)
    assert {each.said.of for each in store.entries()} == {"sessions", "failed_sign_ins", "notifications"}
    assert times(store, "check_ins") == [0]
    rest = store.expire(older_than_ms(KEPT, NOW), SAID)
    assert rest == dict.fromkeys(KEPT, 0) | {"check_ins": 1, "alerts": 1}


def test_the_record_loses_nothing_and_logs_of_the_network_stay_half_a_year(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    store = ExpiryRows(url)
    store.record(Said(at_ms=NOW - 3000 * DAY_MS, who="wang", terminal="cli", what="people.add"))
    Retention(url, keep_days({}), lambda: NOW).look()
    assert store.head().number == 1
    store.close()
    assert AUDIT_LEAST_DAYS == 183
    assert KEEP_DAYS["notifications"] >= AUDIT_LEAST_DAYS
    kept_ms = int(TOPICS["acts"].config["retention.ms"])
    assert kept_ms >= AUDIT_LEAST_DAYS * DAY_MS


def test_a_database_that_takes_nothing_ends_no_desk_and_is_tried_again(
    tmp_path: Path, store: ExpiryRows
) -> None:
    with store._engine.begin() as connection:
        connection.execute(sql.text("CREATE TRIGGER full BEFORE INSERT ON progress "
                                    "BEGIN SELECT RAISE(ABORT, 'disk full'); END"))  # fmt: skip
    put(store, "failed_sign_ins", [row("failed_sign_ins", 0, 0)])
    waits: list[float] = []

    class Twice(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            if len(waits) == 1:
                with store._engine.begin() as connection:
                    connection.execute(sql.text("DROP TRIGGER full"))
            return len(waits) > 1 and (self.set() or True)

    Retention(f"sqlite:///{tmp_path / 'desk.db'}", KEPT, lambda: NOW).run(Twice())
    assert waits == [600, 86_400]
    assert times(store, "failed_sign_ins") == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"notifications": 90}, r"desk_keep_days\.notifications: received 90, allowed: at least 183"),
        ({"sessions": 1}, r"desk_keep_days\.sessions: received 1, allowed: at least 8"),
        (
            {"alerts": 100},
            r"desk_keep_days\.alerts: received 100, allowed: at least as long as notifications",
        ),
        ({"audit": 30}, "desk_keep_days: received 'audit', allowed: alerts, check_ins"),
    ],
)
def test_too_short_a_time_and_what_is_none_are_refused_at_the_start(
    given: dict[str, float], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        load_settings(desk_keep_days=given)
