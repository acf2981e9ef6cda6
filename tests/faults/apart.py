"""A network namespace of its own for a process, with one line to this host."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from tests.faults.toxic_line import ToxicLine
from tests.namespaces import ip, namespace

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
        with ExitStack() as made:
            made.enter_context(namespace(self.name))
            self._connect()
            self._made = made.pop_all()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._forwarder.kill()
        self._forwarder.wait()
        self.line.close()
        self._made.close()

    def cut(self) -> None:
        """Pull the cable: nothing arrives, and nobody is told so."""
        ip("link", "set", self._cable, "down")

    def heal(self) -> None:
        """Plug it in."""
        ip("link", "set", self._cable, "up")

    def _connect(self) -> None:
        ip("link", "add", self._cable, "type", "veth", "peer", "name", "cable", "netns", self.name)
        ip("addr", "add", f"{self._here}/30", "dev", self._cable)
        ip("link", "set", self._cable, "up")
        for words in (("addr", "add", f"{self._there}/30", "dev", "cable"), ("link", "set", "cable", "up")):
            ip("-n", self.name, *words)
        self.line = ToxicLine(self._kafka, (self._here, 9092))
        kafka = f"{self._kafka[0]}:{self._kafka[1]}"
        words = (*self.inside, sys.executable, "-m", "tests.faults.forward", kafka, f"{self._here}:9092")
        self._forwarder = subprocess.Popen(words, cwd=ROOT)
