"""Health checks of containers: `python -m deploy.probe http 19103 /metrics` leaves with 0 when it serves.

The same exchange as the supervisor's of the embedded stack (`deploy.embedded.health`), on loopback, since it
runs inside the container that it checks.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import get_args

from deploy.embedded.health import serves
from deploy.embedded.parts import Health, Protocol
from schemas.errors import SettingsError

__all__ = ["health_of"]


def health_of(words: Sequence[str]) -> Health:
    """PROTOCOL PORT [PATH] as what to ask; SettingsError for anything else."""
    if len(words) not in {2, 3} or words[0] not in get_args(Protocol) or not words[1].isdecimal():
        allowed = f"{', '.join(get_args(Protocol))}; a port; a path"
        raise SettingsError(f"probe: received {' '.join(words)!r}, allowed: {allowed}")
    protocol: Protocol = words[0]  # type: ignore[assignment]  # looked at above
    return Health(protocol, int(words[1]), *words[2:])


if __name__ == "__main__":
    sys.exit(not asyncio.run(serves(health_of(sys.argv[1:]))))
