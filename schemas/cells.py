"""Cells of CSV files that people open in a spreadsheet. Pure."""

from __future__ import annotations

from typing import Final

__all__ = ["cell"]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\n")


def cell(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula: before one stands an apostrophe.

    What begins so may call programs or send the sheet elsewhere (OWASP, CSV injection). A carriage return
    ends a row for some readers and is not quoted by writers, so it is a line feed.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(_FORMULA) else text
