"""The fields of a rule: what each may hold, by itself. A check returns the value or raises `NotAllowed`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final, get_args

from pipelines.kernels.rules.model import Spans, When
from schemas.alerts import LEVELS, SEVERITIES
from schemas.kinds import DOMAINS

__all__ = ["BOUNDS", "CHECKS", "KINDS", "REQUIRED", "NotAllowed", "allowed", "spans"]

_DAY_S: Final = 86_400
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,59}")
_PREFIX: Final = re.compile(r"[0-9]{1,20}")
_SPAN: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_PLACE_LEVELS: Final = LEVELS[1:]


class NotAllowed(Exception):  # noqa: N818 - names what was found
    """The value is none that the field may hold; the text says what is allowed."""


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 200:
        raise NotAllowed("a text of up to 200 characters")
    return value.strip()


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise NotAllowed("a name of up to 60 of a-z, 0-9 and -, a letter first")
    return value


def _choice(*allowed: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in allowed:
            raise NotAllowed(", ".join(allowed))
        return str(value)

    return check


def _levels(value: Any) -> tuple[str, ...]:
    given = value if isinstance(value, list) else [value]
    if not given or any(each not in _PLACE_LEVELS for each in given) or len(set(given)) < len(given):
        raise NotAllowed(f"{', '.join(_PLACE_LEVELS)}, or a list of them, each once")
    return tuple(given)


def _prefixes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) and _PREFIX.fullmatch(v) for v in value):
        raise NotAllowed('a list of codes, or of what they begin with, as texts: ["370202001"]')
    return tuple(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NotAllowed("a finite number")
    return float(value)


def _signed(words: str, allowed: Callable[[float], bool]) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        number = _number(value)
        if not allowed(number):
            raise NotAllowed(words)
        return number

    return check


def _seconds(least: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not least <= value <= _DAY_S or value % 60:
            raise NotAllowed(f"whole minutes in seconds (a multiple of 60), {least} to {_DAY_S}")
        return int(value)

    return check


def _figures(value: Any) -> tuple[str, ...]:
    given = value if isinstance(value, list) else [value]
    if not given or not all(isinstance(each, str) for each in given) or len(set(given)) < len(given):
        raise NotAllowed("a figure of the domain, or a list of measures whose sum is meant, each once")
    return tuple(given)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise NotAllowed("true, false")
    return value


def _needs(value: Any) -> tuple[tuple[str, float], ...]:
    if not isinstance(value, dict) or not value:
        raise NotAllowed("a table of figures and their least values: { spaces = 10 }")
    return tuple((figure, _number(least)) for figure, least in value.items())


def _members(value: Any) -> tuple[str, ...]:
    named = isinstance(value, list) and all(isinstance(each, str) for each in value)
    if not named or len(set(value)) < 2 or len(set(value)) < len(value):
        raise NotAllowed("a list of the names of two or more rules, each once")
    return tuple(value)


def spans(value: Any) -> Spans:
    """`["22:00-06:00", …]` to minutes of the day."""
    found = (
        [_SPAN.fullmatch(v) if isinstance(v, str) else None for v in value] if isinstance(value, list) else []
    )
    if not found or not all(found):
        raise NotAllowed('a list of spans of the day: ["22:00-06:00"]')
    given = tuple(_minutes(match) for match in found if match)
    if any(start == end or end > 24 * 60 for start, end in given):
        raise NotAllowed("spans that end at another time than they begin, at 24:00 at the latest")
    return given


def _minutes(match: re.Match[str]) -> tuple[int, int]:
    hours = [int(part) for part in match.groups()]
    return hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]


CHECKS: Final[dict[str, Callable[[Any], Any]]] = {
    "name": _name,
    "title": _text,
    "title_en": _text,
    "severity": _choice(*SEVERITIES),
    "domain": _choice(*DOMAINS),
    "figure": _figures,
    "per": _text,
    "level": _levels,
    "places": _prefixes,
    "above": _number,
    "below": _number,
    "at_least": _number,
    "at_most": _number,
    "rise_above": _signed("a finite number from 0", lambda number: number >= 0),
    "fall_below": _signed("a finite number up to 0: the change, which is a fall", lambda number: number <= 0),
    "over_s": _seconds(60),
    "count_over_s": _seconds(60),
    "absent_for_s": _seconds(60),
    "all_of": _members,
    "within_s": _seconds(0),
    "at_level": _choice(*_PLACE_LEVELS),
    "deadband": _signed("a finite number from 0", lambda number: number >= 0),
    "on_delay_s": _seconds(0),
    "off_delay_s": _seconds(0),
    "needs": _needs,
    "when": _choice(*get_args(When)),
    "hours": spans,
    "quiet": _flag,
    "enabled": _flag,
}
"""Field -> its check."""


def allowed(name: str) -> str:
    """What a field may hold, in words; of a field that needs a value."""
    try:
        CHECKS[name](None)
    except NotAllowed as refusal:
        return str(refusal)
    return ""


_COMMON: Final = frozenset(
    {
        *("name", "title", "title_en", "severity", "domain", "places", "on_delay_s", "off_delay_s"),
        *("when", "hours", "quiet", "enabled"),
    }
)
_LEVELS: Final = ("above", "below", "at_least", "at_most")
BOUNDS: Final = {
    "threshold": _LEVELS,
    "count": _LEVELS,
    "rate": ("rise_above", "fall_below"),
    "absence": ("absent_for_s",),
    "combination": (),
}
"""Kind -> the fields of which it has exactly one: what is compared with."""
KINDS: Final[dict[str, frozenset[str]]] = {
    "threshold": _COMMON | {"level", "figure", "per", "deadband", "needs", *BOUNDS["threshold"]},
    "rate": _COMMON | {"level", "figure", "per", "deadband", "needs", "over_s", *BOUNDS["rate"]},
    "count": _COMMON | {"level", "figure", "deadband", "needs", "count_over_s", *BOUNDS["count"]},
    "absence": _COMMON | {"level", "figure", *BOUNDS["absence"]},
    "combination": _COMMON | {"all_of", "within_s", "at_level"},
}
"""Kind -> the fields it may have."""
REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "threshold": ("domain", "level", "figure"),
    "rate": ("domain", "level", "figure", "over_s"),
    "count": ("domain", "level", "figure", "count_over_s"),
    "absence": ("domain", "level"),
    "combination": ("all_of", "within_s"),
}
"""Kind -> the fields it must have, besides name, titles and severity."""
