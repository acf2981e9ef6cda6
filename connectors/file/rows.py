"""Codec of a recording's rows, and devices that are placed because the recording lies elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.base import Decoded, Device, Devices, Message, Observation, Rejected
from connectors.file.mapping import FileMapping, Rule
from connectors.file.recording import NO_TIME_MS, Row, parse_row
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["FileCodec", "SpreadDevices"]


@dataclass(frozen=True, slots=True)
class FileCodec:
    """Rows to observations. `message.address` is `FILE:LINE#OBSERVED_AT_MS`: the reader knows the time.

    `numbered`: the line tells readings apart that a faster pace moves into one millisecond; off, a
    device that says the same thing twice at one time has said it once.
    """

    mapping: FileMapping
    header: tuple[str, ...]
    numbered: bool

    def decode(self, message: Message, registry: Devices) -> Decoded | Rejected:  # noqa: ARG002
        """What the row means: one observation for each rule that fits."""
        row = parse_row(message.payload, self.mapping, self.header)
        if row is None:
            return Rejected(
                Reason.MALFORMED, f"not a row of {len(self.header)} {self.mapping.format} columns"
            )
        place, _, time_text = message.address.rpartition("#")
        observed_at_ms, line = int(time_text), int(place.rpartition(":")[2])
        if observed_at_ms == NO_TIME_MS:
            return Rejected(Reason.BAD_TIME, f"{self.mapping.time}: received {row.get(self.mapping.time)!r}")
        fitting = [rule for rule in self.mapping.rules if all(row.get(c) == t for c, t in rule.when.items())]
        if not fitting:
            return Rejected(Reason.UNSUPPORTED, f"no rule of mapping {self.mapping.name!r} fits the row")
        return self._observations(row, fitting, observed_at_ms, line if self.numbered else 0)

    def _observations(
        self, row: Row, rules: Sequence[Rule], observed_at_ms: int, seq: int
    ) -> Decoded | Rejected:
        mapping = self.mapping
        device = mapping.prefix + "/".join(row.get(column, "") for column in mapping.device)
        observations: list[Observation] = []
        for rule in rules:
            value = _value(row, rule)
            if isinstance(value, Rejected):
                return value
            subject = row.get(mapping.subject, "") if mapping.subject else ""
            observations.append(
                Observation(device, rule.kind, rule.metric, value, observed_at_ms, seq, subject)
            )
        return Decoded(tuple(observations))


def _value(row: Row, rule: Rule) -> float | Rejected:
    if not rule.column:
        return rule.value
    text = row.get(rule.column, "")
    if rule.values:
        if text in rule.values:
            return rule.values[text]
        return Rejected(Reason.WRONG_TYPE, received_allowed(rule.column, text, rule.values))
    try:
        return float(text)
    except ValueError:
        return Rejected(Reason.WRONG_TYPE, received_allowed(rule.column, text, ["a number"]))


class SpreadDevices:
    """A registry in which every device exists, in a grid chosen by a hash of its name (or its home's).

    A recording of another city must lie somewhere; that it does not really lie there is said by its
    source, `file.<mapping>`.
    """

    def __init__(self, grids: Sequence[str], mapping: FileMapping) -> None:
        self._grids, self._depth = grids, len(mapping.device)

    def get(self, device: str) -> Device:
        """The device; those of one home (same first column) share a grid."""
        home = device.rsplit("/", self._depth - 1)[0] if self._depth > 1 else device
        digest = hashlib.blake2b(home.encode(), digest_size=8).digest()
        grid = self._grids[int.from_bytes(digest, "big") % len(self._grids)]
        return Device(device, "recording", "", grid, None, "", None, simulated=False)
