"""Daily and weekly rhythm: how much happens at an hour, relative to the day's mean. Local time.

Sources: movement at home is the TIHM recording's table of 1,030,559 events by hour of day (Palermo
et al. 2023); streets and doors are plain assumptions of ours with two rush hours.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

__all__ = ["CHINA", "HOME_BY_HOUR", "STREET_BY_HOUR", "activity", "local_hour", "relative"]

CHINA: Final = timezone(timedelta(hours=8))

_HOME_THOUSANDS: Final = (
    *(10.0, 7.4, 7.3, 7.1, 7.4, 11.6, 19.9, 42.2, 65.0, 76.6, 69.8, 64.9),
    *(66.2, 64.9, 52.9, 51.2, 56.9, 69.2, 70.6, 57.2, 47.9, 43.8, 40.0, 20.7),
)
_STREET: Final = (*(2, 1, 1, 1, 1, 2, 5, 12, 16, 11, 9, 10, 11, 10, 9, 9, 11, 15, 16, 13, 10, 8, 5, 3),)


def relative(weights: tuple[float, ...]) -> tuple[float, ...]:
    """Weights of hours as factors whose mean is 1."""
    mean = sum(weights) / len(weights)
    return tuple(weight / mean for weight in weights)


HOME_BY_HOUR: Final = relative(_HOME_THOUSANDS)
STREET_BY_HOUR: Final = relative(_STREET)
_WEEKEND: Final = 0.8


def local_hour(now_ms: int) -> tuple[int, bool]:
    """(hour of day, whether it is Saturday or Sunday) in the district."""
    local = datetime.fromtimestamp(now_ms / 1000, CHINA)
    return local.hour, local.weekday() >= 5


def activity(by_hour: tuple[float, ...], now_ms: int) -> float:
    """The factor of the hour; less on weekends in the streets, the same at home."""
    hour, weekend = local_hour(now_ms)
    return by_hour[hour] * (_WEEKEND if weekend and by_hour is STREET_BY_HOUR else 1.0)
