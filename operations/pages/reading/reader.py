"""The one reader of a server: asks the store for what is new, and keeps the situation until the next look."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from operations.pages.reading.situation import Hours, Situation
from operations.pages.reading.store import Head, PagesStore
from operations.pages.views.trends import Trend, lines_of, trend
from schemas.kinds import DOMAINS, Domain
from schemas.places.model import Place

__all__ = ["Reader"]

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 3_600_000
_WRITTEN_MS: Final = 2_000
"""How long after it is due a window is in the store, usually."""


class Reader:
    """Used by one thread. What a look read stands, also when the rest of it, or a later look, fails."""

    def __init__(
        self, store: PagesStore, simulated: Callable[[Domain], frozenset[str]], delay_s: float
    ) -> None:
        self._store, self._simulated = store, simulated
        self._delay_ms = round(delay_s * 1000)
        self._heads: dict[Domain, Head] = {}
        self._hour_end_ms = 0
        self._usual_of: dict[str, int] = {}
        self._trends: dict[str, tuple[int, Trend]] = {}
        self.situation = Situation()
        """What is known, but for the alerts; the same object until something is another."""

    def read_newest(self, now_ms: int) -> bool:
        """Whether there are new windows; UnavailableError: the store does not tell all of them."""
        before = self.situation
        for domain, head in self._store.heads(now_ms).items():
            if self._heads.get(domain) != head:
                rows = self._store.window(domain, head.start_ms, self._simulated(domain))
                self.situation = replace(self.situation, now={**self.situation.now, domain: rows})
                self._heads[domain] = head
        return self.situation is not before

    def read_past(self, places: Iterable[str], now_ms: int) -> None:
        """The past hour, and the usual of these places, as far as they are others now; UnavailableError."""
        end_ms = self.minute_ms(now_ms)
        if end_ms != self._hour_end_ms:
            hour = {domain: self._store.hour(domain, end_ms, self._simulated(domain)) for domain in DOMAINS}
            self.situation, self._hour_end_ms = replace(self.situation, hour=hour), end_ms
        self._read_usual(frozenset(places), now_ms)

    def minute_ms(self, now_ms: int) -> int:
        """Where the newest minute ends that should be in the store."""
        written_ms = now_ms - self._delay_ms - _WRITTEN_MS
        return written_ms - written_ms % _MINUTE_MS

    def trend(self, place: Place, now_ms: int) -> Trend:
        """The last hours of a place, read again each minute; UnavailableError."""
        end_ms = self.minute_ms(now_ms)
        held = self._trends.get(place.code)
        if held is None or held[0] != end_ms:
            lines = lines_of(place.level)
            domains = {line.domain for line in lines}
            past = {domain: self._store.past(domain, place.code, now_ms) for domain in domains}
            usual = self.situation.usual
            hours = {domain: usual.get((domain, place.code), {}) for domain in domains}
            held = end_ms, trend(lines, past, hours, end_ms)
            self._trends[place.code] = held
        return held[1]

    def keep(self, places: Iterable[str]) -> None:
        """Forget the last hours of all other places."""
        kept = set(places)
        self._trends = {code: held for code, held in self._trends.items() if code in kept}

    def _read_usual(self, places: frozenset[str], now_ms: int) -> None:
        """What is usual in a place is read when it is first looked at, and once an hour."""
        running = now_ms // _HOUR_MS
        wanted = {place for place in places if self._usual_of.get(place) != running}
        if not wanted and self._usual_of.keys() == places:
            return
        read: dict[tuple[Domain, str], Hours] = {
            (domain, place): self._store.usual(domain, place, now_ms)
            for place in wanted
            for domain in DOMAINS
        }
        kept = {key: hours for key, hours in self.situation.usual.items() if key[1] in places}
        self._usual_of = dict.fromkeys(places, running)
        self.situation = replace(self.situation, usual=kept | read)
