"""A Prism for one process: started, waited for, and ended with it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time

from deploy.embedded.health import serves
from deploy.embedded.parts import Health
from deploy.embedded.ports import free_ports
from deploy.embedded.prism import part
from taishi.settings import load_settings
from taishi.stack_settings import stack_settings

__all__ = ["prism_started"]


def prism_started(limit_s: float = 60.0) -> str:
    """The address of a new Prism, with the command and settings of the embedded stack."""
    (port,) = free_ports(1)
    wanted = part(stack_settings(load_settings()), "aggregate", port)
    subprocess.Popen(wanted.command, env=dict(os.environ) | dict(wanted.environment))
    deadline_s = time.monotonic() + limit_s
    while not asyncio.run(serves(Health("http2", port))):
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"Prism does not serve at port {port} after {limit_s:g} s")
        time.sleep(0.05)
    return f"127.0.0.1:{port}"
