"""The oracle: a process of its own that nobody kills, and the ledger only it writes.

It appends to SQLite (WAL, synchronous=FULL) and answers when the rows are committed: what the ledger says was
issued was written before it was sent. Rows are never changed. It ends when whoever started it does.
`python -m tests.faults.oracle FILE` reads one JSON array a line, [table, rows], and answers with a line each.
"""

from __future__ import annotations

import json
import queue
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

TABLES: Final = {
    "issued": ("number", "id", "key", "content", "domain", "grid", "start_ms", "amount", "observed_ms",
               "alarm", "at_ms"),
    "acked": ("id", "at_ms"),
    "seen": ("stage", "id", "content", "n", "at_ms"),
    "acts": ("kind", "part", "began_ms", "ended_ms"),
}  # fmt: skip
"""What is written down; times are those of the machine's clock."""


class Oracle:
    """The process, and the way to it; may be used from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.oracle", str(path)],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._lock = threading.Lock()
        self._acks: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_acks, daemon=True)
        self._writer.start()

    def write(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Append rows; returns when they are committed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps([table, rows]).encode() + b"\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        assert answer == b"written\n", f"oracle: received {answer!r}, allowed: written"

    def acked(self, id_: str) -> None:
        """Append soon; `close` waits for all."""
        self._acks.put(id_)

    def _write_acks(self) -> None:
        while True:
            ids = [self._acks.get()]
            while not self._acks.empty():
                ids.append(self._acks.get())
            if rows := [(id_, _now_ms()) for id_ in ids if id_ is not None]:
                self.write("acked", rows)
            if None in ids:
                return

    def settled(self) -> None:
        """Wait until every acknowledgement that was told is committed."""
        self._acks.put(None)
        self._writer.join()
        self._writer = threading.Thread(target=self._write_acks, daemon=True)
        self._writer.start()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the ledger holds, read beside its writer."""
        reader = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            return reader.execute(query).fetchall()
        finally:
            reader.close()

    def close(self) -> None:
        """Commit what is left and end the process."""
        self._acks.put(None)
        self._writer.join()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def serve(path: Path) -> None:
    """Append what standard input says until it ends."""
    ledger = sqlite3.connect(path, isolation_level=None)
    ledger.execute("PRAGMA journal_mode = WAL")
    ledger.execute("PRAGMA synchronous = FULL")
    for table, columns in TABLES.items():
        ledger.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)})")
    for line in sys.stdin.buffer:
        table, rows = json.loads(line)
        marks = ", ".join("?" * len(TABLES[table]))
        ledger.execute("BEGIN")
        ledger.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - our own names
        ledger.execute("COMMIT")
        sys.stdout.write("written\n")
        sys.stdout.flush()
    ledger.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
