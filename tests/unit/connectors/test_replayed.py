"""A message that is sent again keeps the moment it came at first."""

import pytest

from connectors.mqtt.routes import replay_topic, replayed


def test_topic_and_moment_come_back():
    assert replayed(replay_topic("zigbee2mqtt/bed", 1_790_000_000_000), 1_790_000_009_000) == (
        "zigbee2mqtt/bed",
        1_790_000_000_000,
    )


@pytest.mark.parametrize(
    "topic",
    ["zigbee2mqtt/bed", "taishi/replay/bed", "taishi/replay/x/bed", "taishi/replay/5/", "taishi/replay/"],
)
def test_any_other_topic_is_itself_and_now(topic):
    assert replayed(topic, 7) == (topic, 7)


def test_nobody_comes_from_the_future():
    assert replayed(replay_topic("a", 900), 800) == ("a", 800)
