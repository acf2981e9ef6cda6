"""What the alerts of each vendor's devices were in the end, as people said: the share of false ones. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from connectors.scorecard import UNKNOWN
from operations.alerts.actions import Outcome

__all__ = ["OutcomeScore", "outcome_scores"]

_FALSE: Final[tuple[Outcome, ...]] = ("nuisance", "device_fault")


@dataclass(frozen=True, slots=True)
class OutcomeScore:
    """Alerts of one vendor's devices that people concluded, by outcome.

    `false_alarms`: nuisances and device faults among what was real, nuisance or device fault, from 0 to 1;
    None where there is none of these. A test, and what nobody could tell, says nothing of a device.
    """

    vendor: str
    concluded: int
    real: int
    nuisance: int
    device_fault: int
    false_alarms: float | None


def outcome_scores(
    concluded: Iterable[tuple[str, Outcome]], vendors: Mapping[str, str]
) -> list[OutcomeScore]:
    """Scores by vendor. `concluded`: device and outcome of each alert; `vendors`: vendor by device.

    Alerts of no device (of a place, of many devices) are no vendor's and are left out.
    """
    counts = defaultdict[str, Counter[Outcome]](Counter)
    for device, outcome in concluded:
        if device:
            counts[vendors.get(device, UNKNOWN)][outcome] += 1
    return [_score(vendor, counts[vendor]) for vendor in sorted(counts)]


def _score(vendor: str, of: Counter[Outcome]) -> OutcomeScore:
    wrong = sum(of[each] for each in _FALSE)
    judged = wrong + of["real"]
    return OutcomeScore(
        vendor,
        of.total(),
        of["real"],
        of["nuisance"],
        of["device_fault"],
        wrong / judged if judged else None,
    )
