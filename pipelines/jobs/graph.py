"""The graph of every streaming job, and how it is run on a Beam job server (Prism, Flink)."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.jobs.line import LineRuntime
from pipelines.transforms.advance import Checkpoint, Fold, Write
from pipelines.transforms.read_batches import ReadBatches

__all__ = ["build", "run_on"]


def build(pipeline: beam.Pipeline, factory: Callable[[], LineRuntime[Any, Any]]) -> None:
    """ReadBatches -> Fold -> Write -> Checkpoint: a line without a shuffle, fused into one stage.

    The Reshuffle after it holds no data of ours: a stage that runs long needs an output that
    crosses its boundary, or Prism spins a core or two.
    """
    (
        pipeline
        | "Start" >> beam.Create([0])
        | "ReadBatches" >> beam.ParDo(ReadBatches(factory))
        | "Fold" >> beam.ParDo(Fold(factory))
        | "Write" >> beam.ParDo(Write(factory))
        | "Checkpoint" >> beam.ParDo(Checkpoint(factory))
        | "Progress" >> beam.Reshuffle()
        | "Done" >> beam.Filter(lambda _progress: False)
    )


def run_on(job_endpoint: str, name: str, factory: Callable[[], LineRuntime[Any, Any]]) -> str:
    """Run the job on a job server with this process as its worker; returns the final state's name.

    It ends only when the job fails or the server dies; a supervisor starts the process anew.
    """
    options = PipelineOptions(
        [
            "--runner=PortableRunner",
            f"--job_endpoint={job_endpoint}",
            "--environment_type=LOOPBACK",
            f"--job_name=taishi-{name}",
            "--job_server_timeout=315360000",  # seconds; the client's stream ends after 300 otherwise
            "--streaming",
        ]
    )
    pipeline = beam.Pipeline(options=options)
    build(pipeline, factory)
    # What is loaded by now lives as long as the process, and a batch makes thousands of short-lived
    # messages: by default the collector would look through all of it many times a second.
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    result = pipeline.run()
    return str(result.wait_until_finish())
