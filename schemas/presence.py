"""Who is heard of, and who no longer: what the topic `presence` carries from job `presence` to job `watch`.

Three kinds of quiet are three things (and three alerts): a device that says nothing, a whole feed that says
nothing, a person who does not move while the sensors around them are well.
"""

from __future__ import annotations

import msgspec

__all__ = ["PresenceRecord", "Pulse", "Silence", "Stillness"]


class Silence(msgspec.Struct, frozen=True, kw_only=True, tag="silence", tag_field="type", omit_defaults=True):
    """A device has said nothing for longer than `allowed_s` (`active`), or is heard again.

    `since_ms`: when the log last heard it; `at_ms`: the log's clock when that was too long, or when it came
    back. A second one of the same device and `since_ms` is the same.
    """

    shard: str
    device: str
    kind: str
    source: str
    grid: str
    active: bool
    since_ms: int
    at_ms: int
    allowed_s: int
    simulated: bool = False


class Stillness(
    msgspec.Struct, frozen=True, kw_only=True, tag="stillness", tag_field="type", omit_defaults=True
):
    """A person has not moved for longer than is usual for them at these hours (`active`), or moves again.

    `subject` is a pseudonym, `source` through what they are heard. `since_ms`: event time of the last
    movement. `expected`: the gap on the person's own clock, which runs faster where they move more.
    """

    shard: str
    subject: str
    grid: str
    source: str
    active: bool
    since_ms: int
    at_ms: int
    expected: float
    simulated: bool = False


class Pulse(msgspec.Struct, frozen=True, kw_only=True, tag="pulse", tag_field="type"):
    """What shard `shard` heard in the ten seconds up to `at_ms`; its clock.

    `sources`: readings by source; `simulated`: how many of them were.
    """

    shard: str
    at_ms: int
    sources: dict[str, int]
    simulated: dict[str, int] = {}


PresenceRecord = Silence | Stillness | Pulse
"""What a record of the topic `presence` holds."""
