"""A recording as rows in the order of their times, each with its original bytes.

One row is one line (no line breaks inside quotes): what is refused goes to quarantine as the line
it was. Times are read in columns; a row whose time cannot be read is kept and refused when decoded.
"""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from connectors.file.mapping import FileMapping
from schemas.errors import SettingsError, received_allowed

__all__ = ["NO_TIME_MS", "Recording", "Row", "parse_row", "read_recording"]

NO_TIME_MS: Final = -1
"""Time of a row that has none we can read."""

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Recording:
    """`lines[i]` was observed at `times_ms[i]` and stands on line `numbers[i]` of the file."""

    path: Path
    header: tuple[str, ...]
    lines: list[bytes]
    numbers: npt.NDArray[np.int64]
    times_ms: npt.NDArray[np.int64]

    def head(self, count: int | None) -> Recording:
        """The first `count` rows by time."""
        stop = len(self.lines) if count is None else count
        return Recording(self.path, self.header, self.lines[:stop], self.numbers[:stop], self.times_ms[:stop])


def read_recording(path: Path, mapping: FileMapping) -> Recording:
    """The file, sorted by time (equal times keep their order); SettingsError if it is not what is mapped."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except OSError as error:
        raise SettingsError(f"recording {str(path)!r}: {error.strerror or error}") from error
    lines = data.splitlines()
    header: tuple[str, ...] = ()
    if mapping.format == "csv" and lines:
        header = tuple(_fields(lines[0].decode(mapping.encoding), mapping.delimiter))
    _check_columns(path, mapping, header)
    first = 1 if mapping.format == "csv" else 0
    numbers = np.array([at for at in range(first, len(lines)) if lines[at].strip()], np.int64)
    kept = [lines[at] for at in numbers.tolist()]
    times_ms = _times_ms(mapping, [_time_text(line, mapping, header) for line in kept])
    order = np.argsort(times_ms, kind="stable")
    return Recording(path, header, [kept[at] for at in order.tolist()], numbers[order] + 1, times_ms[order])


def _check_columns(path: Path, mapping: FileMapping, header: tuple[str, ...]) -> None:
    missing = sorted(mapping.columns() - set(header))
    if mapping.format == "csv" and missing:
        raise SettingsError(
            f"recording {path.name!r} with mapping {mapping.name!r}: no column "
            + received_allowed("named", ", ".join(missing), header or ["(the file is empty)"])
        )


def _fields(line: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(line), delimiter=delimiter), [])


def parse_row(line: bytes, mapping: FileMapping, header: tuple[str, ...]) -> Row | None:
    """The row's columns as texts; None if the line is not what the format says."""
    try:
        if mapping.format == "ndjson":
            row = msgspec.json.decode(line)
            return {str(key): _text(value) for key, value in row.items()} if isinstance(row, dict) else None
        fields = _fields(line.decode(mapping.encoding), mapping.delimiter)
    except (msgspec.DecodeError, UnicodeDecodeError, csv.Error):
        return None
    return dict(zip(header, fields, strict=True)) if len(fields) == len(header) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _time_text(line: bytes, mapping: FileMapping, header: tuple[str, ...]) -> str:
    row = parse_row(line, mapping, header)
    return "" if row is None else row.get(mapping.time, "")


def _times_ms(mapping: FileMapping, texts: list[str]) -> npt.NDArray[np.int64]:
    """Texts to ms UTC; those without an offset are in the mapping's zone.

    An hour that the clock repeats in autumn is taken as its first, one it leaps in spring is moved forward.
    """
    column = pd.Series(texts, dtype="str")
    with_offset = column.str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$")
    times = np.full(len(texts), NO_TIME_MS, np.int64)
    aware = pd.to_datetime(column[with_offset], utc=True, errors="coerce", format="ISO8601")
    naive = pd.to_datetime(column[~with_offset], errors="coerce", format="ISO8601")
    first = np.ones(len(naive), bool)
    local = naive.dt.tz_localize(mapping.time_zone, ambiguous=first, nonexistent="shift_forward")
    for chosen, moments in ((with_offset, aware), (~with_offset, local.dt.tz_convert("UTC"))):
        known = moments.notna()
        milliseconds = moments[known].dt.as_unit("ms").astype("int64")
        times[np.flatnonzero(chosen.to_numpy())[known.to_numpy()]] = milliseconds.to_numpy()
    return times
