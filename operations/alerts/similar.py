"""The last alerts of the same rule in the same place, and what became of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from operations.alerts.actions import OUTCOME_WORDS, Outcome
from schemas.calendar import local

__all__ = ["Similar", "similar_words"]


class Similar(msgspec.Struct, frozen=True, omit_defaults=True):
    """An earlier alert: when, how long it lasted (0: it still does), who acknowledged it and their words.

    `outcome`: what it was in the end; "" where nobody said.
    """

    id: str
    onset_ms: int
    lasted_ms: int = 0
    by: str = ""
    why: str = ""
    outcome: Outcome | Literal[""] = ""

    def words(self) -> str:
        """One line of its history."""
        answered = f"{self.by} 确认" if self.by else "无人确认"
        said = f"（{self.why}）" if self.why else ""
        ended = f"{max(1, round(self.lasted_ms / 60_000))} 分钟后恢复" if self.lasted_ms else "未恢复"
        concluded = f"，{OUTCOME_WORDS[self.outcome]}" if self.outcome else ""
        return f"{local(self.onset_ms):%m-%d %H:%M} {answered}{said}，{ended}{concluded}"


def similar_words(found: Sequence[Similar]) -> str:
    """The last ones alike in one paragraph, the newest first."""
    if not found:
        return "同地同类告警：此前没有 none alike here before"
    return f"同地同类告警 last alike: {'；'.join(each.words() for each in found)}"
