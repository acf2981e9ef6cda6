"""Which codec reads which topic."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from paho.mqtt.client import topic_matches_sub

from connectors.base import Devices, Message, Rejected
from schemas.errors import SettingsError
from schemas.quarantine import Reason

__all__ = ["REPLAY", "UNROUTED", "TopicRoutes", "Unrouted", "replay_topic", "replayed"]

UNROUTED: Final = "unrouted"
"""Codec name of topics without a route: a session may still hold a subscription of former settings."""

REPLAY: Final = "taishi/replay/"
"""Below it, a message that came before is sent again: `taishi/replay/<received, ms>/<its topic>`."""
_REMEMBERED: Final = 65_536
_MS_DIGITS: Final = 15


def replay_topic(topic: str, received_at_ms: int) -> str:
    """Where a message that came then by that topic is sent again."""
    return f"{REPLAY}{received_at_ms}/{topic}"


def replayed(topic: str, now_ms: int) -> tuple[str, int]:
    """The topic by which a message came at first, and when; of any other message its topic, and now."""
    if not topic.startswith(REPLAY):
        return topic, now_ms
    received, _, original = topic[len(REPLAY) :].partition("/")
    known = received.isdecimal() and len(received) <= _MS_DIGITS and original
    return (original, min(int(received), now_ms)) if known else (topic, now_ms)


class Unrouted:
    """Takes nothing, and says so."""

    def decode(self, message: Message, registry: Devices) -> Rejected:  # noqa: ARG002 - a codec's signature
        """Always `unsupported`."""
        return Rejected(Reason.UNSUPPORTED, f"received topic {message.address!r}, allowed: one with a route")


class TopicRoutes:
    """Topic filters (`+`, `#`) to codec names; the first that matches wins.

    SettingsError for a bad filter.
    """

    def __init__(self, routes: Mapping[str, str]) -> None:
        if not routes:
            raise SettingsError("MQTT routes: received none, allowed: topic filter = codec")
        for each in routes:
            _check(each)
        self._routes = dict(routes)
        self.codec_of = lru_cache(_REMEMBERED)(self._find)

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe to."""
        return tuple(self._routes)

    def _find(self, topic: str) -> str:
        for topic_filter, codec in self._routes.items():
            if topic_matches_sub(topic_filter, topic):
                return codec
        return UNROUTED


def _check(topic_filter: str) -> None:
    levels = topic_filter.split("/")
    wild = [level for level in levels if "+" in level or "#" in level]
    if not topic_filter or any(level not in {"+", "#"} for level in wild) or "#" in levels[:-1]:
        raise SettingsError(
            f"MQTT topic filter: received {topic_filter!r}, allowed: levels with + alone, # alone and last"
        )
