"""Bytewax: windows of ten seconds a grid, as its documentation builds them. Environment: BOOTSTRAP, TOPIC, OUT.

`python -m bytewax.run bytewax_flow -w2`: two workers, which share the topic's partitions.
"""

import os
from datetime import UTC, datetime, timedelta

import bytewax.operators as op
import bytewax.operators.windowing as win
import orjson
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators.windowing import EventClock, TumblingWindower

__all__: list[str] = []

ALIGN = datetime(2026, 1, 1, tzinfo=UTC)


def decoded(message):
    reading = orjson.loads(message.value)
    at = datetime.fromtimestamp(reading["observed_at_ms"] / 1000, UTC)
    return reading["grid"], (at, reading["value"])


def new():
    return [0, 0.0, float("inf")]


def add(sums, timed):
    value = timed[1]
    sums[0] += 1
    sums[1] += value
    sums[2] = min(sums[2], value)
    return sums


def merged(one, other):
    return [one[0] + other[0], one[1] + other[1], min(one[2], other[2])]


def row(keyed):
    grid, (window, (readings, occupied, least)) = keyed
    start_ms = int(ALIGN.timestamp() * 1000) + window * 10_000
    said = {"grid": grid, "start_ms": start_ms, "readings": readings, "occupied": occupied}
    return KafkaSinkMessage(grid.encode(), orjson.dumps(said | {"mean": occupied / readings, "least": least}))


BROKERS = [os.environ["BOOTSTRAP"]]
flow = Dataflow("windows")
source = KafkaSource(BROKERS, [os.environ["TOPIC"]], batch_size=10_000)
messages = op.input("readings", flow, source)
keyed = op.map("decoded", messages, decoded)
clock = EventClock(ts_getter=lambda timed: timed[0], wait_for_system_duration=timedelta(seconds=5))
windower = TumblingWindower(length=timedelta(seconds=10), align_to=ALIGN)
windows = win.fold_window("windows", keyed, clock, windower, new, add, merged)
rows = op.map("rows", windows.down, row)
op.output("out", rows, KafkaSink(BROKERS, os.environ["OUT"]))
