"""What operators read: 简体中文 first, English second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.kinds import Domain

__all__ = ["DOMAINS_WORDS", "LEVEL_WORDS", "NO_DATA", "SEVERITY_WORDS", "Words"]


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages."""

    chinese: str
    english: str

    def __str__(self) -> str:
        return f"{self.chinese} {self.english}"


NO_DATA: Final = "无数据 no data"
"""What a panel without data says."""

DOMAINS_WORDS: Final[dict[Domain, Words]] = {
    "parking": Words("停车", "parking"),
    "security": Words("安防", "security"),
    "care": Words("养老", "care"),
    "governance": Words("治理", "governance"),
}
LEVEL_WORDS: Final[dict[str, Words]] = {
    "district": Words("全区", "district"),
    "street": Words("街道", "street"),
    "community": Words("社区", "community"),
    "grid": Words("网格", "grid"),
}
SEVERITY_WORDS: Final[dict[str, Words]] = {
    "low": Words("低", "low"),
    "medium": Words("中", "medium"),
    "high": Words("高", "high"),
    "life_safety": Words("生命安全", "life safety"),
}
