"""What a GA/T 1400 sender is told: a `ResponseStatusListObject` with a status for each thing it sent. Pure.

Codes as public implementations of GA/T 1400.4 use them; the standard's text was not at hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Final

import msgspec

from connectors.base import Answer, Message, Rejected
from schemas.quarantine import Reason

__all__ = ["CONTENT_TYPE", "status_list"]

CONTENT_TYPE: Final = "application/VIID+JSON;charset=UTF-8"
_OK: Final = 0
_OTHER: Final = 1
_FORMAT: Final = 7
_CONTENT: Final = 8
_CODES: Final = {
    Reason.MALFORMED: _FORMAT,
    Reason.ENCODING: _FORMAT,
    Reason.UNKNOWN_DEVICE: _OTHER,
    Reason.UNKNOWN_PLACE: _OTHER,
}


def status_list(
    message: Message,
    items: Iterable[tuple[str, Rejected | None]],
    zone: tzinfo | None,
    *,
    taken: bool,
    numbers: bool,
) -> Answer:
    """`items` are ids as the sender gave them, each with why it was refused; `taken`: some of them was not.

    `numbers`: StatusCode as a number, not as text.
    """
    at = datetime.fromtimestamp(message.received_at_ms / 1000, UTC).astimezone(zone)
    statuses = [
        {
            "RequestURL": message.address,
            "StatusCode": _code(refused) if numbers else str(_code(refused)),
            "StatusString": "OK" if refused is None else f"{refused.reason.value}: {refused.detail}"[:200],
            "Id": name,
            "LocalTime": at.strftime("%Y%m%d%H%M%S"),
        }
        for name, refused in items
    ]
    said = {"ResponseStatusListObject": {"ResponseStatusObject": statuses}}
    return Answer(200 if taken else 422, msgspec.json.encode(said), CONTENT_TYPE)


def _code(refused: Rejected | None) -> int:
    return _OK if refused is None else _CODES.get(refused.reason, _CONTENT)
