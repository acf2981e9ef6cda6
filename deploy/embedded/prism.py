"""Prism, Beam's streaming runner: one a worker, since its state lives and dies with the job."""

from __future__ import annotations

from deploy.embedded.fetch import PRISM, folder_of
from deploy.embedded.parts import Health, Part
from deploy.embedded.settings import StackSettings

__all__ = ["part"]


def part(settings: StackSettings, job: str, port: int) -> Part:
    """The Prism of one job; it listens on loopback for jobs, without its web pages."""
    program = folder_of(PRISM, settings.cache) / "prism"
    return Part(
        name=f"prism-{job}",
        command=(
            str(program),
            f"--job_port={port}",
            "--serve_http=false",
            "--log_kind=json",
            "--log_level=warn",
        ),
        log=f"prism-{job}",
        health=Health("http2", port),
        ports={f"prism_{job}_port": port},
        # Its live heap is a few MiB: collect at half again, not at twice, and the process stays flat.
        environment={"GOMEMLIMIT": "512MiB", "GOGC": "25"},
    )
