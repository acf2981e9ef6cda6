"""How good what a source sends is: shares of what is bad, late and double. Pure.

A connector's counts begin when it started, the aggregate's with the log; each share is taken within one of
them, never across.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from taishi.status.snapshot import SourceView

__all__ = ["Score", "scores"]


@dataclass(frozen=True, slots=True)
class Score:
    """Shares from 0 to 1; None where nothing came to take one of.

    `bad` of the messages received since the connector started, by `reasons`; `late`, `duplicate` and
    `implausible` (refused by the aggregate) of the readings consumed since the log began.
    """

    source: str
    messages: int
    bad: float | None
    reasons: tuple[tuple[str, int], ...]
    readings: int
    late: float | None
    duplicate: float | None
    implausible: float | None


def scores(sources: Iterable[SourceView]) -> list[Score]:
    """One a source that sent anything, the worst first: by what is bad, then late, then double."""
    found = [_score(source) for source in sources if source.received or source.consumed]
    return sorted(found, key=lambda s: (-(s.bad or 0), -(s.late or 0), -(s.duplicate or 0), s.source))


def _score(source: SourceView) -> Score:
    bad, refused = source.messages_quarantined, source.readings_quarantined
    return Score(
        source=source.name,
        messages=source.received,
        bad=_share(sum(bad.values()), source.received),
        reasons=tuple(sorted(bad.items(), key=lambda item: (-item[1], item[0]))),
        readings=source.consumed,
        late=_share(source.late, source.consumed),
        duplicate=_share(source.duplicate, source.consumed),
        implausible=_share(sum(refused.values()), source.consumed),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
