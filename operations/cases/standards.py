"""A city's 立案、处置和结案 standards from the rows of its workbook: each read, or refused with why. Pure.

Real tables are dirty: merged cells, trailing line breaks, limits with words behind them, units that nobody
defined. What cannot be read is refused by its row, never guessed. A class (大类, 小类) that is left empty
is that of the row above; nothing else is.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from operations.cases.limits import Limit, Unit, parse_limit
from operations.cases.model import Standard
from operations.cases.workbook import Sheet
from schemas.errors import SettingsError

__all__ = ["COLUMNS", "Imported", "RefusedRow", "read_standards"]

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "large_code": ("大类代码", "大类编码", "大类编号"),
    "large": ("大类名称", "大类"),
    "small_code": ("小类代码", "小类编码", "小类编号"),
    "small": ("小类名称", "小类"),
    "filing": ("立案条件", "立案标准", "应立案情形"),
    "limit": ("处置时限", "处置时间", "处理时限"),
    "closing": ("结案条件", "结案标准", "结案规范"),
    "total": ("整体时限", "总时限", "结案时限"),
    "post_check": ("是否核查", "处置后核查"),
}
"""Field -> what its column may be called; the last two may be missing. Other columns are not read."""
_OPTIONAL: Final = frozenset({"total", "post_check"})
_CLASS: Final = ("large_code", "large", "small_code", "small")
_CODE: Final = re.compile(r"[0-9A-Za-z.-]{1,20}")
_ANSWERS: Final = {"": False, "是": True, "否": False, "需": True, "不需": False, "yes": True, "no": False}


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that is no standard, where it stands, and why."""

    sheet: str
    row: int
    reason: str

    def __str__(self) -> str:
        return f"{self.sheet} 第 {self.row} 行 row {self.row}: {self.reason}"


class Imported(msgspec.Struct, frozen=True):
    """What a workbook holds."""

    standards: tuple[Standard, ...]
    refused: tuple[RefusedRow, ...]


def read_standards(sheets: Iterable[Sheet], units: Mapping[str, Unit] | None = None) -> Imported:
    """All standards of all sheets with their header; SettingsError where no sheet has one.

    `units`: what this city's own words mean, such as 天 or 紧急工作日.
    """
    standards, refused, seen = list[Standard](), list[RefusedRow](), list[str]()
    for sheet in sheets:
        at, columns, missing = _header(sheet)
        if missing:
            seen.append(f"{sheet.name}: missing {', '.join(missing)}")
            continue
        for found in _rows(sheet, at, columns, units or {}):
            if isinstance(found, Standard):
                standards.append(found)
            else:
                refused.append(found)
    if not standards and not refused:
        wanted = ", ".join(names[0] for field, names in COLUMNS.items() if field not in _OPTIONAL)
        raise SettingsError(
            f"workbook: received no sheet with the columns {wanted} ({'; '.join(seen) or 'empty'})"
        )
    return Imported(tuple(standards), tuple(refused))


def _header(sheet: Sheet) -> tuple[int, dict[str, int], list[str]]:
    """The header's place among the rows, field -> column, and what is missing in the best row there is."""
    best: tuple[int, dict[str, int]] = (0, {})
    for at, row in enumerate(sheet.rows):
        named = {_plain(cell): column for column, cell in enumerate(row.cells) if cell}
        columns = {
            field: named[name]
            for field, names in COLUMNS.items()
            for name in reversed(names)
            if name in named
        }
        if len(columns) > len(best[1]):
            best = (at, columns)
    missing = [names[0] for f, names in COLUMNS.items() if f not in best[1] and f not in _OPTIONAL]
    return *best, missing


def _rows(
    sheet: Sheet, header: int, columns: Mapping[str, int], units: Mapping[str, Unit]
) -> Iterator[Standard | RefusedRow]:
    held, numbers = dict.fromkeys(_CLASS, ""), Counter[str]()
    for row in sheet.rows[header + 1 :]:
        fields = {field: row.cells[column] for field, column in columns.items()}
        _take_class(held, fields)
        category = f"{sheet.name}-{held['large_code']}{held['small_code']}"
        numbers[category] += 1  # a refused row counts too: its mending must not give others another code
        code = f"{category}-{numbers[category]}"
        try:
            yield _standard(code, category, fields | held, units)
        except SettingsError as error:
            yield RefusedRow(sheet.name, row.number, str(error))


def _take_class(held: dict[str, str], fields: Mapping[str, str]) -> None:
    """A new class begins where one is named; one of another 大类 does not keep the 小类 of the row above."""
    new = {field: _plain(fields[field]) for field in _CLASS}
    if new["large_code"] and new["large_code"] != held["large_code"]:
        held.update(dict.fromkeys(_CLASS, ""))
    if new["small_code"] and new["small_code"] != held["small_code"]:
        held["small"] = ""
    held.update({field: value for field, value in new.items() if value})


def _standard(code: str, category: str, fields: Mapping[str, str], units: Mapping[str, Unit]) -> Standard:
    for field in ("large_code", "small_code"):
        if not _CODE.fullmatch(fields[field]):
            words = "allowed: up to 20 of 0-9, A-Z, . and -"
            raise SettingsError(f"{COLUMNS[field][0]}: received {fields[field]!r}, {words}")
    for field in ("large", "small", "filing", "closing", "limit"):
        if not fields[field]:
            raise SettingsError(f"{COLUMNS[field][0]}: received nothing, allowed: a text")
    answer = fields.get("post_check", "")
    if answer not in _ANSWERS:
        raise SettingsError(f"{COLUMNS['post_check'][0]}: received {answer!r}, allowed: 是, 否")
    return Standard(
        code=code,
        category=category,
        name=f"{fields['large']}/{fields['small']}",
        filing=fields["filing"].replace("\n", ""),
        closing=tuple(part.strip() for part in re.split(r"[\n;；]", fields["closing"]) if part.strip()),
        limit=_limit("limit", fields["limit"], units),
        total=_limit("total", fields["total"], units) if fields.get("total") else None,
        post_check=_ANSWERS[answer],
    )


def _limit(field: str, text: str, units: Mapping[str, Unit]) -> Limit:
    """The limit of a cell; a line break between its parts is none of its parts."""
    try:
        return parse_limit(_plain(text), units)
    except SettingsError as error:
        raise SettingsError(f"{COLUMNS[field][0]}: {error}") from error


def _plain(text: str) -> str:
    """Without blanks and line breaks, full-width digits and letters as usual ones."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
