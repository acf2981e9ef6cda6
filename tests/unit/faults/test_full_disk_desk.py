"""T7, the outbox: a disk that is full refuses loudly and half of nothing; with room again all goes on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sql
from sqlalchemy.exc import OperationalError

from operations.desk.store import DeskStore
from tests.contract.oncall_fakes import T0, alert

ROOM_PAGES = 40


def limit(store: DeskStore, path: Path, room_pages: int) -> None:
    """Every connection from now on has so much room, as of a small disk."""
    with closing(sqlite3.connect(path)) as asked:
        (pages,) = asked.execute("PRAGMA page_count").fetchone()

    def limited(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages + room_pages}").close()

    store._engine.dispose()
    sql.event.listen(store._engine, "connect", limited)


def fill(store: DeskStore, taken: list[int]) -> None:
    """Alerts one by one, each noted once it is acknowledged."""
    for number in range(10_000):
        store.take("alerts", [alert(number)], number + 1, T0)
        taken.append(number)


def test_what_was_acknowledged_before_the_disk_was_full_is_there_and_the_rest_comes_after(
    tmp_path: Path,
) -> None:
    path = tmp_path / "desk.db"
    store, taken = DeskStore(f"sqlite:///{path}"), list[int]()
    limit(store, path, ROOM_PAGES)
    with pytest.raises(OperationalError, match="full"):
        fill(store, taken)
    assert len(taken) > ROOM_PAGES, "it was full before anything was written"
    assert store.next_offset("alerts") == len(taken), "the topic is read again from what is not known"
    assert {each.id for each in store.alerts()} == {alert(number).id for number in taken}
    with pytest.raises(OperationalError, match="full"):
        store.take("alerts", [alert(n) for n in range(len(taken), len(taken) + 500)], 0, T0)
    store.close()
    with closing(sqlite3.connect(path)) as found:
        assert found.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    again, end = DeskStore(f"sqlite:///{path}"), len(taken) + 500
    again.take("alerts", [alert(number) for number in range(len(taken), end)], end, T0)
    assert {each.id for each in again.alerts()} == {alert(number).id for number in range(end)}
    again.close()
