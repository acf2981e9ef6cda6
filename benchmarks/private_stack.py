"""Some parts of the embedded stack for a measurement alone: on free ports, in a folder that goes away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from deploy.embedded import stack as embedded
from deploy.embedded.ports import free_ports
from deploy.embedded.state import read_state
from schemas.errors import SettingsError
from taishi.settings import Settings, load_settings
from taishi.stack_settings import stack_settings

__all__ = ["part_pid", "private_stack"]


@contextmanager
def private_stack(parts: tuple[str, ...]) -> Iterator[Settings]:
    """These parts, serving, until the block ends; what happens meanwhile is told on standard error."""
    names = ("kafka_port", "kafka_controller_port", "prism_aggregate_port")
    cache = load_settings().cache
    with tempfile.TemporaryDirectory(prefix="taishi-bench-") as folder:
        ports = free_ports(len(names) + 20, consecutive=True)
        given: dict[str, Any] = dict(zip(names, ports, strict=False)) | {"metrics_port": ports[len(names)]}
        settings = Settings(home=Path(folder), cache=cache, kafka_address=None, **given)
        wanted = stack_settings(settings)
        try:
            embedded.up(
                wanted,
                only=parts,
                report=lambda what, now: click.echo(f"{what}: {now}", err=True),
                outlive=False,  # a measurement that is killed leaves nothing running
            )
            embedded.wait_well(wanted, 120)
            yield settings
        finally:
            embedded.down(wanted)


def part_pid(settings: Settings, name: str) -> int:
    """The process of a part; SettingsError when it does not run."""
    state = read_state(settings.home)
    pid = state.part(name).pid if state else None
    if pid is None:
        raise SettingsError(f"{name} does not run")
    return pid
