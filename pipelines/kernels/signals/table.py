"""What each type of signal is to the desk: its severity, whether it latches, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.alerts import Severity
from schemas.signals import SIGNAL_TYPES

__all__ = ["SIGNALS", "SignalMeaning"]


@dataclass(frozen=True, slots=True)
class SignalMeaning:
    """`latched` alerts stay listed until a person resets them: somebody may need help though it is quiet."""

    severity: Severity
    latched: bool
    chinese: str
    english: str


SIGNALS: Final[dict[str, SignalMeaning]] = {
    "sos": SignalMeaning("life_safety", True, "紧急呼救", "SOS"),
    "fall": SignalMeaning("life_safety", True, "跌倒报警", "fall"),
    "smoke": SignalMeaning("life_safety", True, "烟雾报警", "smoke"),
    "heat": SignalMeaning("life_safety", True, "温度报警", "heat"),
    "gas": SignalMeaning("life_safety", True, "燃气泄漏", "gas"),
    "manual_call": SignalMeaning("life_safety", True, "手动火警", "manual call point"),
    "forced_door": SignalMeaning("high", False, "强行开门", "forced door"),
    "intrusion": SignalMeaning("high", False, "区域入侵", "intrusion"),
    "line_crossing": SignalMeaning("medium", False, "越界", "line crossing"),
    "tamper": SignalMeaning("medium", False, "设备防拆", "tamper"),
}
"""Signal type -> what it means. Product defaults; consequence x time to respond (ISA-18.2)."""

assert SIGNALS.keys() == SIGNAL_TYPES.keys()  # noqa: S101 - a table that misses a type must not load
