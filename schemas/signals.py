"""A signal: something that must reach a person now (SOS, fall, smoke, gas, intrusion, forced door).

Signals travel on the topic `signals`, beside the readings that count them, so that they wait
neither for windows nor behind other traffic.
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import msgspec

__all__ = ["SIGNAL_TYPES", "Signal", "SignalState", "signal_id"]

SignalState = Literal["active", "cleared"]

SIGNAL_TYPES: Final[dict[str, str]] = {
    "sos": "care",
    "fall": "care",
    "smoke": "security",
    "heat": "security",
    "gas": "security",
    "manual_call": "security",
    "intrusion": "security",
    "line_crossing": "security",
    "forced_door": "security",
    "tamper": "security",
}
"""Signal type -> its domain."""


class Signal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One transition of one alarm of one device.

    `alarm` names the occurrence as the device does (an alarm id, a region), "" where it has none;
    begin, repeat and end of one occurrence share it. `heard_at_ms`: an alarm that lasts is told again
    under the same id, with the newest event time at which the device still said so; 0 the first time.
    """

    id: str
    type: str
    state: SignalState
    device: str
    grid: str
    source: str
    observed_at_ms: int
    received_at_ms: int
    alarm: str = ""
    subject: str = ""
    simulated: bool = False
    heard_at_ms: int = 0


def signal_id(device: str, signal_type: str, alarm: str, state: str, observed_at_ms: int) -> str:
    """Deterministic id: 32 hex digits of BLAKE2b over what makes the transition this one."""
    identity = "\0".join((device, signal_type, alarm, state, str(observed_at_ms)))
    return hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()
