"""A network namespace of its own for a process, with one line to this host."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType

import pytest

from tests.faults.toxic_line import ToxicLine

ROOT = Path(__file__).resolve().parents[2]


class Apart:
    """What runs `inside` reaches nothing but Kafka, at the port it advertises, over `line`."""

    _numbers = itertools.count(os.getpid() % 60 * 4)

    def __init__(self, kafka_port: int) -> None:
        number = next(self._numbers)
        self.name, self._cable = f"taishi{number}", f"tsh{number}"
        self.inside = ("ip", "netns", "exec", self.name)
        self._here, self._there = f"198.18.{number}.1", f"198.18.{number}.2"
        self._kafka = ("127.0.0.1", kafka_port)

    def __enter__(self) -> Apart:
        _ip("netns", "add", self.name)
        try:
            self._connect()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._forwarder.kill()
        self._forwarder.wait()
        self.line.close()
        self._end()

    def cut(self) -> None:
        """Pull the cable: nothing arrives, and nobody is told so."""
        _ip("link", "set", self._cable, "down")

    def heal(self) -> None:
        """Plug it in."""
        _ip("link", "set", self._cable, "up")

    def _connect(self) -> None:
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", "cable", "netns", self.name)
        _ip("addr", "add", f"{self._here}/30", "dev", self._cable)
        _ip("link", "set", self._cable, "up")
        for words in (("addr", "add", f"{self._there}/30", "dev", "cable"), ("link", "set", "cable", "up")):
            _ip("-n", self.name, *words)
        _ip("-n", self.name, "link", "set", "lo", "up")
        self.line = ToxicLine(self._kafka, (self._here, 9092))
        kafka = f"{self._kafka[0]}:{self._kafka[1]}"
        words = (*self.inside, sys.executable, "-m", "tests.faults.forward", kafka, f"{self._here}:9092")
        self._forwarder = subprocess.Popen(words, cwd=ROOT)

    def _end(self) -> None:
        subprocess.run(["ip", "netns", "del", self.name], check=True)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"network namespaces are not allowed here: ip {' '.join(words)}: {done.stderr.strip()}")
