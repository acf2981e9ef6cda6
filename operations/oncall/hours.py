"""Working hours and shifts: spans of the district's clock on the days of its calendar. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from schemas.calendar import is_working_day, local
from schemas.errors import SettingsError

__all__ = ["SHIFTS", "WORKING_HOURS", "Span", "When", "parse_spans", "shift_of", "working"]

When = Literal["always", "working_hours", "non_working_hours"]
_SPAN: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to before `end`, minutes of the day; one that ends before it begins goes over midnight."""

    start: int
    end: int

    def holds(self, moment: datetime) -> bool:
        """Whether the moment is in it."""
        minute = moment.hour * 60 + moment.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    @property
    def minutes(self) -> int:
        """How long it is."""
        return (self.end - self.start) % _DAY or _DAY

    def __str__(self) -> str:
        return "{:02}:{:02}-{:02}:{:02}".format(*divmod(self.start, 60), *divmod(self.end, 60))


WORKING_HOURS: Final = (Span(8 * 60, 12 * 60), Span(14 * 60, 18 * 60))
SHIFTS: Final = (Span(8 * 60, 20 * 60), Span(20 * 60, 8 * 60))


def parse_spans(name: str, given: Sequence[str], *, whole_day: bool = False) -> tuple[Span, ...]:
    """`["08:00-12:00", …]` to spans; SettingsError names the one that is none, or overlaps another.

    `whole_day`: they must fill the day (shifts), else none may go over midnight (working hours).
    """
    spans = tuple(_span(f"{name}[{number}]", text) for number, text in enumerate(given))
    held = [minute for span in spans for minute in _minutes(span)]
    if len(held) != len(set(held)):
        raise SettingsError(f"{name}: received {list(given)}, of which two overlap, allowed: none that do")
    if whole_day and len(held) != _DAY:
        raise SettingsError(f"{name}: received {list(given)}, allowed: spans that fill the day")
    if not whole_day and any(span.start >= span.end for span in spans):
        raise SettingsError(f"{name}: received {list(given)}, allowed: spans within one day")
    return spans


def working(at_ms: int, hours: Sequence[Span]) -> bool:
    """Whether offices work then: a working day of the calendar, within the hours."""
    moment = local(at_ms)
    return is_working_day(moment.date()) and any(span.holds(moment) for span in hours)


def shift_of(at_ms: int, shifts: Sequence[Span]) -> Span:
    """The shift a moment is in."""
    moment = local(at_ms)
    return next(span for span in shifts if span.holds(moment))


def _span(where: str, text: str) -> Span:
    found = _SPAN.fullmatch(text)
    hours = [int(part) for part in found.groups()] if found else []
    if not hours or hours[2] * 60 + hours[3] > _DAY:
        raise SettingsError(f"{where}: received {text!r}, allowed: two times of day such as 08:00-12:00")
    return Span(hours[0] * 60 + hours[1], hours[2] * 60 + hours[3])


def _minutes(span: Span) -> range | list[int]:
    return [(span.start + minute) % _DAY for minute in range(span.minutes)]
