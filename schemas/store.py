"""The layout of InfluxDB: which database and which retention policy a window lies in, and which to read.

A retention policy a window size, named like the tag `window`: `10s`, `1m`, `1h`. Windows are kept the longer
the larger they are; alerts (annotations) lie in `events`. `1m` is the database's default policy, so what is
asked without a policy is minutes. On 1.8 these are retention policies of one database, on 2.x buckets
named `database/policy`, which `/query` and `/api/v2/write` take for the same thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from schemas.errors import SettingsError, received_allowed
from schemas.kinds import Domain

__all__ = [
    "DEFAULT_POLICY",
    "EVENTS",
    "HOUR_S",
    "KEEP_DAYS",
    "LONGEST_S",
    "MINUTE_S",
    "RECORDED",
    "Databases",
    "Policy",
    "bucket",
    "choose_database",
    "database_of",
    "events_policy",
    "measurement",
    "policies",
    "policy_of",
    "recorded_policy",
    "window_for",
    "window_name",
]

MINUTE_S: Final = 60
HOUR_S: Final = 3600
_DAY_S: Final = 86_400

EVENTS: Final = "events"
"""Policy of what happened at a moment: measurement `alerts`."""
RECORDED: Final = "recorded"
"""Policy of recordings at their own times: windows of all sizes, apart from the district's own."""
DEFAULT_POLICY: Final = "1m"
"""Policy of what names none: minutes, and the measurements `sources` and `taishi_canary`."""

KEEP_DAYS: Final[Mapping[str, float]] = {"10s": 7, "1m": 90, "1h": 1095, EVENTS: 1095}
"""Days by policy, where the settings say nothing else; of other sizes those of the next one above."""

LONGEST_S: Final = ((10, 3 * HOUR_S), (MINUTE_S, 36 * HOUR_S))
"""The longest span to read by windows of a size: 1,080 points a series by 10 s, 2,160 by 1 min."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A retention policy: points older than `keep_s` are dropped, a shard of `shard_s` at a time."""

    name: str
    keep_s: int

    def __post_init__(self) -> None:
        if self.keep_s < HOUR_S:
            raise SettingsError(
                f"influxdb_keep_days: received {self.keep_s / _DAY_S:g} for {self.name!r}, allowed: an hour "
                "(0.0417) or more"
            )

    @property
    def shard_s(self) -> int:
        """Length of a shard group: an hour, day, week or 30 days, so that few are held at a time."""
        for shard_s, up_to_s in ((HOUR_S, 2 * _DAY_S), (_DAY_S, 30 * _DAY_S), (7 * _DAY_S, 366 * _DAY_S)):
            if self.keep_s <= up_to_s:
                return shard_s
        return 30 * _DAY_S


class Databases(Protocol):
    """The settings that name the databases."""

    @property
    def influxdb_database(self) -> str:
        """The database of everything."""

    @property
    def influxdb_care_database(self) -> str:
        """That of the domain care, if it has one of its own; else empty."""


def window_name(window_s: int) -> str:
    """10 -> `10s`, 60 -> `1m`, 3600 -> `1h`: the tag `window`, as people write it in queries."""
    for unit_s, unit in ((HOUR_S, "h"), (MINUTE_S, "m")):
        if window_s % unit_s == 0:
            return f"{window_s // unit_s}{unit}"
    return f"{window_s}s"


def policy_of(window_s: int, keep_days: Mapping[str, float] = KEEP_DAYS) -> Policy:
    """The policy of a window size; `keep_days` by policy's name, what is not in it as in `KEEP_DAYS`."""
    name = window_name(window_s)
    like = "10s" if window_s < MINUTE_S else "1m" if window_s < HOUR_S else "1h"
    days = {like: KEEP_DAYS[like], **keep_days}
    return Policy(name, round(days.get(name, days[like]) * _DAY_S))


def events_policy(keep_days: Mapping[str, float] = KEEP_DAYS) -> Policy:
    """The policy of alerts."""
    return Policy(EVENTS, round(keep_days.get(EVENTS, KEEP_DAYS[EVENTS]) * _DAY_S))


def recorded_policy() -> Policy:
    """The policy of recordings: they are old from the beginning, so it keeps for a hundred years."""
    return Policy(RECORDED, 36_500 * _DAY_S)


def policies(sizes_s: Iterable[int], keep_days: Mapping[str, float] = KEEP_DAYS) -> tuple[Policy, ...]:
    """All that an installation with these window sizes has, the default one first."""
    windows = (policy_of(size, keep_days) for size in sorted({*sizes_s, MINUTE_S}))
    every = (*windows, events_policy(keep_days))
    names = list(dict.fromkeys([*(policy.name for policy in every), *KEEP_DAYS]))
    for name in keep_days:
        if name not in names:
            raise SettingsError(received_allowed("influxdb_keep_days", name, names))
    return tuple(sorted(every, key=lambda policy: policy.name != DEFAULT_POLICY))


def measurement(domain: Domain, window_s: int) -> str:
    """What to read in InfluxQL: `"1m"."parking"`."""
    return f'"{window_name(window_s)}"."{domain}"'


def bucket(database: str, policy: str) -> str:
    """Where to write: the bucket of a database's policy."""
    return f"{database}/{policy}"


def database_of(domain: Domain, names: Databases) -> str:
    """The database that a domain's windows lie in: care may have one, so that a token can leave it out."""
    return choose_database(domain, names.influxdb_database, names.influxdb_care_database)


def choose_database(domain: Domain, database: str, care_database: str) -> str:
    """As `database_of`, of the names themselves."""
    return (care_database if domain == "care" else "") or database


def window_for(span_s: float, back_s: float = 0.0, keep_days: Mapping[str, float] = KEEP_DAYS) -> int:
    """The window size in s by which to read `span_s` that begin `back_s` ago (at least `span_s`).

    The smallest that gives some 2,000 points a series at most and is kept so long; hours beyond.
    """
    for window_s, longest_s in LONGEST_S:
        if span_s <= longest_s and max(span_s, back_s) <= policy_of(window_s, keep_days).keep_s:
            return window_s
    return HOUR_S
