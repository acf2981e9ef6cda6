"""From when to when, as people say it. Pure: told what time it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from schemas.calendar import ZONE
from schemas.errors import SettingsError

__all__ = ["Period", "When", "period"]

When = str | date | datetime
"""`yesterday`, `7d` (ago), `2026-11`, `2026-11-20`, `2026-11-20T08:00`; a day, or a moment."""

_AGO: Final = re.compile(r"(\d+)([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MONTH: Final = re.compile(r"(\d{4})-(\d{2})")
_ALLOWED: Final = (
    "a day (2026-11-20), a month (2026-11), a moment (2026-11-20T08:00), today, yesterday, now, or how long "
    "ago: 90m, 12h, 7d, 4w"
)


@dataclass(frozen=True, slots=True)
class Period:
    """From `from_ms` (in) to `to_ms` (out), epoch ms."""

    from_ms: int
    to_ms: int

    @property
    def span_s(self) -> float:
        """How long it is."""
        return (self.to_ms - self.from_ms) / 1000

    def told(self) -> str:
        """As the district's clocks show it, the end left out: `2026-11-20 00:00 … 2026-11-21 00:00`."""
        begin, end = (datetime.fromtimestamp(ms / 1000, ZONE) for ms in (self.from_ms, self.to_ms))
        return f"{begin:%Y-%m-%d %H:%M} … {end:%Y-%m-%d %H:%M}"


def period(
    since: When | None,
    until: When | None,
    now: datetime,
    settled: timedelta = timedelta(0),
    zone: tzinfo = ZONE,
) -> Period:
    """The period; yesterday where nothing is said, up to now where no end is. Times without offset are local.

    A day or a month at the end is in it, whole; a moment is not. What is to come is left out, and what is
    no older than `settled`.
    """
    if since is None and until is not None:
        raise SettingsError(f"from: received nothing beside to {str(until)!r}, allowed: {_ALLOWED}")
    begin = _extent("from", "yesterday" if since is None else since, now, zone)
    end = (begin[1] if since is None else now) if until is None else _extent("to", until, now, zone)[1]
    from_ms, to_ms = (round(moment.timestamp() * 1000) for moment in (begin[0], min(end, now - settled)))
    if to_ms <= from_ms:
        raise SettingsError(
            f"to: received {str(until or 'now')!r}, allowed: a time after {begin[0]:%Y-%m-%d %H:%M} (from) "
            f"and a from before now, {now.astimezone(zone):%Y-%m-%d %H:%M}"
        )
    return Period(from_ms, to_ms)


def _extent(name: str, when: When, now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """Begin and end of what is said: the same of a moment."""
    if isinstance(when, datetime):
        moment = when if when.tzinfo else when.replace(tzinfo=zone)
        return moment, moment
    if isinstance(when, date):
        return _day(when, zone)
    try:
        return _said(when.strip(), now.astimezone(zone), zone)
    except (ValueError, OverflowError):
        raise SettingsError(f"{name}: received {when!r}, allowed: {_ALLOWED}") from None


def _said(text: str, now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    words: dict[str, Callable[[], tuple[datetime, datetime]]] = {
        "now": lambda: (now, now),
        "today": lambda: _day(now.date(), zone),
        "yesterday": lambda: _day(now.date() - timedelta(days=1), zone),
    }
    if text in words:
        return words[text]()
    if ago := _AGO.fullmatch(text):
        return _extent("", now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}), now, zone)
    if month := _MONTH.fullmatch(text):
        first = date(int(month[1]), int(month[2]), 1)
        following = (first + timedelta(days=31)).replace(day=1)
        return _day(first, zone)[0], _day(following, zone)[0]
    if len(text) == len("2026-11-20"):
        return _day(date.fromisoformat(text), zone)
    return _extent("", datetime.fromisoformat(text), now, zone)


def _day(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    return (
        datetime.combine(day, time.min, zone),
        datetime.combine(day + timedelta(days=1), time.min, zone),
    )
