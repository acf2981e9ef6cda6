"""A workbook (.xlsx) as text: sheets, rows, merged cells unfolded downwards. Reads a file, judges nothing."""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import openpyxl
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from schemas.errors import SettingsError

__all__ = ["Row", "Sheet", "cleaned", "read_workbook"]

_ROWS_MOST: Final = 50_000
_COLUMNS_MOST: Final = 50


class Row(msgspec.Struct, frozen=True):
    """A row by its number in the sheet; `cells` are cleaned texts, "" where nothing is."""

    number: int
    cells: tuple[str, ...]


class Sheet(msgspec.Struct, frozen=True):
    """A sheet with its rows that hold anything."""

    name: str
    rows: tuple[Row, ...]


def read_workbook(path: Path) -> list[Sheet]:
    """All sheets that are shown; SettingsError where the file is no workbook."""
    try:
        book = openpyxl.load_workbook(path, data_only=True)
    except (OSError, InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise SettingsError(f"{path}: received a file that is no .xlsx workbook ({error})") from error
    try:
        return [_sheet(sheet) for sheet in book.worksheets if sheet.sheet_state == "visible"]
    finally:
        book.close()


def cleaned(value: object) -> str:
    """The text of a cell, each of its lines without blanks around it, no empty line."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    text = f"{value:g}" if isinstance(value, float) else str(value)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _sheet(sheet: Worksheet) -> Sheet:
    if sheet.max_row > _ROWS_MOST:
        words = f"received {sheet.max_row} rows, allowed: up to {_ROWS_MOST}"
        raise SettingsError(f"sheet {sheet.title!r}: {words}")
    columns = min(sheet.max_column, _COLUMNS_MOST)
    covered = _merged(sheet)
    rows = (
        Row(number, tuple(cleaned(covered.get((number, at + 1), cell)) for at, cell in enumerate(cells)))
        for number, cells in enumerate(sheet.iter_rows(max_col=columns, values_only=True), start=1)
    )
    return Sheet(sheet.title.strip(), tuple(row for row in rows if any(row.cells)))


def _merged(sheet: Worksheet) -> dict[tuple[int, int], object]:
    """(row, column) of the first column of each merged range -> what stands in its corner."""
    return {
        (row, found.min_col): sheet.cell(found.min_row, found.min_col).value
        for found in sheet.merged_cells.ranges
        for row in range(found.min_row, found.max_row + 1)
    }
