"""A part of the stack as data, and the plan: which parts, in which order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

import msgspec

from deploy.embedded.logs import LogLimits
from schemas.errors import SettingsError, received_allowed

__all__ = ["Health", "Part", "Plan", "Protocol", "ordered", "read_plan", "write_plan"]

Protocol = Literal["kafka", "http", "mqtt", "http2"]


@dataclass(frozen=True, slots=True)
class Health:
    """How a part shows that it serves: an answer in its own protocol, not an open port."""

    protocol: Protocol
    port: int
    path: str = "/"
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the stack, declared.

    `once` parts run to their end (exit code 0 = done) and are then not started again; the others are
    restarted whenever they end. A part starts when all of `needs` have been healthy or done.
    """

    name: str
    command: tuple[str, ...]
    log: str
    health: Health | None = None
    environment: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    """Setting that holds the port -> port."""
    needs: tuple[str, ...] = ()
    once: bool = False
    stop_limit_s: float = 15.0

    @property
    def port(self) -> int | None:
        """The port to show: the first declared."""
        return next(iter(self.ports.values()), None)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one supervisor runs, and how much of each part's log it keeps."""

    parts: tuple[Part, ...]
    metrics_port: int
    logs: LogLimits = field(default_factory=LogLimits)


_FILE: Final = "plan.json"


def ordered(parts: Iterable[Part], only: Iterable[str] | None = None) -> tuple[Part, ...]:
    """The named parts with all they need, each after its needs; SettingsError for an unknown name.

    A need that is not among `parts` (a part with an address of one's own) is dropped.
    """
    by_name = {part.name: part for part in parts}
    wanted = list(by_name) if only is None else list(only)
    result: dict[str, Part] = {}

    def add(name: str) -> None:
        if name not in by_name:
            raise SettingsError(received_allowed("part", name, by_name))
        part = by_name[name]
        needs = tuple(need for need in part.needs if need in by_name)
        for need in needs:
            if need not in result:
                add(need)
        result[name] = replace(part, needs=needs)

    for name in wanted:
        if name not in result:
            add(name)
    return tuple(result.values())


def write_plan(home: Path, plan: Plan) -> Path:
    """Write the plan for the supervisor; readable by its owner only, since it may hold tokens."""
    path = home / _FILE
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(plan), indent=1))
    return path


def read_plan(home: Path) -> Plan:
    """The plan that `write_plan` left."""
    return msgspec.json.decode((home / _FILE).read_bytes(), type=Plan)
