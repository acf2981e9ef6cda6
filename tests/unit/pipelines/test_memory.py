"""Threads of a worker allocate from few places."""

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="another C library than glibc: it has no arenas to keep few of"
)

# An arena of a thread is a mapping at a multiple of 64 MiB; a bytearray of 50 kB comes from one.
PROGRAM = """
import sys, threading
from pipelines.io.memory import keep_few_arenas
if sys.argv[1] == "few":
    keep_few_arenas()
together = threading.Barrier(20)
def allocate():
    held = bytearray(50_000)
    together.wait()
    together.wait()
for _ in range(19):
    threading.Thread(target=allocate).start()
together.wait()
ranges = [line.split("-")[0] for line in open("/proc/self/maps") if " rw-p " in line]
print(sum(int(begin, 16) % 2**26 == 0 for begin in ranges))
together.wait()
"""


def arenas(how: str) -> int:
    """Of twenty threads that hold something at once."""
    words = [sys.executable, "-c", PROGRAM, how]
    return int(subprocess.run(words, capture_output=True, text=True, check=True, timeout=30).stdout)


def test_twenty_threads_share_two_arenas() -> None:
    assert arenas("few") <= 1  # the other one is the heap
    assert arenas("many") > 1
