"""Masks: personal values taken out of what is shown, by the names their format gives them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

__all__ = ["mask"]

_MASKED: Final = "***"


def mask(text: str, names: Collection[str]) -> str:
    """The text with the values of these JSON keys and XML elements or attributes replaced.

    It works on a cut or broken text too, so it goes by the look of it: what stands behind a name up to
    where such a value ends, or the text does. Names match in any case, with any namespace prefix.
    """
    if not names:
        return text
    either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    json_value = r'"(?:[^"\\]|\\.)*"?|\[[^\]]*\]?|\{[^}]*\}?|[^\s,}\]]+'
    looks = (
        (rf'("(?:{either})"\s*:\s*)(?:{json_value})', rf'\1"{_MASKED}"'),
        (rf"(<(?:[\w.-]+:)?(?:{either})(?:\s[^>]*)?>)[^<]*", rf"\1{_MASKED}"),
        (rf"(\s(?:{either})\s*=\s*)(?:\"[^\"]*\"?|'[^']*'?)", rf'\1"{_MASKED}"'),
    )
    for look, masked in looks:
        text = re.sub(look, masked, text, flags=re.IGNORECASE | re.DOTALL)
    return text
