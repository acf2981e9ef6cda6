"""Running time: when so much of it has passed, and how much passed between two moments. Pure.

紧急工作时 and 自然日 run on; 工作时 and 工作日 run in the working hours of the calendar's working days
(`schemas.calendar`: holidays, make-up days, weekdays). A deadline is the first moment at which all of the
limit has run: four hours from Monday 08:00 end at 12:00, not at 14:00. What is done at the deadline itself
is in time. A deadline that reaches into a year whose calendar is not published is provisional.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Final, Literal

from operations.cases.limits import Limit, Unit
from operations.oncall.hours import WORKING_HOURS, Span
from schemas import calendar
from schemas.errors import SettingsError

__all__ = ["DAY_MS", "HOUR_MS", "MINUTE_MS", "Calendar", "DayEnd", "Moment", "WorkingTime"]

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
_CONTINUOUS: Final[dict[Unit, int]] = {
    "urgent_minute": MINUTE_MS,
    "urgent_hour": HOUR_MS,
    "natural_day": DAY_MS,
}
_DAYS_MOST: Final = 40 * 366
"""Beyond this no deadline lies: a calendar without working days must end too."""

DayEnd = Literal["same_minute", "end_of_day"]
"""When a limit of working days ends: at the minute of its start, or with the working time of its last day."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A deadline. `provisional`: a year it reaches into has no published calendar yet."""

    at_ms: int
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are worked, and for which years that is published; the country's own by default."""

    is_working_day: Callable[[date], bool] = calendar.is_working_day
    published: Callable[[date], bool] = calendar.published


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """The working hours of a city and its calendar, and what follows of them for limits."""

    hours: tuple[Span, ...] = WORKING_HOURS
    day_end: DayEnd = "same_minute"
    calendar: Calendar = Calendar()

    @property
    def day_ms(self) -> int:
        """How long a working day is: 8 h of 08–12 and 14–18."""
        return sum(span.minutes for span in self.hours) * MINUTE_MS

    def runs_on(self, unit: Unit) -> bool:
        """Whether time of that unit runs at night and on holidays too."""
        return unit in _CONTINUOUS

    def length_ms(self, limit: Limit) -> int:
        """How much running time the limit is."""
        units = {**_CONTINUOUS, "working_minute": MINUTE_MS, "working_hour": HOUR_MS}
        return round(limit.amount * units.get(limit.unit, self.day_ms))

    def elapsed(self, start_ms: int, end_ms: int, unit: Unit) -> int:
        """How much time of that unit ran between two moments, in ms; 0 if they are the other way round."""
        if end_ms <= start_ms:
            return 0
        if self.runs_on(unit):
            return end_ms - start_ms
        first, last = calendar.local(start_ms).date(), calendar.local(end_ms).date()
        total = (last - first).days + 1
        return sum(
            max(0, min(until_ms, end_ms) - max(from_ms, start_ms))
            for number in range(total)
            for from_ms, until_ms in self._spans(first + timedelta(days=number))
        )

    def after(self, start_ms: int, length_ms: int, unit: Unit) -> Moment:
        """The first moment at which so much time of that unit has run since the start."""
        if self.runs_on(unit) or length_ms <= 0:
            return Moment(start_ms + max(0, length_ms))
        day, left_ms = calendar.local(start_ms).date(), length_ms
        for number in range(_DAYS_MOST):
            for from_ms, until_ms in self._spans(day + timedelta(days=number)):
                begin_ms = max(from_ms, start_ms)
                if until_ms - begin_ms >= left_ms:
                    return self.moment(start_ms, begin_ms + left_ms)
                left_ms -= max(0, until_ms - begin_ms)
        raise SettingsError(f"limit: received {length_ms} ms of {unit}, allowed: what ends within 40 years")

    def deadline(self, start_ms: int, limit: Limit) -> Moment:
        """When the limit ends that began then."""
        if limit.unit == "working_day" and self.day_end == "end_of_day":
            return self._end_of_day(start_ms, limit.amount)
        return self.after(start_ms, self.length_ms(limit), limit.unit)

    def _end_of_day(self, start_ms: int, days: float) -> Moment:
        """The end of the n-th working day after the day of the start; a part of a day counts as a day."""
        day, left = calendar.local(start_ms).date(), days
        for _ in range(_DAYS_MOST):
            day += timedelta(days=1)
            if self.calendar.is_working_day(day):
                left -= 1
                if left <= 0:
                    return self.moment(start_ms, self._spans(day)[-1][1])
        raise SettingsError(f"limit: received {days:g} working days, allowed: what ends within 40 years")

    def _spans(self, day: date) -> tuple[tuple[int, int], ...]:
        """The working time of a day, in ms; none on a day that is not worked."""
        return _moments(self.hours, day) if self.calendar.is_working_day(day) else ()

    def moment(self, start_ms: int, end_ms: int) -> Moment:
        """A deadline of working time, with what is known of the years on the way to it."""
        first, last = calendar.local(start_ms), calendar.local(end_ms)
        years = range(first.year, last.year + 1)
        return Moment(end_ms, not all(self.calendar.published(date(year, 1, 1)) for year in years))


@cache
def _moments(hours: tuple[Span, ...], day: date) -> tuple[tuple[int, int], ...]:
    begin_ms = int(datetime(day.year, day.month, day.day, tzinfo=calendar.ZONE).timestamp()) * 1000
    ordered = sorted(hours, key=lambda span: span.start)
    return tuple((begin_ms + span.start * MINUTE_MS, begin_ms + span.end * MINUTE_MS) for span in ordered)
