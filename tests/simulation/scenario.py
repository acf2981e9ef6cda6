"""What a seed lets happen: readings and alarms of a few devices in a minute and a half. No faults in it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

import msgspec

from connectors.base import SignalEvent
from connectors.occurrences import LASTING
from schemas.kinds import Domain
from schemas.readings import Reading, reading_id

T0: Final = 1_795_392_000_000
SENT_FOR_MS: Final = 90_000
CLOSED_MS: Final = 120_000
"""By then every window of a minute or less is over in which something was said."""
GRIDS: Final = ("370202001001001", "370202001001002", "370202002001001")
LONG_AGO_MS: Final = 3_600_000
"""Beyond any lateness."""
_METRICS: Final[dict[Domain, tuple[tuple[str, str], ...]]] = {
    "parking": (("parking.space", "occupied"),),
    "security": (("security.access", "granted"), ("security.access", "denied")),
    "care": (("care.activity", "motion"),),
}
_DOMAINS: Final[tuple[Domain, ...]] = ("parking", "parking", "care", "care", "security")
"""Security has four times as many measures, and costs as much."""
_ALARMS: Final = ("smoke", "intrusion", "sos", "forced_door", "fall")


class Said(msgspec.Struct, frozen=True):
    """A message of a device: when it is said, and either a record for `topic` or an alarm."""

    at_ms: int
    device: str
    grid: str
    topic: str
    body: bytes = b""
    alarm: SignalEvent | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """`figures`: readings are sent; `watched`: and judged by rules; `alarms`: alarms are;
    `told`, `filed`, `staffed`: people are told of them, cases are made of them, people act. `said` by time.

    `leaps`: in the end a stop of minutes lets panes leave and the longest windows close; `refolded`: its
    partitions are folded once more, in one piece.
    """

    seed: int
    domain: Domain
    shards: int
    figures: bool
    watched: bool
    alarms: bool
    told: bool
    filed: bool
    staffed: bool
    leaps: bool
    refolded: bool
    said: tuple[Said, ...]


def scenario_of(seed: int) -> Scenario:
    """The same seed, the same scenario."""
    dice = Random(f"{seed}/scenario")
    domain = dice.choice(_DOMAINS)
    cast = dice.random()
    figures, alarms = cast < 0.53, cast >= 0.47
    shares = (0.3, 0.65, 0.4, 0.4, 0.15, 0.2)
    watched, told, filed, staffed, leaps, refolded = (dice.random() < share for share in shares)
    said = [*(_readings(dice, domain) if figures else ()), *(_alarms(dice) if alarms else ())]
    said.sort(key=lambda each: each.at_ms)
    shards = dice.choice((1, 1, 2))
    return Scenario(
        seed=seed,
        domain=domain,
        shards=shards,
        figures=figures,
        watched=watched and figures,
        alarms=alarms,
        told=told,
        filed=filed,
        staffed=staffed,
        leaps=leaps,
        refolded=refolded,
        said=tuple(said),
    )


def _readings(dice: Random, domain: Domain) -> list[Said]:
    """Most are of now, some of a minute ago, a few of long ago, and one in thirty is no reading."""
    said = []
    for number in range(dice.randint(16, 24)):
        at_ms = T0 + dice.randrange(SENT_FOR_MS)
        device = f"d{dice.randrange(5)}"
        observed_ms = at_ms - dice.choice((0, 100, 100, 900, 5_000, 20_000, 60_000))
        if dice.random() < 0.03:
            observed_ms = at_ms - LONG_AGO_MS
        body = _reading(dice, domain, device, observed_ms, number)
        if dice.random() < 0.03:
            body = body[: dice.randrange(1, len(body))]
        said.append(Said(at_ms, device, GRIDS[int(device[1]) % 3], f"readings.{domain}", body))
    return said


def _reading(dice: Random, domain: Domain, device: str, observed_ms: int, seq: int) -> bytes:
    kind, metric = dice.choice(_METRICS[domain])
    return msgspec.json.encode(
        Reading(
            id=reading_id(device, kind, metric, observed_ms, seq),
            kind=kind,
            metric=metric,
            value=float(dice.randrange(2) if domain == "parking" else 1),
            device=device,
            grid=GRIDS[int(device[1]) % 3],
            source="mqtt.simulated",
            observed_at_ms=observed_ms,
            received_at_ms=observed_ms,
            seq=seq,
            subject=f"p{device}" if domain == "care" else "",
        )
    )


def _alarms(dice: Random) -> list[Said]:
    """Of each device one kind of alarm: begins, goes on, ends, begins again; buttons are pressed."""
    said = []
    for number in range(3):
        device, kind = f"a{number}", dice.choice(_ALARMS)
        at_ms, active = T0 + dice.randrange(15_000), True
        while at_ms < T0 + SENT_FOR_MS:
            state = "active" if active or kind not in LASTING else "cleared"
            event = SignalEvent(kind, state, device, at_ms, "")
            said.append(Said(at_ms, device, GRIDS[number], "signals", alarm=event))
            active = active if dice.random() < 0.5 else not active
            at_ms += dice.choice((2_000, 10_000, 20_000, 62_000))
    return said
