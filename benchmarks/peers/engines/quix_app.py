"""Quix Streams: windows of ten seconds a grid, as its documentation builds them. Environment: BOOTSTRAP, TOPIC, OUT."""

import os
import tempfile
from datetime import timedelta

from quixstreams import Application
from quixstreams.dataframe.windows import Count, Min, Sum

__all__: list[str] = []

app = Application(
    broker_address=os.environ["BOOTSTRAP"],
    consumer_group=f"peer-{os.getpid()}",
    auto_offset_reset="earliest",
    use_changelog_topics=False,
    state_dir=tempfile.mkdtemp(),
    loglevel="WARNING",
)
source = app.topic(
    os.environ["TOPIC"],
    key_deserializer="str",
    value_deserializer="json",
    timestamp_extractor=lambda value, _headers, _at_ms, _kind: value["observed_at_ms"],
)
out = app.topic(os.environ["OUT"], key_serializer="str", value_serializer="json")


def row(window, grid, _at_ms, _headers):
    readings, occupied = window["readings"], window["occupied"]
    said = {"grid": grid, "start_ms": window["start"], "readings": readings, "occupied": occupied}
    return said | {"mean": occupied / readings, "least": window["least"]}


frame = app.dataframe(source)
frame = (
    frame.tumbling_window(timedelta(seconds=10), grace_ms=timedelta(seconds=5))
    .agg(readings=Count(), occupied=Sum("value"), least=Min("value"))
    .final()
)
frame = frame.apply(row, metadata=True).to_topic(out)
app.run()
