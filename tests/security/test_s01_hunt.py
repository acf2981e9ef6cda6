"""S1, the hunter: what is planted is found, in each form; else "nothing found" would say nothing."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pytest
import zstandard

from tests.security.hunt import Hunt

MARK = "欧阳金丝雀"
HUNT = Hunt((MARK, "62220913"))
NAME = f"前面{MARK}后面"


def snappy(data: bytes) -> bytes:
    return pa.compress(data, codec="snappy", asbytes=True)


def lengthened(block: bytes) -> bytes:
    return struct.pack(">I", len(block)) + block


CODED: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda raw: raw,
    "base64, first": base64.b64encode,
    "base64, second": lambda raw: base64.b64encode(b"x" + raw),
    "base64, third": lambda raw: base64.urlsafe_b64encode(b"xx" + raw),
    "hex": lambda raw: raw.hex().encode(),
    "HEX": lambda raw: raw.hex().upper().encode(),
    "percent": lambda raw: quote(raw).encode(),
    "every byte percent": lambda raw: "".join(f"%{byte:02x}" for byte in raw).encode(),
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "lz4": lambda raw: pa.compress(raw, codec="lz4", asbytes=True),
    "snappy of Java": lambda raw: (
        b"\x82SNAPPY\0" + b"\0" * 8 + struct.pack(">I", len(snappy(raw))) + snappy(raw)
    ),
    "gzip in base64 is found only opened": lambda raw: gzip.compress(base64.b64encode(raw)),
}


@pytest.mark.parametrize("characters", ["utf-8", "gb18030", "utf-16-le"])
@pytest.mark.parametrize("coded", CODED)
def test_what_is_planted_is_found(coded: str, characters: str) -> None:
    raw = (NAME * 50).encode(characters)
    assert HUNT.within(b"before " + CODED[coded](raw) + b" behind")
    assert HUNT.within(b"7" + CODED[coded]("电话 13962220913".encode(characters)))
    assert not HUNT.within(b"before " + CODED[coded](b"nobody 13962220814" * 50) + b" behind")


def test_text_in_json_escapes_and_in_influxdbs_log_is_found() -> None:
    assert HUNT.within(json.dumps(NAME).encode())
    entry = snappy(f'alerts title="{NAME}"'.encode() * 9)
    assert HUNT.within(b"/x/_00001.wal\x01" + lengthened(entry))


def test_files_are_found_by_content_name_and_row_and_holes_are_not_read(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**32)
        file.seek(2**31)
        file.write(NAME.encode())
    (tmp_path / NAME).touch()
    (tmp_path / "clean").write_bytes(b"nobody" * 1000)
    database = sqlite3.connect(tmp_path / "desk.db")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE cases (title TEXT)")
    database.execute("INSERT INTO cases VALUES (?)", ("x" * 4000 + NAME + "x" * 9000,))
    database.commit()
    found = {Path(path).name for path in HUNT.on(tmp_path)}
    database.close()
    assert found >= {"sparse", NAME, "desk.db"}
    assert found.isdisjoint({"clean"})
