"""Which of Kafka's errors pass by themselves: a broker restarts, a leader is chosen, a line breaks."""

from __future__ import annotations

from typing import Final, Protocol

__all__ = ["PASSING", "LogError", "is_passing"]

PASSING: Final = {
    "_TRANSPORT": -195,
    "_ALL_BROKERS_DOWN": -187,
    "_TIMED_OUT": -185,
    "LEADER_NOT_AVAILABLE": 5,
    "NOT_LEADER_FOR_PARTITION": 6,
}
"""librdkafka's names and codes of what it overcomes by itself."""
_CODES: Final = frozenset(PASSING.values())


class LogError(Protocol):
    """What a Kafka client says of an error; `confluent_kafka.KafkaError` is one."""

    def code(self) -> int:
        """As librdkafka numbers it."""

    def retriable(self) -> bool:
        """Whether the client itself says that the same may be asked again."""


def is_passing(error: LogError) -> bool:
    """Whether it goes away by itself, so that to wait and ask again is right, and to end is wrong."""
    return error.code() in _CODES or error.retriable()
