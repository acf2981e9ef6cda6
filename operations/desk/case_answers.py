"""What the API says of cases. Times are milliseconds since 1970 (`_ms`), UTC; what is left out is empty."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from operations.cases.codes import STAGE_NAMES
from operations.cases.config import CaseConfig
from operations.cases.model import Entry
from operations.cases.view import CaseView
from operations.store.cases import CaseLine, Tally

__all__ = ["CaseItem", "CaseOpened", "CasePage", "CaseWhole", "items", "page_of"]


class CaseItem(CaseLine, frozen=True):
    """One line of a list, with the city's names. `overdue`: the clock that is due first is over."""

    label: str
    stage_label: str
    category_name: str
    overdue: bool


class CasePage(msgspec.Struct, frozen=True):
    """A page of a list, those first that are due first.

    `total`, `overdue`, `stages` are of the whole list; `next`: where the next page begins, "" at the end.
    """

    cases: list[CaseItem]
    total: int
    overdue: int
    stages: dict[str, int]
    next: str


class CaseWhole(CaseView, frozen=True):
    """A case whole: as it is, its clocks, its alerts, what one may do (`allowed`), and its flow log."""

    flow: list[Entry]


class CaseOpened(msgspec.Struct, frozen=True):
    """What became of a report: `opened`, `attached` to a case that is about the same, or `known` already."""

    how: str
    case: CaseWhole


def items(lines: Iterable[CaseLine], config: CaseConfig, now_ms: int) -> list[CaseItem]:
    """The lines with the city's names."""
    return [CaseItem(**msgspec.structs.asdict(line), **_words(line, config, now_ms)) for line in lines]


def page_of(lines: list[CaseLine], limit: int, tally: Tally, config: CaseConfig, now_ms: int) -> CasePage:
    """A page of at most `limit` lines; there is one more after it where `lines` has more."""
    here = lines[:limit]
    more = len(lines) > limit
    return CasePage(
        cases=items(here, config, now_ms),
        total=tally.total,
        overdue=tally.overdue,
        stages=tally.stages,
        next="{}.{}".format(*here[-1].position) if more else "",
    )


def _words(line: CaseLine, config: CaseConfig, now_ms: int) -> dict[str, Any]:
    known = config.categories.get(line.category)
    return {
        "label": config.label(line.state, line.workflow),
        "stage_label": STAGE_NAMES[line.stage],
        "category_name": known.name if known else line.category,
        "overdue": 0 < line.due_ms < now_ms,
    }
