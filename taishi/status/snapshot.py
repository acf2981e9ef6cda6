"""The picture of the installation at one moment: frozen, without I/O, ready for a table or for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Check", "DomainView", "PartView", "ShardView", "Snapshot", "SourceView", "Verdict"]

Verdict = Literal["holds", "settling", "broken", "unknown"]
"""settling = differs by no more than what moved while we looked; unknown = a side could not be asked."""


@dataclass(frozen=True, slots=True)
class PartView:
    """One process, as the supervisor sees it and as its metrics answer."""

    name: str
    state: str
    well: bool
    pid: int | None = None
    restarts: int = 0
    memory_bytes: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SourceView:
    """What came of one source's messages (at the connectors) and readings (at the aggregate).

    `messages_quarantined` and `readings_quarantined` count by reason. `readings_per_s` is None
    until two looks lie apart.
    """

    name: str
    received: int = 0
    acknowledged: int = 0
    refused: int = 0
    in_flight: int = 0
    readings_forwarded: int = 0
    signals_forwarded: int = 0
    messages_quarantined: Mapping[str, int] = field(default_factory=dict)
    consumed: int = 0
    stored: int = 0
    duplicate: int = 0
    late: int = 0
    readings_quarantined: Mapping[str, int] = field(default_factory=dict)
    readings_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class ShardView:
    """One partition of the readings: how far the aggregate is behind, by records and by the clock.

    None where the worker did not say.
    """

    shard: str
    lag_records: int | None = None
    watermark_age_s: float | None = None
    checkpoint_bytes: int | None = None
    end_offset: int | None = None
    next_offset: int | None = None


@dataclass(frozen=True, slots=True)
class DomainView:
    """The district's newest window of a domain; `values` is empty where there is none.

    Not `complete`: a shard was silent, so its grids are missing from the sums.
    """

    domain: str
    start_ms: int | None = None
    window_s: int = 0
    age_s: float | None = None
    stale: bool = True
    complete: bool = True
    simulated: bool = False
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One equation that must hold, for one source or shard; `detail` has the numbers."""

    name: str
    subject: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything `taishi status` says. `problems` are the reasons why `well` is False.

    `stored_bytes`: InfluxDB on disk, by `database/policy`; empty where it does not tell.
    """

    district: str
    taken_at_ms: int
    running: bool
    parts: tuple[PartView, ...] = ()
    sources: tuple[SourceView, ...] = ()
    shards: tuple[ShardView, ...] = ()
    domains: tuple[DomainView, ...] = ()
    checks: tuple[Check, ...] = ()
    stored_bytes: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems
