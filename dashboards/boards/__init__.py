"""Every board there is, one module each; `boards` builds them for an installation."""

from __future__ import annotations

from dashboards.boards import alerts, care, governance, overview, parking, place, security, sources, system
from dashboards.context import Context
from dashboards.model import Board

__all__ = ["boards"]

_MAKERS = (
    overview.board,
    parking.board,
    security.board,
    care.board,
    governance.board,
    place.board,
    alerts.board,
    sources.board,
    system.board,
)


def boards(context: Context) -> tuple[Board, ...]:
    """All boards, in the order people meet them."""
    return tuple(make(context) for make in _MAKERS)
