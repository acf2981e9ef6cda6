"""What the log says of its shards is asked again while its error passes, and only then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from operations.outgoing import tail
from pipelines.io import bounds
from pipelines.io.bounds import bounds_of, offset_at, partitions_of
from schemas.log_errors import PASSING, is_passing
from taishi.alerts import read as alerts_read

MOVED = KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION)
FORBIDDEN = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)


class Log:
    """A consumer whose broker answers with these errors first, and then well; `poll` would lose a record."""

    def __init__(self, *errors: KafkaError) -> None:
        self.errors = list(errors)
        self.asked = 0

    def _answer(self) -> KafkaError | None:
        self.asked += 1
        return self.errors.pop(0) if self.errors else None

    def get_watermark_offsets(self, *_: object, **__: object) -> tuple[int, int]:
        if error := self._answer():
            raise KafkaException(error)
        return 3, 7

    def offsets_for_times(self, shards: list[TopicPartition], **_: object) -> list[Any]:
        error = self._answer()
        return [
            SimpleNamespace(offset=-1001 if error else 5, error=error, partition=s.partition) for s in shards
        ]

    def list_topics(self, topic: str, **_: object) -> Any:
        return SimpleNamespace(topics={topic: SimpleNamespace(error=None, partitions={1: 0, 0: 0})})

    def assign(self, shards: list[TopicPartition]) -> None:
        self.assigned = [(shard.partition, shard.offset) for shard in shards]

    def position(self, shards: list[TopicPartition]) -> list[TopicPartition]:
        return [TopicPartition(shard.topic, shard.partition, 7) for shard in shards]

    def consume(self, *_: object, **__: object) -> list[Any]:
        return []

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "_AGAIN_S", 0.001)


def test_the_codes_are_those_that_librdkafka_names() -> None:
    assert {name: getattr(KafkaError, name) for name in PASSING} == PASSING


@pytest.mark.parametrize("code", PASSING.values())
def test_errors_of_a_broker_that_restarts_pass(code: int) -> None:
    assert is_passing(KafkaError(code))


def test_an_error_that_stays_does_not_pass() -> None:
    assert not is_passing(FORBIDDEN)


ASK: dict[str, tuple[Callable[[Any], object], object]] = {
    "bounds": (lambda log: bounds_of(log, "alerts", 0), (3, 7)),
    "moment": (lambda log: offset_at(log, "alerts", 0, 1_795_392_000_000), 5),
}


@pytest.mark.parametrize("what", ASK)
def test_a_shard_whose_leader_moved_is_asked_again_until_it_answers(what: str) -> None:
    ask, answer = ASK[what]
    log = Log(MOVED, MOVED)
    assert ask(log) == answer
    assert log.asked == 3


@pytest.mark.parametrize("what", ASK)
def test_what_will_not_pass_is_told_at_once(what: str) -> None:
    log = Log(FORBIDDEN, FORBIDDEN)
    with pytest.raises(KafkaException):
        ASK[what][0](log)
    assert log.asked == 1


def test_it_gives_up_when_time_is_up_with_the_last_error() -> None:
    with pytest.raises(KafkaException, match="NOT_LEADER"):
        bounds_of(Log(*[MOVED] * 1000), "alerts", 0, timeout_s=0.02)


def test_a_topic_of_which_metadata_is_on_its_way_is_asked_again() -> None:
    log = Log()
    waiting = SimpleNamespace(error=KafkaError(KafkaError.LEADER_NOT_AVAILABLE), partitions={})
    answers = [SimpleNamespace(topics={"alerts": waiting})]
    well = log.list_topics
    log.list_topics = lambda topic, **_: answers.pop() if answers else well(topic)  # type: ignore[method-assign]
    assert partitions_of(log, "alerts") == [0, 1]
    assert answers == []


def test_alerts_are_read_although_the_leader_moved_at_that_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(MOVED, MOVED)
    monkeypatch.setattr(alerts_read, "Consumer", lambda _settings: log)
    assert alerts_read.read_alerts("kafka:9092") == []
    assert log.asked == 3


@pytest.mark.parametrize("since_ms", [None, 1_795_392_000_000])
def test_a_tail_waits_for_the_leader_of_its_topic(
    since_ms: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(MOVED, MOVED)
    monkeypatch.setattr(tail, "Consumer", lambda _settings: log)
    monkeypatch.setattr(tail, "_POLL_S", 0.001)
    mine = tail.Tail("kafka:9092", "alerts", lambda _value: None, since_ms)
    stopping = threading.Event()
    reading = threading.Thread(target=mine.run, args=(stopping,))
    reading.start()
    try:
        assert mine._caught_up.wait(5)
    finally:
        stopping.set()
        reading.join(5)
    assert log.assigned == [(0, 3 if since_ms is None else 5)]
