"""The product's aggregate worker with everything on, and a Prism of its own."""

from __future__ import annotations

from benchmarks.peers.engines import given
from benchmarks.peers.engines.prism import prism_started
from pipelines.io.memory import keep_few_arenas

keep_few_arenas()

from pipelines.jobs.aggregate import AggregateFactory  # noqa: E402 - before there are threads
from pipelines.jobs.graph import run_on  # noqa: E402
from pipelines.jobs.line import LineSettings  # noqa: E402
from pipelines.kernels.state import FoldSettings  # noqa: E402

__all__: list[str] = []

prefix = given.out.removesuffix("windows")
line = LineSettings(
    given.bootstrap,
    (given.topic,),
    given.shards(),
    checkpoint_topic=f"{prefix}checkpoints",
    claim_topic=f"{prefix}claims",
    tick_interval_s=None,
    from_oldest=True,
)
run_on(prism_started(), "aggregate", AggregateFactory(line, FoldSettings(), "370202", prefix))
