"""`taishi detect`: a series in a file judged row by row, each by the rows before it only."""

from __future__ import annotations

import csv
import math
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, TextIO

import click

from pipelines.kernels.detect.stream import Stream
from schemas.calendar import ZONE
from schemas.errors import SettingsError

__all__ = ["detect"]

_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?")
_NO_VALUE: Final = frozenset({"", "nan", "na", "null", "none"})
_MILLISECONDS_FROM: Final = 1e11
"""Numbers from here on are milliseconds since 1970, smaller ones are seconds."""


@click.command()
@click.argument("file", type=click.File("r", encoding="utf-8-sig", errors="replace"))
def detect(file: TextIO) -> None:
    """异常检测。Score each row of FILE (`-`: standard input) by the rows before it.

    Reads CSV with the columns `timestamp` and `value`, writes `timestamp,value,score,alert` as it goes.
    `score` is in [0, 1] and rises with surprise; `alert` is 1 while a series is in alarm at the default
    budget. Timestamps are ISO 8601 (without an offset: Asia/Shanghai) or seconds or milliseconds since
    1970. A row without a value, or with too little before it, cannot be judged: the number of such rows is
    said on standard error at the end.
    """
    out = sys.stdout
    stream, silent, young = Stream(), 0, 0
    out.write("timestamp,value,score,alert\n")
    for stamp, text, at_ms, value in _rows(file):
        found = stream.take(at_ms, value)
        out.write(f"{stamp},{text},{found.score:.6f},{int(found.alert)}\n")
        out.flush()  # whoever feeds it live reads it live
        silent += value is None
        young += value is not None and not found.judged
    if silent or young:
        click.echo(
            f"无法判断 cannot judge: {silent} 行无值 rows without a value, "
            f"{young} 行历史不足 rows with too little before them",
            err=True,
        )


def _rows(file: Iterable[str]) -> Iterator[tuple[str, str, int, float | None]]:
    """Timestamp and value as written and as read, row by row."""
    reader = csv.reader(file)
    header = [name.strip().lower() for name in next(reader, [])]
    if "timestamp" not in header or "value" not in header:
        raise SettingsError(
            f"line 1: received columns {', '.join(header) or 'none'}, allowed: a header that names timestamp "
            "and value"
        )
    columns = header.index("timestamp"), header.index("value")
    for row in reader:
        if row:
            yield _row(reader.line_num, row, columns)


def _row(line: int, row: list[str], columns: tuple[int, int]) -> tuple[str, str, int, float | None]:
    if len(row) <= max(columns):
        raise SettingsError(f"line {line}: received {len(row)} fields, allowed: at least {max(columns) + 1}")
    stamp, text = row[columns[0]].strip(), row[columns[1]].strip()
    return stamp, text, _at_ms(line, stamp), _value(line, text)


def _at_ms(line: int, text: str) -> int:
    if _NUMBER.fullmatch(text):
        number = float(text)
        at_ms = number if abs(number) >= _MILLISECONDS_FROM else number * 1000
    else:
        at_ms = _moment(line, text).timestamp() * 1000
    if not 0 <= at_ms < 4e12:
        raise SettingsError(f"line {line}: received timestamp {text!r}, allowed: years 1970 to 2096")
    return round(at_ms)


def _moment(line: int, text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise SettingsError(
            f"line {line}: received timestamp {text!r}, allowed: ISO 8601 like 2026-11-23 08:00:00 or "
            "2026-11-23T08:00:00+08:00, seconds or milliseconds since 1970"
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=ZONE)


def _value(line: int, text: str) -> float | None:
    if text.lower() in _NO_VALUE:
        return None
    try:
        value = float(text)
    except ValueError:
        raise SettingsError(
            f"line {line}: received value {text!r}, allowed: a number, or nothing or NaN where there is none"
        ) from None
    return value if math.isfinite(value) else None
