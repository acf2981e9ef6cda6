"""A person whose channels refuse what is said to them is an alert on the desk while they do. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from schemas.alerts import Alert, alert_id

__all__ = ["RULE", "Parked", "alarms"]

RULE: Final = "oncall.refused"


@dataclass(frozen=True, slots=True)
class Parked:
    """How many notifications of a person are parked, and what the channels said to one of them."""

    count: int
    problem: str


def alarms(
    parked: Mapping[str, Parked], standing: Sequence[Alert], district: str, now_ms: int
) -> Iterator[Alert]:
    """The alerts that begin, end or change their count, by what is parked of each person and what stands."""
    known = {alert.device: alert for alert in standing}
    for person, held in parked.items():
        if person not in known:
            yield _alarm(person, held, district, now_ms)
        elif (alert := known[person]).count != held.count:
            yield replace(
                alert, count=held.count, explanation=_explained(person, held), revision=alert.revision + 1
            )
    for person, alert in known.items():
        if person not in parked:
            yield replace(alert, active=False, cleared_ms=now_ms, revision=alert.revision + 1)


def _alarm(person: str, held: Parked, district: str, now_ms: int) -> Alert:
    return Alert(
        id=alert_id(RULE, district, now_ms, person),
        rule=RULE,
        severity="high",
        domain="governance",
        level="district",
        place=district,
        onset_ms=now_ms,
        told_ms=now_ms,
        active=True,
        title="通知渠道拒收 channel refuses notifications",
        device=person,
        count=held.count,
        explanation=_explained(person, held),
    )


def _explained(person: str, held: Parked) -> str:
    return (
        f"{person} 的所有渠道均拒收通知（{held.problem}），不再重试；请改正值班文件并重启值班服务。"
        f"All channels of {person} refuse notifications: put the on-call file right and restart."
    )
