"""The boards as files: one JSON a board in `dashboards/rendered`, the same for the same code and settings."""

from __future__ import annotations

from collections.abc import Iterable

from dashboards.build import rendered
from dashboards.model import Board

__all__ = ["file_name", "files"]


def file_name(board: Board) -> str:
    """`taishi-parking.json`."""
    return f"{board.uid}.json"


def files(boards: Iterable[Board]) -> dict[str, str]:
    """File name -> the text it must hold."""
    return {file_name(board): rendered(board) for board in boards}
