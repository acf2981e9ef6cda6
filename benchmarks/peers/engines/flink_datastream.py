"""PyFlink DataStream: windows of ten seconds a grid, in Python. Environment: BOOTSTRAP, TOPIC, OUT, JARS."""

import os
import pathlib
import sys

import orjson
from pyflink.common import Configuration, Duration, SimpleStringSchema, Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from pyflink.datastream.functions import AggregateFunction, ProcessWindowFunction
from pyflink.datastream.window import TumblingEventTimeWindows

__all__: list[str] = []


class Observed(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[2]


class Sums(AggregateFunction):
    def create_accumulator(self):
        return 0, 0.0, float("inf")

    def add(self, value, sums):
        return sums[0] + 1, sums[1] + value[1], min(sums[2], value[1])

    def get_result(self, sums):
        return sums

    def merge(self, one, other):
        return one[0] + other[0], one[1] + other[1], min(one[2], other[2])


class Row(ProcessWindowFunction):
    def process(self, grid, context, elements):
        ((readings, occupied, least),) = elements
        said = {"grid": grid, "start_ms": context.window().start, "readings": readings, "occupied": occupied}
        yield orjson.dumps(said | {"mean": occupied / readings, "least": least}).decode()


def decoded(text):
    reading = orjson.loads(text)
    return reading["grid"], float(reading["value"]), reading["observed_at_ms"]


configuration = Configuration()
jars = sorted(pathlib.Path(os.environ["JARS"]).glob("*.jar"))
configuration.set_string("pipeline.jars", ";".join(jar.as_uri() for jar in jars))
configuration.set_string("python.executable", sys.executable)
configuration.set_string("python.client.executable", sys.executable)
environment = StreamExecutionEnvironment.get_execution_environment(configuration)
# A task a partition: a watermark of two partitions together drops what the slower one brings later.
environment.set_parallelism(int(os.environ["PARTITIONS"]))
source = (
    KafkaSource.builder()
    .set_bootstrap_servers(os.environ["BOOTSTRAP"])
    .set_topics(os.environ["TOPIC"])
    .set_group_id("peer-pyflink")
    .set_starting_offsets(KafkaOffsetsInitializer.earliest())
    .set_property("isolation.level", "read_committed")
    .set_value_only_deserializer(SimpleStringSchema())
    .build()
)
sink = (
    KafkaSink.builder()
    .set_bootstrap_servers(os.environ["BOOTSTRAP"])
    .set_record_serializer(
        KafkaRecordSerializationSchema.builder()
        .set_topic(os.environ["OUT"])
        .set_value_serialization_schema(SimpleStringSchema())
        .build()
    )
    .build()
)
watermarks = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(5)).with_timestamp_assigner(
    Observed()
)
(
    environment.from_source(source, WatermarkStrategy.no_watermarks(), "readings")
    .map(decoded, Types.TUPLE([Types.STRING(), Types.DOUBLE(), Types.LONG()]))
    .assign_timestamps_and_watermarks(watermarks)
    .key_by(lambda value: value[0], Types.STRING())
    .window(TumblingEventTimeWindows.of(Time.seconds(10)))
    .aggregate(
        Sums(),
        Row(),
        accumulator_type=Types.TUPLE([Types.LONG(), Types.DOUBLE(), Types.DOUBLE()]),
        output_type=Types.STRING(),
    )
    .sink_to(sink)
)
environment.execute("windows")
