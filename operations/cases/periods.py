"""Periods of an evaluation: year, quarter, month, week, day, any days; the one before, last year's. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from schemas.calendar import ZONE
from schemas.errors import SettingsError

__all__ = ["Period", "parse_period"]

_MONTHS: Final = 12
_FORM: Final = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?|[Qq](?P<quarter>[1-4])|-?W(?P<week>\d\d))?"
)


@dataclass(frozen=True, slots=True)
class Period:
    """From the begin of its first day to before the begin of `until`, by the district's clock.

    `months`: how many whole months it is, 0 if it is none; so the month before March is February.
    """

    first: date
    until: date
    months: int = 0

    @property
    def from_ms(self) -> int:
        """Its begin."""
        return _ms(self.first)

    @property
    def until_ms(self) -> int:
        """Its end, which is not in it."""
        return _ms(self.until)

    def holds(self, at_ms: int) -> bool:
        """Whether the moment is in it."""
        return self.from_ms <= at_ms < self.until_ms

    def before(self) -> Period:
        """The one before it, as long (环比)."""
        if self.months:
            return Period(_moved(self.first, -self.months), self.first, self.months)
        return Period(self.first - (self.until - self.first), self.first)

    def last_year(self) -> Period:
        """The same a year ago (同比); of weeks and days the same days of the calendar."""
        return Period(_moved(self.first, -_MONTHS), _moved(self.until, -_MONTHS), self.months)

    def __str__(self) -> str:
        return f"{self.first} … {self.until - timedelta(days=1)}"


def parse_period(text: str) -> Period:
    """`2026`, `2026Q4`, `2026-11`, `2026-W47`, `2026-11-16`, `2026-11-01..2026-11-15`; SettingsError else."""
    first, dots, last = text.partition("..")
    period: Period | None = None
    try:
        if dots:
            period = Period(date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1))
        else:
            period = _named(text)
    except ValueError:
        pass  # a day that is none: refused below, as what is no period at all
    if period is None or period.first >= period.until:
        allowed = "2026, 2026Q4, 2026-11, 2026-W47, 2026-11-16, 2026-11-01..2026-11-15"
        raise SettingsError(f"period: received {text!r}, allowed: {allowed}")
    return period


def _named(text: str) -> Period | None:
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    year = int(found["year"])
    if found["week"]:
        monday = date.fromisocalendar(year, int(found["week"]), 1)
        return Period(monday, monday + timedelta(days=7))
    if found["day"]:
        day = date(year, int(found["month"]), int(found["day"]))
        return Period(day, day + timedelta(days=1))
    months = 1 if found["month"] else 3 if found["quarter"] else _MONTHS
    begin = int(found["month"] or 0) or (int(found["quarter"]) * 3 - 2 if found["quarter"] else 1)
    first = date(year, begin, 1)
    return Period(first, _moved(first, months), months)


def _moved(day: date, months: int) -> date:
    """So many months on; the last day of a month where the month has no such day."""
    year, month = divmod(day.year * _MONTHS + day.month - 1 + months, _MONTHS)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp()) * 1000
