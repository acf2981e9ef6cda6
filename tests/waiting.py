"""Waiting for what comes, and watching that something does not, without a fixed sleep."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

__all__ = ["never", "wait_until"]

_PAUSE_S: Final = 0.05


def wait_until(condition: Callable[[], Any], limit_s: float = 60.0, pause_s: float = _PAUSE_S) -> Any:
    """What the condition says once it is true; AssertionError if that takes longer than the limit."""
    tick, deadline_s = threading.Event(), time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < deadline_s, f"not within {limit_s:g} s"
        tick.wait(pause_s)
    return found


def never(condition: Callable[[], Any], for_s: float = 0.5, pause_s: float = _PAUSE_S) -> None:
    """AssertionError as soon as the condition is true, within so long."""
    tick, until_s = threading.Event(), time.monotonic() + for_s
    while time.monotonic() < until_s:
        assert not condition()
        tick.wait(pause_s)
