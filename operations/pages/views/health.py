"""What the health page shows: tables of texts, made by who knows the installation."""

from __future__ import annotations

import msgspec

__all__ = ["Health", "HealthTable"]


class HealthTable(msgspec.Struct, frozen=True):
    """`columns` are (Chinese, English); `bad` are the rows that need somebody."""

    chinese: str
    english: str
    columns: list[tuple[str, str]]
    rows: list[list[str]]
    bad: list[int]


class Health(msgspec.Struct, frozen=True):
    """Whether all is well, why not, and the tables."""

    well: bool
    problems: list[str]
    tables: list[HealthTable]
