"""Beam on Prism, one element a reading, as its programming guide builds it: read, decode, window, combine, write.

Environment: BOOTSTRAP, TOPIC, OUT, PARTITIONS. Beam's own Kafka source for Python is a Java one
in another container; so that no second language is paid for, an unbounded splittable DoFn reads here.
"""

import os
import time

import apache_beam as beam
import msgspec
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.transforms.window import FixedWindows, TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp
from confluent_kafka import Consumer, Producer, TopicPartition

__all__ = ["run"]

BOOTSTRAP, TOPIC, OUT = os.environ["BOOTSTRAP"], os.environ["TOPIC"], os.environ["OUT"]
DELAY_MS = 5_000


class Tracker(OffsetRestrictionTracker):
    def try_split(self, fraction_of_remainder):
        return super().try_split(fraction_of_remainder) if fraction_of_remainder == 0 else None

    def is_bounded(self):
        return False


class Ranges(RestrictionProvider):
    def initial_restriction(self, element):
        return OffsetRange(0, 2**62)

    def create_tracker(self, restriction):
        return Tracker(restriction)

    def restriction_size(self, element, restriction):
        return 1


class Read(beam.DoFn):
    def __init__(self, partitions):
        self.partitions = partitions

    def setup(self):
        self.consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "peer-beam", "enable.auto.commit": False,
                                  "fetch.queue.backoff.ms": 2})  # fmt: skip
        self.consumer.assign([TopicPartition(TOPIC, number, 0) for number in range(self.partitions)])
        self.decode = msgspec.json.decode
        self.newest_ms = dict.fromkeys(range(self.partitions), 0)

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        element,
        tracker=beam.DoFn.RestrictionParam(Ranges()),
        watermark=beam.DoFn.WatermarkEstimatorParam(ManualWatermarkEstimator.default_provider()),
    ):
        position = tracker.current_restriction().start
        until_s = time.monotonic() + 1.0
        while time.monotonic() < until_s:
            for message in self.consumer.consume(1000, 0.1):
                if not tracker.try_claim(position):
                    return
                position += 1
                reading = self.decode(message.value())
                at_ms, partition = reading["observed_at_ms"], message.partition()
                self.newest_ms[partition] = max(self.newest_ms[partition], at_ms)
                yield TimestampedValue((reading["grid"], float(reading["value"])), at_ms / 1000)
        slowest_ms = min(self.newest_ms.values()) - DELAY_MS
        current = watermark.current_watermark()
        if slowest_ms > 0 and (current is None or Timestamp(slowest_ms / 1000) > current):
            watermark.set_watermark(Timestamp(slowest_ms / 1000))
        tracker.defer_remainder(Duration(0))


class Sums(beam.CombineFn):
    def create_accumulator(self):
        return 0, 0.0, float("inf")

    def add_input(self, sums, value):
        return sums[0] + 1, sums[1] + value, min(sums[2], value)

    def merge_accumulators(self, every):
        counts, totals, leasts = zip(*every, strict=True)
        return sum(counts), sum(totals), min(leasts)

    def extract_output(self, sums):
        return sums


class Write(beam.DoFn):
    def setup(self):
        self.producer = Producer({"bootstrap.servers": BOOTSTRAP, "linger.ms": 20, "acks": "all"})

    def process(self, row, window=beam.DoFn.WindowParam):
        grid, (readings, occupied, least) = row
        said = {
            "grid": grid,
            "start_ms": int(window.start.micros // 1000),
            "readings": readings,
            "occupied": occupied,
        }
        self.producer.produce(
            OUT, msgspec.json.encode(said | {"mean": occupied / readings, "least": least}), grid
        )

    def finish_bundle(self):
        self.producer.flush()


def run(job: str) -> None:
    """Until it is ended."""
    options = PipelineOptions(["--runner=PortableRunner", f"--job_endpoint={job}", "--streaming",
                               "--environment_type=LOOPBACK", "--job_server_timeout=36000"])  # fmt: skip
    with beam.Pipeline(options=options) as pipeline:
        (
            pipeline
            | beam.Create([0])
            | beam.ParDo(Read(int(os.environ["PARTITIONS"])))
            | beam.WindowInto(FixedWindows(10))
            | beam.CombinePerKey(Sums())
            | beam.ParDo(Write())
        )
