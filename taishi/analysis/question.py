"""What is asked for: figures of places of a level, by windows of a size, over a period. Pure.

A `Wish` is what somebody typed; `resolve` makes a `Question` of it, or says what is allowed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from operations.outgoing.masking import BASES, K
from schemas.calendar import local
from schemas.errors import SettingsError, received_allowed
from schemas.kinds import DOMAINS, Domain
from schemas.places.model import DEFAULT_SCHEME, LEVELS, Level, Place
from schemas.places.registry import PlaceRegistry
from schemas.store import policy_of, window_for, window_name
from taishi.analysis.figures import Figure, figures_named
from taishi.analysis.period import Period, When, period

__all__ = ["Known", "Question", "Wish", "checked_small_counts", "places_named", "resolve"]

SETTLED: Final = timedelta(seconds=60)
"""How long after its end a window is surely written (`delay_s` and the way)."""
_SIZE: Final = re.compile(r"([1-9]\d{0,4})([smh])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody typed. `small_counts`: counts of fewer than five people too (`checked_small_counts`)."""

    metrics: Sequence[str]
    domain: str | None = None
    level: str | None = None
    places: Sequence[str] = ()
    since: When | None = None
    until: When | None = None
    window: str | None = None
    small_counts: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known when a wish is judged.

    `places`: those of every grid layer, the newest first, so that what is no more can be asked for too.
    """

    places: Sequence[PlaceRegistry]
    now: datetime
    sizes_s: Sequence[int]
    keep_days: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """Figures of one domain, for the places of `level` that lie in one of `within`."""

    figures: tuple[Figure, ...]
    level: Level
    within: tuple[Place, ...]
    period: Period
    window_s: int
    small_counts: bool

    @property
    def domain(self) -> Domain:
        """The one domain of the figures."""
        return self.figures[0].domain

    @property
    def window_ms(self) -> int:
        """Length of a window."""
        return self.window_s * 1000

    @property
    def extent_ms(self) -> tuple[int, int]:
        """Start of the first and end of the last window that lies whole in the period."""
        return (
            -(-self.period.from_ms // self.window_ms) * self.window_ms,
            self.period.to_ms // self.window_ms * self.window_ms,
        )

    def takes(self, place: str) -> bool:
        """Whether the place (a code) is of the level asked for and lies in one of those asked for."""
        return len(place) == DEFAULT_SCHEME.length(self.level) and place.startswith(self._codes)

    @property
    def _codes(self) -> tuple[str, ...]:
        return tuple(place.code for place in self.within)

    @property
    def masked(self) -> bool:
        """Whether counts of few people are left out of it."""
        return self.domain in BASES and not self.small_counts


def resolve(wish: Wish, known: Known) -> Question:
    """The question; SettingsError names what was received and what is allowed."""
    figures = figures_named(wish.metrics, _domain(wish.domain))
    within = places_named(wish.places, known.places) or tuple(known.places[0].at("district"))
    when = period(wish.since, wish.until, known.now, SETTLED)
    question = Question(
        figures=figures,
        level=_level(wish.level, within),
        within=within,
        period=when,
        window_s=_window_s(wish.window, when, known),
        small_counts=wish.small_counts,
    )
    if question.extent_ms[0] >= question.extent_ms[1]:
        raise SettingsError(
            f"period: received {when.told()}, shorter than a window of {window_name(question.window_s)}"
        )
    _check_people(question)
    return question


def places_named(texts: Sequence[str], places: Sequence[PlaceRegistry]) -> tuple[Place, ...]:
    """The places of these codes or names; SettingsError for one that is none."""
    return tuple(_place(text, places) for text in texts)


def checked_small_counts(wanted: bool, *, allowed: bool) -> bool:
    """Whether counts of few people are given; SettingsError if wanted and not allowed here."""
    if wanted and not allowed:
        raise SettingsError(
            f"small counts: received a wish for counts of fewer than {K} people, which this installation "
            "does not give; who answers for the residents' data allows it by the setting export_small_counts"
        )
    return wanted


def _check_people(question: Question) -> None:
    """Only counts that can be masked are given where counts of few people are not."""
    allowed = BASES[question.domain] if question.masked else {}
    for figure in question.figures if question.masked else ():
        if figure.name not in allowed:
            raise SettingsError(
                received_allowed(f"metric of {question.domain}", figure.name, allowed)
                + "; the others may tell of single people and need small counts (docs/analysis.md)"
            )


def _domain(text: str | None) -> Domain | None:
    if text is None:
        return None
    for domain in DOMAINS:
        if domain == text:
            return domain
    raise SettingsError(received_allowed("domain", text, DOMAINS))


def _level(text: str | None, within: Sequence[Place]) -> Level:
    """What is said, else the level of the places; none of them may lie below it."""
    deepest = max(within, key=lambda place: LEVELS.index(place.level))
    if text is None:
        return deepest.level
    for level in LEVELS:
        if level == text:
            if LEVELS.index(level) < LEVELS.index(deepest.level):
                raise SettingsError(
                    received_allowed("level", text, LEVELS[LEVELS.index(deepest.level) :])
                    + f" for {deepest.level} {deepest.code}"
                )
            return level
    raise SettingsError(received_allowed("level", text, LEVELS))


def _place(text: str, places: Sequence[PlaceRegistry]) -> Place:
    """By code, or by a name that only one has."""
    for registry in places:
        if (place := registry.place(text)) is not None:
            return place
    known = [place for level in LEVELS for place in places[0].at(level)]
    named = [place for place in known if place.name == text]
    if len(named) == 1:
        return named[0]
    if named:
        raise SettingsError(received_allowed("place", text, (f"{p.code} ({p.level})" for p in named)))
    near = difflib.get_close_matches(text, [word for p in known for word in (p.name, p.code)], 3, 0.5)
    raise SettingsError(
        received_allowed("place", text, near or ["a code or name of `taishi places list`"])
        + (" … (taishi places list)" if near else "")
    )


def _window_s(text: str | None, when: Period, known: Known) -> int:
    back_s = known.now.timestamp() - when.from_ms / 1000
    window_s = (
        window_for(when.span_s, back_s, known.keep_days) if text is None else _size_s(text, known.sizes_s)
    )
    keep_s = policy_of(window_s, known.keep_days).keep_s
    if back_s > keep_s:
        raise SettingsError(_too_old(window_s, keep_s, back_s, when, known))
    return window_s


def _size_s(text: str, sizes_s: Sequence[int]) -> int:
    found = _SIZE.fullmatch(text)
    size_s = int(found[1]) * _SECONDS[found[2]] if found else 0
    if size_s not in sizes_s:
        raise SettingsError(received_allowed("window", text, map(window_name, sizes_s)))
    return size_s


def _too_old(window_s: int, keep_s: int, back_s: float, when: Period, known: Known) -> str:
    since = local(round((known.now.timestamp() - keep_s) * 1000))
    told = (
        f"from: received {local(when.from_ms):%Y-%m-%d %H:%M}; windows of {window_name(window_s)} are kept "
        f"for {keep_s / 86_400:g} days, now since {since:%Y-%m-%d %H:%M}"
    )
    reach = [size for size in known.sizes_s if policy_of(size, known.keep_days).keep_s >= back_s]
    return told + (
        f"; windows of {window_name(min(reach))} reach so far back" if reach else "; none are older"
    )
