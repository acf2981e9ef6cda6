"""The working calendar of the People's Republic of China: one for detectors, rules, on-call and limits.

A day is a published holiday, else a published make-up working day (调休), else what its weekday says. The
State Council publishes a year's holidays in the November before it; PyPI `chinesecalendar` carries them.
A year that is not published yet is taken by weekday, and `published` says so: what reaches into it is
provisional. Times are of `ZONE`, whatever the machine's zone.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

import chinese_calendar
from chinese_calendar import constants

__all__ = ["DAY_KINDS", "ZONE", "DayKind", "day_kind", "holiday_name", "is_working_day", "local", "published"]

ZONE: Final = ZoneInfo("Asia/Shanghai")
DayKind = Literal["working", "weekend", "holiday", "make_up"]
DAY_KINDS: Final[tuple[DayKind, ...]] = ("working", "weekend", "holiday", "make_up")
_SATURDAY: Final = 5
_YEARS: Final = frozenset(day.year for day in constants.holidays)


def local(at_ms: int) -> datetime:
    """The moment as the district's clocks show it."""
    return datetime.fromtimestamp(at_ms / 1000, ZONE)


def published(day: date) -> bool:
    """Whether the year's holidays are known."""
    return day.year in _YEARS


@cache
def day_kind(day: date) -> DayKind:
    """What kind of day it is; of a year that is not published, by its weekday alone."""
    if day in constants.holidays:
        return "holiday"
    if day in constants.workdays:
        return "make_up"
    return "weekend" if day.weekday() >= _SATURDAY else "working"


def is_working_day(day: date) -> bool:
    """Whether offices work: a weekday that is no holiday, or a make-up day."""
    return day_kind(day) in ("working", "make_up")


def holiday_name(day: date) -> str:
    """The holiday a day belongs to, in Chinese; also of a make-up day the one it makes up for; "" if none."""
    name = constants.holidays.get(day) or constants.workdays.get(day)
    return str(chinese_calendar.Holiday(name).chinese) if name else ""
