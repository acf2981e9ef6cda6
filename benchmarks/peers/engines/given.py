"""What the runner tells an engine, for those that run in the project's own environment."""

from __future__ import annotations

import os
import sys

__all__ = ["bootstrap", "out", "shards", "topic"]

bootstrap, topic, out = (os.environ.get(name, "") for name in ("BOOTSTRAP", "TOPIC", "OUT"))


def shards() -> tuple[int, ...]:
    """The partitions of this process: `--shards 0,2`, or all."""
    if "--shards" in sys.argv:
        return tuple(map(int, sys.argv[sys.argv.index("--shards") + 1].split(",")))
    return tuple(range(int(os.environ["PARTITIONS"])))
