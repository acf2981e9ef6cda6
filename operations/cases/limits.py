"""A limit of time as cities write it: an amount and a unit. Pure.

What a unit means is fixed for four words (operations of digital city management): 紧急工作时 and 自然日 run
on, 工作时 and 工作日 run in working time. Others occur in real tables without a definition (紧急工作日, 小时,
天); who imports such a table says what they mean, else the text is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, get_args

import msgspec

from schemas.errors import SettingsError, received_allowed

__all__ = ["UNDEFINED", "UNITS", "UNIT_NAMES", "WORDS", "Limit", "Unit", "parse_limit", "parse_words"]

Unit = Literal["urgent_minute", "urgent_hour", "working_minute", "working_hour", "working_day", "natural_day"]
UNITS: Final[tuple[Unit, ...]] = get_args(Unit)
UNIT_NAMES: Final[dict[Unit, str]] = {
    "urgent_minute": "紧急工作分钟",
    "urgent_hour": "紧急工作时",
    "working_minute": "工作分钟",
    "working_hour": "工作时",
    "working_day": "工作日",
    "natural_day": "自然日",
}
WORDS: Final[dict[str, Unit]] = {
    **{name: unit for unit, name in UNIT_NAMES.items()},
    **{unit: unit for unit in UNITS},
    "紧急工作分": "urgent_minute",
    "紧急工作小时": "urgent_hour",
    "工作分": "working_minute",
    "工作小时": "working_hour",
    "个工作时": "working_hour",
    "个工作小时": "working_hour",
    "个工作日": "working_day",
    "个自然日": "natural_day",
    "个紧急工作时": "urgent_hour",
}
"""Words whose meaning is fixed."""
UNDEFINED: Final = ("紧急工作日", "个紧急工作日", "分钟", "小时", "个小时", "时", "天", "日", "个月", "月")
"""Words that occur and mean different things in different cities."""
_FORM: Final = re.compile(r"([0-9]{1,4}(?:\.5)?)\s*([^\s0-9]+)")
_MOST: Final = 9999


class Limit(msgspec.Struct, frozen=True):
    """So much of a unit; half units occur (0.5 工作日)."""

    amount: float
    unit: Unit

    def __str__(self) -> str:
        return f"{self.amount:g} {UNIT_NAMES[self.unit]}"

    def times(self, factor: float) -> Limit:
        """The same so many times."""
        return Limit(self.amount * factor, self.unit)


def parse_limit(text: str, told: Mapping[str, Unit] | None = None) -> Limit:
    """`2 紧急工作时`, `4 working_hour`; SettingsError names what is not understood, and what is allowed.

    `told`: what further words mean in this city. Nothing but the limit may stand in the text.
    """
    found = _FORM.fullmatch(text.strip())
    words = WORDS | dict(told or {})
    if found is None:
        raise SettingsError(f"limit: received {text!r}, allowed: a number and a unit, such as 4 工作时")
    amount, word = float(found[1]), found[2]
    if word not in words:
        if word in UNDEFINED:
            raise SettingsError(
                f"limit: received {text!r}, and what {word} means differs between cities; say it, for "
                f"example {word}=working_hour, allowed: {', '.join(UNITS)}"
            )
        if begins := [known for known in words if word.startswith(known)]:
            longest = max(begins, key=len)
            raise SettingsError(
                f"limit: received {text!r}, where {word.removeprefix(longest)!r} is behind {longest}; say "
                f"what that means, for example {word}={words[longest]}, or change it"
            )
        raise SettingsError(received_allowed("unit of the limit", word, [*UNIT_NAMES.values(), *UNITS]))
    if not 0 < amount <= _MOST:
        raise SettingsError(f"limit: received {text!r}, allowed: more than 0 and at most {_MOST}")
    return Limit(amount, words[word])


def parse_words(given: Mapping[str, str]) -> dict[str, Unit]:
    """What a city's own words mean, checked: a word of fixed meaning may not be given another."""
    for word, unit in given.items():
        if unit not in UNITS:
            raise SettingsError(received_allowed(f"meaning of {word!r}", unit, UNITS))
        if word in WORDS and WORDS[word] != unit:
            raise SettingsError(f"{word!r}: received {unit!r}, allowed: {WORDS[word]}, which it always means")
    return {word: unit for word, unit in given.items() if unit in UNITS}
