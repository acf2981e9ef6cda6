"""What the alerts of a case were, as its closing says: an act on each of them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from operations.alerts.actions import Action, Target
from operations.cases.conditions import Facts
from operations.cases.model import Case, Command

__all__ = ["conclusions"]


def conclusions(case: Case, command: Command, facts: Facts) -> Iterator[Action]:
    """One act a linked alert, by who closed the case; its identity is of the case, its version, the alert."""
    for alert in facts.alerts if command.outcome else ():
        said = f"case/{case.id}/{case.version}/{alert.id}"
        yield Action(
            id=hashlib.blake2b(said.encode(), digest_size=16).hexdigest(),
            kind="conclude",
            target=Target.of(alert),
            by=command.actor.name,
            at_ms=facts.now_ms,
            why=f"案件 case {case.id}",
            count=alert.count,
            outcome=command.outcome or "",
        )
