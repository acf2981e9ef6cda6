"""The district as an analyst meets it: questions in, frames out. Reads; never writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from connectors.registry import DeviceRegistry
from operations.influxql import InfluxQl
from operations.outgoing.masking import BASES
from schemas.calendar import ZONE, local
from schemas.kinds import Domain
from schemas.places.registry import PlaceRegistry
from schemas.store import database_of, window_name
from taishi.alerts.desk import first_acknowledged
from taishi.analysis import frames, records
from taishi.analysis.blocks import UNKNOWN, Block, Census, blocks, extent, take_census
from taishi.analysis.boundaries import Boundaries
from taishi.analysis.influx import Store
from taishi.analysis.masks import conceal
from taishi.analysis.period import When, period
from taishi.analysis.question import Known, Question, Wish, checked_small_counts, places_named, resolve
from taishi.analysis.table import chosen, schema_of, table
from taishi.devices import devices_path
from taishi.places import load_history
from taishi.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["District"]

_ANSWER_S: Final = 300.0
"""How long InfluxDB may take for one block."""


class District:
    """One district. Times of frames are Asia/Shanghai, units are in `frame.attrs["units"]`.

    Periods: `since` and `until` are a day, a month, a moment, or how long ago (`period.When`); yesterday if
    neither is given, up to now if only `since` is. Places are codes or names.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        small_counts: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings, self._clock = settings, clock
        self.small_counts = checked_small_counts(small_counts, allowed=settings.export_small_counts)
        self.boundaries = Boundaries(load_history(settings), settings.district)
        self._influx = InfluxQl(settings.influxdb_url, settings.influxdb_token, _ANSWER_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._influx.close()

    def windows(  # noqa: PLR0913 - the words of a question
        self,
        domain: str,
        metrics: str | Sequence[str],
        *,
        level: str | None = None,
        place: str | Sequence[str] = (),
        since: When | None = None,
        until: When | None = None,
        window: str | None = None,
    ) -> pd.DataFrame:
        """Figures of a domain by window and place, indexed by the window's start.

        A window that is not in the store is a row without figures (`missing`). Without `window` its size
        follows from the period. Columns: `place` and `name` (categories), the figures (counts as Int64,
        others as float64), and what is to be known of the row (`taishi.analysis.table.BEHIND`).
        """
        wish = Wish(_listed(metrics), domain, level, _listed(place), since, until, window, self.small_counts)
        question = self.question(wish)
        tables = [
            table(question, block, self.boundaries) for block in self.read(question, self.census(question))
        ]
        return frames.windows(question, tables or [schema_of(question).empty_table()])

    def alerts(
        self,
        *,
        rule: str = "",
        place: str | Sequence[str] = (),
        since: When | None = None,
        until: When | None = None,
    ) -> pd.DataFrame:
        """Alerts that began in the period, by onset; `rule` takes all that begin so (`silence.`).

        `cleared` is when the condition was over, `acknowledged` when a person took it (the desk's database
        tells); NaT if not yet. Alerts of people stand for their community and name no device, unless small
        counts are given.
        """
        when = period(since, until, self._clock())
        within = places_named(_listed(place), self._known().places)
        found = records.alerts(self._events(), when, rule, [each.code for each in within])
        told = first_acknowledged(found["id"].to_pylist(), self.settings)
        return frames.alerts(found, told, self._today(), personal=self.small_counts)

    def sources(self, *, since: When | None = None, until: When | None = None) -> pd.DataFrame:
        """The scorecard, a row a minute of each source and vendor: what came, late, twice, bad, and silence.

        The vendor `(all)` is the whole source. Counts are of the minute, shares of what came in it.
        """
        return frames.sources(records.sources(self._events(), period(since, until, self._clock())))

    def places(self, day: date | None = None) -> pd.DataFrame:
        """The places in force on a day (today): name, level, kind, parent, centre (WGS-84), area; by code."""
        return frames.places(self.boundaries.on(day) if day else self._today())

    def devices(self) -> pd.DataFrame:
        """The registered devices by id: what they are and where they stand (WGS-84).

        Of people's devices no location finer than the grid is told, and never whose they are.
        """
        return frames.devices(DeviceRegistry(devices_path(self.settings)), self._today())

    def question(self, wish: Wish) -> Question:
        """What is meant; SettingsError names what was received and what is allowed."""
        return resolve(wish, self._known())

    def census(self, question: Question) -> Census:
        """Which places have how many windows of it."""
        return take_census(self._store(question.domain), question)

    def read(self, question: Question, census: Census) -> Iterator[Block]:
        """The windows asked for, a block at a time, ascending; counts of few people are taken out."""
        names = {figure.name for figure in question.figures}
        if question.masked:
            bases = {BASES[question.domain][name] for name in names}
            names |= {name for pair in UNKNOWN.values() for name in pair if bases & set(pair)}
        for block in blocks(self._store(question.domain), question, census):
            concealed = conceal(question.domain, block, names) if question.masked else block
            yield chosen(question, concealed)

    def _known(self) -> Known:
        settings = self.settings
        return Known(
            self.boundaries.places[::-1], self._clock(), settings.window_s, settings.influxdb_keep_days
        )

    def nothing(self, question: Question) -> str:
        """Why a question has no answer: what there is instead."""
        size, places = window_name(question.window_s), ", ".join(place.code for place in question.within)
        what = f"{question.domain} by {question.level} in {places}, in windows of {size}"
        said = f"{what}: nothing from {question.period.told()}"
        first, last = extent(self._store(question.domain), question)
        if first is None or last is None:
            return f"{said}; there is none at any time (does the pipeline run: `taishi status`?)"
        return f"{said}; there is from {local(first):%Y-%m-%d %H:%M} to {local(last):%Y-%m-%d %H:%M}"

    def _today(self) -> PlaceRegistry:
        return self.boundaries.on(self._clock().astimezone(ZONE).date())

    def _events(self) -> Store:
        return Store(self._influx, self.settings.influxdb_database)

    def _store(self, domain: Domain) -> Store:
        return Store(self._influx, database_of(domain, self.settings))


def _listed(given: str | Sequence[str]) -> Sequence[str]:
    return (given,) if isinstance(given, str) else given
