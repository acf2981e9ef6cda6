"""T18: the desk's database after a loss of power: what it acknowledged is there, a torn end is none."""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from operations.desk.store import DeskStore
from operations.oncall.model import Notification
from operations.store.outbox import Planned
from tests.contract.oncall_fakes import T0, alert

CASES = 200 * int(os.environ.get("TAISHI_FAULT_KILLS", "1"))
PAGE, FRAME_HEAD, WAL_HEAD = 4096, 24, 32
Rows = frozenset[tuple[str, str, int]]


@dataclass
class Recorded:
    """A database and its log; how long that was and what the outbox held at each acknowledgement."""

    base: bytes
    wal: bytes = b""
    checkpointed: bytes = b""
    acknowledged: list[tuple[int, Rows]] = field(default_factory=list)

    def may_hold(self, cut: int) -> list[Rows]:
        """What a disk with so much of the log holds: all acknowledged; or what was under way, whole."""
        newest = max(n for n, (size, _) in enumerate(self.acknowledged) if size <= cut)
        return [rows for _, rows in self.acknowledged[newest : newest + 2]]


def outbox(path: Path) -> Rows:
    with closing(sqlite3.connect(path)) as found:
        assert found.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return frozenset(found.execute("SELECT key, state, sent_ms FROM notifications"))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Forty alerts known, planned, told or refused, one acknowledgement after the other."""
    path = tmp_path_factory.mktemp("desk") / "desk.db"
    DeskStore(f"sqlite:///{path}").close()  # the last one that closes it writes all into the file
    made, wal = Recorded(path.read_bytes()), Path(f"{path}-wal")
    store = DeskStore(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as reader:  # keeps the log of writes from being begun anew
        reader.execute("PRAGMA wal_autocheckpoint=0")

        def acknowledged() -> None:
            rows = frozenset(reader.execute("SELECT key, state, sent_ms FROM notifications"))
            made.acknowledged.append((wal.stat().st_size, rows))

        store.take("alerts", [], 0, T0)
        acknowledged()
        for number in range(40):
            store.take("alerts", [alert(number)], number + 1, T0 + number)
            note = Notification(f"{alert(number).id}/0/王芳", alert(number).id, "王芳", 0, T0)
            store.plan([Planned(note)], [], T0)
            acknowledged()
            if number % 2:
                store.sent(note.key, "json", T0 + number)
            else:
                store.park(note.key, "json: HTTP 400")
            acknowledged()
        made.wal = wal.read_bytes()
    store.close()
    made.checkpointed = path.read_bytes()
    return made


def cuts(recorded: Recorded) -> list[int]:
    """Every beginning and end of a page of the log's last transactions, one byte beside, and any others."""
    first = recorded.acknowledged[0][0]
    frames = range(WAL_HEAD, len(recorded.wal) + 1, FRAME_HEAD + PAGE)
    near = {cut + beside for cut in frames for beside in (-1, 0, 1, FRAME_HEAD)}
    near = {cut for cut in near if first <= cut <= len(recorded.wal)}
    chosen = random.Random(CASES).sample(sorted(near), min(CASES // 2, len(near)))
    anywhere = random.Random(CASES + 1).choices(range(first, len(recorded.wal) + 1), k=CASES - len(chosen))
    return [*chosen, *anywhere]


def test_of_a_log_cut_at_any_byte_every_acknowledged_row_is_there_and_no_half_one(
    recorded: Recorded, tmp_path: Path
) -> None:
    path, noise = tmp_path / "desk.db", random.Random(7)
    for number, cut in enumerate(cuts(recorded)):
        torn = (b"", b"\0" * PAGE, noise.randbytes(PAGE))[number % 3]
        path.write_bytes(recorded.base)
        Path(f"{path}-wal").write_bytes(recorded.wal[:cut] + torn)
        assert outbox(path) in recorded.may_hold(cut), f"cut at {cut}, then {torn[:1]!r}"
        Path(f"{path}-wal").unlink(missing_ok=True)


def test_a_loss_of_power_while_pages_go_from_the_log_into_the_file_loses_nothing(
    recorded: Recorded, tmp_path: Path
) -> None:
    """SQLite syncs the log before, and begins it anew only after it has synced the file."""
    path, chance = tmp_path / "desk.db", random.Random(3)
    after = recorded.checkpointed
    for _ in range(CASES // 10):
        pages = [
            (after if chance.random() < 0.5 else recorded.base.ljust(len(after), b"\0"))[start : start + PAGE]
            for start in range(0, len(after), PAGE)
        ]
        path.write_bytes(b"".join(pages))
        Path(f"{path}-wal").write_bytes(recorded.wal)
        assert outbox(path) == recorded.acknowledged[-1][1]
        Path(f"{path}-wal").unlink(missing_ok=True)


def test_the_product_goes_on_with_what_is_left(recorded: Recorded, tmp_path: Path) -> None:
    cut = recorded.acknowledged[31][0] + PAGE // 2
    path = tmp_path / "desk.db"
    path.write_bytes(recorded.base)
    Path(f"{path}-wal").write_bytes(recorded.wal[:cut])
    store = DeskStore(f"sqlite:///{path}")
    (waiting,) = store.to_send(T0)
    assert waiting.note.key == f"{alert(15).id}/0/王芳"
    store.sent(waiting.note.key, "json", T0)
    store.close()
    assert (waiting.note.key, "sent", T0) in outbox(path)


def test_every_connection_syncs_each_commit_before_it_is_told(tmp_path: Path) -> None:
    store = DeskStore(f"sqlite:///{tmp_path / 'desk.db'}")
    with store._engine.connect() as one, store._engine.connect() as two:
        for connection in (one, two):
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2, "2 is FULL"
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    store.close()
