"""A network of one's own, and questions asked in it."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from tests.namespaces import namespace

Answer = TypeVar("Answer")
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_NETWORK: Final = 0x40000000


@contextmanager
def network(name: str, hosts: Iterable[str]) -> Iterator[str]:
    """A network namespace in which each of these hosts is its loopback."""
    folder = Path("/etc/netns") / name
    with namespace(name):
        try:
            folder.mkdir(parents=True)
            (folder / "hosts").write_text(f"127.0.0.1 localhost {' '.join(hosts)}\n")
            yield name
        finally:
            shutil.rmtree(folder)


def asked_in(name: str, ask: Callable[[], Answer]) -> Answer:
    """What is answered in that network: asked by a thread that has entered it."""

    def enter() -> Answer:
        handle = os.open(f"/run/netns/{name}", os.O_RDONLY)
        try:
            if _LIBC.setns(handle, _NETWORK):
                raise OSError(ctypes.get_errno(), f"setns {name}")
        finally:
            os.close(handle)
        return ask()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(enter).result()
