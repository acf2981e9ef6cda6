"""Topics: made once, verified ever after, refused by name when they are not as declared."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from schemas.errors import SettingsError
from schemas.topics import LATE, QUARANTINE, TOPICS
from taishi.topics import TopicsError, create, differences

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack


def test_all_topics_are_there_as_declared(stack: Stack) -> None:
    verified = stack.run("topics", "verify")
    assert verified.returncode == 0, verified.stderr
    rows = json.loads(stack.run("topics", "list", "--json").stdout)
    assert [row["topic"] for row in rows] == list(TOPICS)
    assert all(row["present"] and not row["differences"] for row in rows)
    assert create(stack.kafka_bootstrap) == []


def test_another_number_of_partitions_or_setting_is_refused_by_name(stack: Stack) -> None:
    wanted = replace(TOPICS[LATE], partitions=3, config={"retention.ms": "1"})
    with pytest.raises(
        SettingsError,
        match=r"topic late: partitions: received 1, wanted 3; topic late: retention\.ms: received",
    ):
        create(stack.kafka_bootstrap, [wanted, TOPICS[QUARANTINE]])


def test_an_undeclared_setting_may_be_anything() -> None:
    topic = TOPICS[LATE]
    assert differences(topic, topic.partitions, topic.config | {"segment.bytes": "7"}) == []


def test_a_kafka_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taishi.topics.LIMIT_S", 0.5)
    with pytest.raises(TopicsError, match=r"Kafka at 127\.0\.0\.1:1 "):
        create("127.0.0.1:1")
