"""What is done only when it is in the record: the reading of who somebody is, and refusals that matter.

While the record takes nothing the register is closed (503). The one declared exception is life safety: who
calls for help is told of, and the asking waits in the spool (`operations.people.spool`) with the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from fastapi import HTTPException
from msgspec.structs import replace
from sqlalchemy.exc import SQLAlchemyError

from operations.people.audit import Said

if TYPE_CHECKING:
    from operations.desk.state import Desk

__all__ = ["note", "record_first"]

_LOG = structlog.get_logger(__name__)


def record_first(desk: Desk, said: Said, *, life_safety: bool) -> None:
    """Write it down; 503 where that cannot be, but for life safety, which the spool keeps."""
    try:
        _record(desk, said)
    except SQLAlchemyError as error:
        why = f"the record takes nothing ({type(error).__name__})"
        if life_safety and _spooled(desk, replace(said, detail=f"{said.detail}; life safety: {why}")):
            return
        words = "审计不可用，名册关闭 the register is closed while the record takes nothing: try again later"
        raise HTTPException(503, words) from error


def note(desk: Desk, said: Said) -> None:
    """Write down what was refused: it is refused in any case, so the spool will do, or the log."""
    try:
        _record(desk, said)
    except SQLAlchemyError as error:
        if not _spooled(desk, said):
            _LOG.error("a refusal is in no record", who=said.who, of=said.of, why=type(error).__name__)


def _record(desk: Desk, said: Said) -> None:
    """What waits comes first: the record is in the order in which things were."""
    if desk.spool is not None:
        desk.spool.give(desk.store)
    desk.store.record(said)


def _spooled(desk: Desk, said: Said) -> bool:
    if desk.spool is None:
        return False
    try:
        desk.spool.add(said)
    except OSError as error:
        _LOG.error("the spool takes nothing either", why=str(error))
        return False
    return True
