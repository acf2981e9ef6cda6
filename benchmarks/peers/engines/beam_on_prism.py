"""`beam_per_element` with a Prism of its own."""

from __future__ import annotations

from benchmarks.peers.engines.beam_per_element import run
from benchmarks.peers.engines.prism import prism_started

__all__: list[str] = []

run(prism_started())
