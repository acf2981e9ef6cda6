"""Processes held to a part of a core, as each would be in a container of its own: Linux control groups.

On a machine of few cores it shows what more processes bring: each has the same small part, and broker, Kafka
and publisher have the rest.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from schemas.errors import SettingsError

__all__ = ["held_to", "quotas_root"]

_ROOT: Final = Path("/sys/fs/cgroup")
_PERIOD_US: Final = 20_000
_LIMIT_S: Final = 10.0


def quotas_root(root: Path = _ROOT) -> Path:
    """Where groups with a limit of processor time are made; SettingsError where this process cannot."""
    if os.geteuid():
        raise SettingsError("control groups: received an ordinary user, allowed: root")
    first = root / "cpu" / "cpu.cfs_quota_us"  # version 1 shows a controller as a folder
    controllers = root / "cgroup.subtree_control"
    if first.exists():
        return first.parent
    if controllers.exists() and "cpu" in controllers.read_text().split():
        return root
    raise SettingsError(f"{root}: received no limits of processor time, allowed: cgroup v1 or v2 with cpu")


@contextmanager
def held_to(part: float, pid: int, root: Path | None = None) -> Iterator[None]:
    """Within the block the process with all its threads gets `part` of a core (0.1: a tenth) at most."""
    parent = root or quotas_root()
    group = parent / f"taishi-bench-{pid}"
    group.mkdir()
    try:
        _limit(group, int(part * _PERIOD_US))
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        with suppress(ProcessLookupError):  # it has ended
            (parent / "cgroup.procs").write_text(str(pid))
        _remove(group)


def _limit(group: Path, quota_us: int) -> None:
    if (group / "cpu.cfs_quota_us").exists():
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(quota_us))
    else:
        (group / "cpu.max").write_text(f"{quota_us} {_PERIOD_US}")


def _remove(group: Path) -> None:
    """A group is busy for a moment after its last process has left."""
    deadline_s = time.monotonic() + _LIMIT_S
    while (group / "cgroup.procs").read_text() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    group.rmdir()
