"""The one runtime of a process: consumers and states are pooled per process, not per DoFn instance.

A runner makes and drops DoFn instances as it likes; a consumer each would leak.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from pipelines.jobs.line import LineRuntime

__all__ = ["running", "runtime_of"]

_LOCK = threading.Lock()
_RUNTIMES: dict[Callable[[], LineRuntime[Any, Any]], LineRuntime[Any, Any]] = {}


def runtime_of(factory: Callable[[], LineRuntime[Any, Any]]) -> LineRuntime[Any, Any]:
    """The runtime made and started by an equal factory in this process, at its first call."""
    with _LOCK:
        if factory not in _RUNTIMES:
            runtime = factory()
            runtime.start()
            _RUNTIMES[factory] = runtime
        return _RUNTIMES[factory]


def running() -> list[LineRuntime[Any, Any]]:
    """The runtimes of this process, as they are now."""
    return list(_RUNTIMES.values())
