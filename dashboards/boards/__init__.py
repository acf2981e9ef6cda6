"""Every board there is, one module each; `boards` builds them for an installation."""

from __future__ import annotations

from dashboards.boards import parking
from dashboards.context import Context
from dashboards.model import Board

__all__ = ["boards"]

_MAKERS = (parking.board,)


def boards(context: Context) -> tuple[Board, ...]:
    """All boards, in the order people meet them."""
    return tuple(make(context) for make in _MAKERS)
