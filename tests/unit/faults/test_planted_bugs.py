"""The judge catches what has destroyed data elsewhere: eight planted bugs, each beside the right part.

A planted bug is a wrong variant of one real part, in this file only. The same known messages go through the
right parts, of which nothing may be said, and through the wrong one, of which the word must be said.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pytest

from connectors.alarms import SIGNAL_OF
from connectors.base import Decoded, Devices, Rejected
from connectors.base import Message as Arrived
from connectors.codecs import load_codecs
from connectors.gateway import Gateway, Limits
from connectors.producer import LogProducer, Record
from operations.cases.config import shipped_config
from operations.cases.decide import SYSTEM
from operations.store.casebook import CaseBook
from pipelines.io.influxdb import InfluxDb, RefusedPoint
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.points import line
from pipelines.kernels.rollup import PlaceWindow
from pipelines.kernels.signals.fold import SignalsState, fold_signals
from pipelines.transforms.advance import Write
from schemas.alerts import Alert
from schemas.calendar import ZONE
from schemas.topics import SIGNALS
from taishi.settings import Settings
from tests.contract.influxdb_fake import fake_influxdb
from tests.faults.ends import windows
from tests.faults.judge import Ends, Obligation, Seen, Verdict, judge
from tests.faults.load import ALARM_DEVICES, ALARMS, Message, content
from tests.faults.small_city import (
    DOMAIN,
    LOAD,
    Door,
    OldestSource,
    SmallKafka,
    SmallSink,
    accounted,
    folded,
    lines_of,
    messages,
    on_log,
    sent,
    store_of,
)

LATENESS_MS = 600_000
NATIVE = load_codecs(["native"], {})["native"]


def plain(message: Message) -> bytes:
    return message.body


def run(
    *,
    door: Callable[[SmallKafka], Door] = Door,
    body: Callable[[Message], bytes] = plain,
    write: type[Write] = Write,
    source: type[OldestSource] = OldestSource,
    store: type[InfluxDb] = InfluxDb,
    point: Callable[[PlaceWindow], str] = line,
) -> Verdict:
    """Known messages through a connector that dies, a Kafka and an InfluxDB that refuse once."""
    kafka, sink = SmallKafka(), SmallSink()
    issued = sent(messages(), kafka, lambda: door(kafka), body)
    folded(kafka, sink, write, source)
    with fake_influxdb() as influxdb:
        client = store_of(influxdb.url, store)
        client.create_database()
        influxdb.faults += [(429, {"Retry-After": "1"}, "busy"), (503, {}, "")]
        for start in range(0, len(lines := lines_of(sink, point)), 5):
            assert client.write(lines[start : start + 5], "taishi/10s") == []
        held = windows(Settings(influxdb_address=influxdb.url), "taishi")
        client.close()
    found = Ends(readings=on_log(kafka), windows=held, accounted=accounted(sink))
    return judge(issued, found, LATENESS_MS)


def test_of_the_right_parts_nothing_is_said_but_that_some_was_delivered_again() -> None:
    verdict = run()
    assert verdict.broken == {}, verdict.table()


class AcksFirst(LogProducer):
    """Says "taken" when it has given the records away, not when the log has them."""

    def deliver(self, records: Sequence[Record], on_delivered: Callable[[], None]) -> None:
        super().deliver(records, lambda: None)
        on_delivered()


def test_an_acknowledgement_before_the_delivery_report_is_caught() -> None:
    verdict = run(door=lambda kafka: Door(kafka, producer=AcksFirst))
    assert verdict.counts["readings"]["lost"] > 0
    assert verdict.counts["windows"]["lost"] > 0


class DropsOn429(InfluxDb):
    """Takes "too many requests" for an answer."""

    def _pause(self, attempt: int, asked_s: float | None, why: str) -> None:
        if why == "status 429":
            raise TimeoutError
        super()._pause(attempt, asked_s, why)

    def _write_batch(self, lines: Sequence[str], bucket: str) -> list[RefusedPoint]:
        try:
            return super()._write_batch(lines, bucket)
        except TimeoutError:
            return []


def test_points_dropped_on_429_are_caught() -> None:
    verdict = run(store=DropsOn429)
    assert verdict.broken.keys() == {"lost"}
    assert verdict.counts["windows"]["lost"] > 0


class Swallows(Write):
    """A DoFn that goes on after an error, so that the checkpoint passes what was not written."""

    def process(self, folded: tuple[str, Any]) -> Iterator[str]:
        try:
            yield from super().process(folded)
        except Exception:  # noqa: BLE001 - the planted bug
            yield folded[0]


def test_an_exception_swallowed_in_a_dofn_is_caught() -> None:
    verdict = run(write=Swallows)
    assert verdict.broken.keys() == {"lost"}
    assert verdict.counts["windows"]["lost"] > 0


class Latest(OldestSource):
    """Begins at the log's end where no checkpoint says otherwise."""

    def _start(self, shard: str, wanted: int | None) -> int:
        return self.bounds(shard)[1] if wanted is None else super()._start(shard, wanted)


def test_an_offset_reset_to_latest_is_caught() -> None:
    verdict = run(source=Latest)
    assert verdict.broken.keys() == {"lost", "late_unaccounted"}
    assert verdict.counts["windows"].total() == len(messages())


def in_local_time(message: Message) -> bytes:
    """The message with its time in ISO 8601, with the offset of the district."""
    said = json.loads(message.body)
    moment = datetime.fromtimestamp(said.pop("observed_at_ms") / 1000, ZONE)
    return json.dumps(said | {"observed_at": moment.isoformat(timespec="milliseconds")}).encode()


class Naive:
    """Reads a local time and forgets of what zone it is."""

    def decode(self, message: Arrived, devices: Devices) -> Decoded | Rejected:
        said = json.loads(message.payload)
        moment = datetime.fromisoformat(said["observed_at"]).replace(tzinfo=UTC)
        said["observed_at"] = moment.isoformat()
        return NATIVE.decode(msgspec.structs.replace(message, payload=json.dumps(said).encode()), devices)


def test_a_naive_datetime_is_caught() -> None:
    assert run(body=in_local_time).broken == {}
    verdict = run(body=in_local_time, door=lambda kafka: Door(kafka, codec=Naive()))
    assert verdict.counts["readings"] == Counter(lost=len(messages()), spurious=len(messages()))
    assert verdict.counts["windows"]["lost"] == len(messages())


def of_community(window: PlaceWindow) -> str:
    """A point whose place is cut: grids of one community are one series."""
    return re.sub(r"place=(\w{12})\w+", r"place=\g<1>001", line(window))


def of_minute(window: PlaceWindow) -> str:
    """A point whose time is cut: windows of one minute are one point."""
    return line(PlaceWindow(**{name: getattr(window, name) for name in PlaceWindow.__slots__}
                            | {"start_ms": window.start_ms // 60_000 * 60_000}))  # fmt: skip


@pytest.mark.parametrize("collides", [of_community, of_minute])
def test_points_that_collide_in_tag_or_time_are_caught(collides: Callable[[PlaceWindow], str]) -> None:
    verdict = run(point=collides)
    assert verdict.counts["windows"]["lost"] > 0


class NeverFull(Gateway):
    """Takes whatever comes, however much waits."""

    def room(self) -> int:
        return 1_000


@pytest.mark.parametrize(("kind", "most", "words"), [(Gateway, 100, set()), (NeverFull, 400, {"over_bound"})])
def test_a_queue_without_a_bound_is_caught_while_kafka_is_away(
    kind: type[Gateway], most: int, words: set[str]
) -> None:
    kafka, wanted = SmallKafka(), messages(60)[:400]
    door = Door(kafka, gateway=kind, limits=Limits(messages=100))
    waiting = 0
    for message in wanted:
        if door.gateway.has_room():
            door.take(message, message.body)
        waiting = max(waiting, door.gateway.in_flight)
    kafka.confirm()
    issued = [each for each in wanted if each.id in door.acked]
    door.close()
    found = Ends(readings=on_log(kafka), waiting={"connect-mqtt": (waiting, 100)})
    verdict = judge((), found, LATENESS_MS)
    assert waiting == most == len(issued)
    assert verdict.counts["senders"].keys() == words


def alarms() -> list[Message]:
    """Ten alarms, each of a device and a grid of its own."""
    made = []
    for number, (device, kind, grid) in enumerate(ALARM_DEVICES[:10]):
        metric = ALARMS[number % len(ALARMS)][1]
        at_ms = LOAD.start_ms + number * 1_000
        made.append(Message(number, device, kind.partition(".")[0], grid, kind, metric, 1, at_ms, True))
    return made


def heard(kafka: SmallKafka) -> list[Alert]:
    """The alerts of the signals on the log, by the real fold; each is heard twice, as after a restart."""
    signals = [(append_ms, value) for topic, append_ms, value in kafka.log if topic == SIGNALS]
    offsets, times = np.arange(len(signals)), np.array([append_ms for append_ms, _ in signals])
    batch = ShardBatch("signals/0", 0, len(signals), offsets, times, [value for _, value in signals])
    return [alert for _, alert in fold_signals(SignalsState(), batch).alerts] * 2


class OpensAnew:
    """A desk that opens a case for every alert it hears, whatever it has opened."""

    def __init__(self) -> None:
        self._cases: list[str] = []

    def hear(self, alert: Alert) -> None:
        self._cases.append(alert.id)

    def held(self) -> list[str]:
        return self._cases


class Desk:
    """The real case book, whose categories open a case by themselves."""

    def __init__(self, url: str) -> None:
        config = shipped_config()
        automatic = {code: msgspec.structs.replace(c, auto=True) for code, c in config.categories.items()}
        self._book = CaseBook(url, replace(config, categories=automatic))
        self._offset = 0

    def hear(self, alert: Alert) -> None:
        self._offset += 1
        self._book.take("alerts", [alert], self._offset, alert.onset_ms)
        self._book.open_by_rule([alert], SYSTEM, alert.onset_ms + self._offset)

    def held(self) -> list[str]:
        cases = list(self._book.cases_between(0, 2**50))
        self._book.close()
        return [id_ for case in cases for id_ in case.alerts]


def of_alarms(desk: Desk | OpensAnew) -> Verdict:
    """Ten alarms through a connector that dies, the fold of signals, and a desk that hears all twice."""
    kafka = SmallKafka()
    issued: list[Obligation] = sent(alarms(), kafka, lambda: Door(kafka), plain)
    found = heard(kafka)
    keys = {f"signal.{kind}": key for key, kind in SIGNAL_OF.items()}
    ids = {each.key: each.id for each in issued}
    seen = {a.id: Seen(ids[a.device], content(keys[a.rule], a.count, a.place)) for a in found}
    for alert in found:
        desk.hear(alert)
    cases = [seen[id_] for id_ in desk.held()]
    return judge(issued, Ends(alerts=list(seen.values()), cases=cases), LATENESS_MS)


def test_a_case_opened_again_for_what_is_heard_again_is_caught(tmp_path: Any) -> None:
    right = of_alarms(Desk(f"sqlite:///{tmp_path / 'desk.db'}"))
    assert (right.counts["alerts"], right.counts["cases"]) == (Counter(), Counter()), right.table()
    assert of_alarms(OpensAnew()).counts["cases"] == Counter(duplicated_effect=len(alarms()))


def test_every_message_of_the_small_city_is_of_one_domain_and_counted_by_it() -> None:
    assert {message.domain for message in messages()} == {DOMAIN}
    assert len({message.id for message in messages()}) == len(messages()) > 200
