"""Network namespaces, where they are allowed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

__all__ = ["ip", "namespace"]


def ip(*words: str) -> None:
    """`ip words…`; the test is skipped where that is not allowed."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"network namespaces are not allowed here: ip {' '.join(words)}: {done.stderr.strip()}")


@contextmanager
def namespace(name: str) -> Iterator[None]:
    """One with a loopback, which goes away with all that is in it."""
    ip("netns", "add", name)
    try:
        ip("-n", name, "link", "set", "lo", "up")
        yield
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)
