"""The raw answers of one look, before anything is concluded from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.embedded.state import StackState

__all__ = ["Gathered", "LogEnds", "WindowRow"]


@dataclass(frozen=True, slots=True)
class WindowRow:
    """The newest window of the district in one measurement: its start and its fields.

    `simulated`: simulated readings came for as long as one of them may still be held.
    """

    start_ms: int
    fields: Mapping[str, float]
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class LogEnds:
    """By shard (`<topic>/<partition>`): the log's end, and the next offset the aggregate has committed."""

    end: Mapping[str, int] = field(default_factory=dict)
    committed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gathered:
    """One look. A text in place of an answer is the reason why there is none.

    `metrics` has every part that has a metrics port; `stack` is None where no supervisor ever ran; `stored`
    are InfluxDB's bytes on disk by `database/policy`, empty where it does not tell (2.x).
    """

    at_ms: int
    running: bool
    stack: StackState | None
    metrics: Mapping[str, str]
    unreachable: Mapping[str, str]
    log: LogEnds | str
    windows: Mapping[str, WindowRow | None] | str
    stored: Mapping[str, int] = field(default_factory=dict)
