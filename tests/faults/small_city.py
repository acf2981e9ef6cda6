"""The real parts on one thread: codec, gateway, producer, fold, points, store client; Kafka is held here.

What a wrong variant of one does to known messages is what the judge must catch (test_planted_bugs.py).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
from confluent_kafka import KafkaError, KafkaException

from connectors.base import Codec, Device
from connectors.base import Message as Arrived
from connectors.codecs import load_codecs
from connectors.gateway import Gateway, Limits
from connectors.producer import LogProducer
from connectors.resolve import Resolver
from pipelines.io.influxdb import InfluxDb, InfluxSettings
from pipelines.io.sink import Record
from pipelines.io.source import ShardSource
from pipelines.jobs.aggregate import AggregateJob
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.plan import SCALE, plan_for
from pipelines.kernels.points import line as point
from pipelines.kernels.rollup import PlaceWindow
from pipelines.kernels.state import FoldSettings
from pipelines.transforms.advance import Checkpoint, Fold, Write
from pipelines.transforms.runtime import runtime_of
from schemas.store import policies
from schemas.topics import LATE, WINDOWS
from schemas.windows import Window, WindowRecord
from tests.faults.judge import Obligation, Seen
from tests.faults.load import ALARM_DEVICES, DEVICES, WINDOW_MS, Load, Message, content

DOMAIN = "security"
TOPIC = f"readings.{DOMAIN}"
TOGETHER = 50
LOAD = Load(seed=370202, start_ms=time.time_ns() // 1_000_000 // 60_000 * 60_000, rate_per_s=30)
"""From the beginning of this minute on: ten seconds are 300 messages, a third of them the domain's."""
EVER = policies((10, 60, 3600), dict.fromkeys(("10s", "1m", "1h", "events"), 36_500))
_TRANSPORTS = (f"small{number}" for number in count())


class SmallKafka:
    """What confluent's client is to the producer: `confirm` is the broker's word, `crash` a process's end."""

    def __init__(self) -> None:
        self.log: list[tuple[str, int, bytes]] = []
        self.now_ms = LOAD.start_ms
        self._waiting: list[tuple[str, bytes, Callable[[None, None], None]]] = []
        self._idle = threading.Event()

    def produce(self, topic: str, value: bytes, _key: str, **given: Any) -> None:
        """Take a record that nothing is known of yet."""
        self._waiting.append((topic, value, given["on_delivery"]))

    def confirm(self) -> None:
        """Append all that waits, and report it."""
        waiting, self._waiting = self._waiting, []
        for topic, value, on_delivery in waiting:
            self.log.append((topic, self.now_ms, value))
            on_delivery(None, None)

    def crash(self) -> None:
        """What waited in the process is gone with it."""
        self._waiting = []

    def poll(self, limit_s: float) -> int:
        """Nothing comes by itself."""
        self._idle.wait(limit_s)
        return 0

    def flush(self, _limit_s: float) -> int:
        """Nothing is waited for."""
        return len(self._waiting)


class Door:
    """A connector: a gateway over a producer of the given sort; `acked` are the ids of what it took."""

    def __init__(
        self,
        kafka: SmallKafka,
        producer: type[LogProducer] = LogProducer,
        codec: Codec | None = None,
        gateway: type[Gateway] = Gateway,
        limits: Limits | None = None,
    ) -> None:
        self._kafka, self._fatal = kafka, list[str]()
        self._producer = producer("127.0.0.1:1", self._fatal.append)
        self._producer._producer = kafka
        kinds = {device: (f"{domain}.access", grid) for device, domain, grid in DEVICES if domain == DOMAIN}
        kinds |= {device: (kind, grid) for device, kind, grid in ALARM_DEVICES}
        devices = {
            name: Device(name, "", kind, grid, None, "", None, simulated=False)
            for name, (kind, grid) in kinds.items()
        }
        codecs = {"native": codec} if codec else load_codecs(["native"], {})
        places = SimpleNamespace(locate=lambda *_: None, has_grid=lambda *_: True)
        resolver = Resolver(devices, places)  # type: ignore[arg-type]
        self.gateway = gateway(next(_TRANSPORTS), codecs, devices, resolver, self._producer, limits)
        self.acked: set[str] = set()

    def take(self, message: Message, body: bytes) -> None:
        """One message of a device."""
        self._kafka.now_ms = message.observed_ms + 50
        arrived = Arrived(body, message.device, message.observed_ms + 20)
        self.gateway.accept(arrived, "native", lambda _outcome: self.acked.add(message.id))

    def close(self) -> None:
        """The process's end."""
        self._producer.close(0)
        assert self._fatal == []


def messages(seconds: int = 30) -> list[Message]:
    """What is sent in so many seconds by the devices of the domain."""
    sent = (LOAD.message(number) for number in range(seconds * LOAD.rate_per_s))
    return [each for each in sent if each.domain == DOMAIN]


def obligation(message: Message, *, acked: bool) -> Obligation:
    """A message as the ledger would say it was issued."""
    window = (message.domain, message.grid, message.observed_ms // WINDOW_MS * WINDOW_MS)
    amount = 0.0 if message.alarm else float(message.value)
    return Obligation(message.id, message.number, message.device, message.content, window, amount,
                      message.observed_ms, acked, message.alarm)  # fmt: skip


def sent(
    wanted: Sequence[Message], kafka: SmallKafka, door: Callable[[], Door], body: Callable[[Message], bytes]
) -> list[Obligation]:
    """Send all; half-way the connector dies between Kafka's words; what it had not taken is sent again."""
    acked: set[str] = set()
    halves = (wanted[: len(wanted) // 2 + 7], wanted)
    for half in halves:
        connector = door()
        for number, message in enumerate(each for each in half if each.id not in acked):
            connector.take(message, body(message))
            if number % 10 == 9:
                kafka.confirm()
        if half is wanted:
            kafka.confirm()
        kafka.crash()
        acked |= connector.acked
        connector.close()
    return [obligation(message, acked=message.id in acked) for message in wanted]


def on_log(kafka: SmallKafka) -> list[Seen]:
    """The readings of the domain as they stand on the log."""
    found = []
    for topic, append_ms, value in kafka.log:
        if topic == TOPIC:
            each = msgspec.json.decode(value)
            what = content(f"{each['kind']}.{each['metric']}", each["value"], each["grid"])
            found.append(Seen(each["id"], what, append_ms))
    return found


class SmallSink:
    """To a Kafka that does not confirm the first batch with readings in its windows, the first time."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._refused = False

    def post(self, records: Sequence[Record]) -> None:
        """Append, or raise as the real one when a record is not confirmed, which it may say later."""
        counts = [window.metrics["readings"] for window in _windows(records)]
        if any(counts) and not self._refused:
            self._refused = True
            raise KafkaException(KafkaError(KafkaError._MSG_TIMED_OUT))
        self.records += records


class OldestSource(ShardSource):
    """The real choice of where to begin, over a log that is held here."""

    def __init__(self, records: int) -> None:
        self._records = records

    def bounds(self, _shard: str, _timeout_s: float = 0.0) -> tuple[int, int]:
        """From the first to the end."""
        return 0, self._records


class SmallLine:
    """The order of `pipelines.jobs.line` without Kafka: its checkpoint outlives it in `checkpoints`."""

    def __init__(
        self, log: Sequence[tuple[int, bytes]], sink: SmallSink, source: ShardSource, checkpoints: list[bytes]
    ) -> None:
        self._log, self._source, self._checkpoints = log, source, checkpoints
        factory = SimpleNamespace(fold=FoldSettings(), district="370202", topic_prefix="")
        self._job = AggregateJob(factory, {TOPIC: 1}, sink)  # type: ignore[arg-type]

    def start(self) -> None:
        """From the checkpoint, or from where the source says."""
        if self._checkpoints:
            self._state = self._job.from_bytes(self._checkpoints[-1])
            return
        self._state = self._job.initial(f"{TOPIC}/0")
        self._job.start_at(self._state, self._source._start(f"{TOPIC}/0", None))

    def read(self) -> Iterator[ShardBatch]:
        """All that is left, in batches."""
        for start in range(self._job.next_offset(self._state), len(self._log), TOGETHER):
            part = self._log[start : start + TOGETHER]
            offsets = np.arange(start, start + len(part), dtype=np.int64)
            times = np.array([append_ms for append_ms, _ in part], np.int64)
            values: list[bytes | None] = [value or None for _, value in part]
            yield ShardBatch(f"{TOPIC}/0", start, start + len(part), offsets, times, values)

    def fold(self, batch: ShardBatch) -> list[Record]:
        """As the job does."""
        return self._job.fold(self._state, batch)

    def write(self, outputs: list[Record]) -> None:
        """As the job does."""
        self._job.write(outputs)

    def checkpoint(self, _shard: str) -> bool:
        """Always due."""
        self._checkpoints.append(self._job.to_bytes(self._state))
        return True


def folded(
    kafka: SmallKafka, sink: SmallSink, write: type[Write] = Write, source: type[OldestSource] = OldestSource
) -> None:
    """The whole log through Fold, Write and Checkpoint into the sink; a process that dies begins again."""
    log = [(append_ms, value) for topic, append_ms, value in kafka.log if topic == TOPIC]
    log.append((kafka.now_ms + 60_000, b""))  # a tick closes the last windows
    checkpoints: list[bytes] = []
    while True:
        line = SmallLine(log, sink, source(len(log)), checkpoints)

        def runtime(line: SmallLine = line) -> Any:
            return line

        try:
            _through(runtime, write)
        except KafkaException:
            continue
        return


def _through(runtime: Callable[[], Any], write: type[Write]) -> None:
    fold, writer, checkpoint = Fold(runtime), write(runtime), Checkpoint(runtime)
    for batch in runtime_of(runtime).read():
        for output in fold.process(batch):
            for shard in writer.process(output):
                list(checkpoint.process(shard))


def accounted(sink: SmallSink) -> set[str]:
    """Ids of the readings in the topic `late`."""
    return {record.key.decode() for record in sink.records if record.topic == LATE and record.key}


def lines_of(sink: SmallSink, line: Callable[[PlaceWindow], str] = point) -> list[str]:
    """The windows of 10 s as points of their grids."""
    return [line(_place_window(window)) for window in _windows(sink.records)]


def _windows(records: Sequence[Record]) -> list[Window]:
    """Those of 10 s."""
    said = [msgspec.json.decode(r.value or b"", type=WindowRecord) for r in records if r.topic == WINDOWS]
    return [each for each in said if isinstance(each, Window) and each.window_s == 10]


def _place_window(window: Window) -> PlaceWindow:
    values: Mapping[str, float] = window.metrics
    fixed = np.array([round(values[name] * SCALE) for name in plan_for(DOMAIN).measures], np.int64)
    return PlaceWindow(DOMAIN, "grid", window.grid, 10, window.start_ms, window.revision, 1, True, fixed)


def store_of(url: str, kind: type[InfluxDb] = InfluxDb) -> InfluxDb:
    """A client of the store that never waits."""
    return kind(InfluxSettings(url, "taishi", policies=EVER), lambda _seconds: None)
