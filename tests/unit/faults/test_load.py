"""The device that the fault tests send with keeps its own order, or they would find what nobody did."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from taishi.settings import Settings
from tests.faults.load import Load, Sender


class Client:
    """A paho client that notes what it is told to publish; `connected` as the test says."""

    def __init__(self) -> None:
        self.published, self.connected = list[bytes](), True

    def publish(self, _topic: str, body: bytes, qos: int) -> SimpleNamespace:
        self.published.append(body)
        return SimpleNamespace(mid=len(self.published), qos=qos)

    def is_connected(self) -> bool:
        return self.connected


@pytest.fixture
def sender(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Sender:
    made = Sender(Settings(home=tmp_path), Load(1, 0, 100, late=False, ahead=3), oracle=None)
    monkeypatch.setattr(made, "_mqtt", Client())
    return made


def send(sender: Sender, *numbers: int) -> list[bytes]:
    """Of even numbers, which go by MQTT; their bodies."""
    for number in numbers:
        sender._send(sender.load.message(number))
    return [sender.load.message(number).body for number in numbers]


def confirm(sender: Sender, *mids: int) -> None:
    """As the thread does that waits for PUBACKs."""
    for mid in mids:
        with sender._mids_lock:
            sender._mids.pop(mid)
            sender._publish()


def test_no_more_is_under_way_than_is_said(sender: Sender) -> None:
    bodies = send(sender, 2, 4, 6, 8)
    assert sender._mqtt.published == bodies[:3]
    confirm(sender, 1)
    assert sender._mqtt.published == bodies


def test_after_a_cut_nothing_overtakes_what_was_under_way(sender: Sender) -> None:
    first = send(sender, 2, 4)
    sender._disconnected()
    more = send(sender, 6, 8)
    assert sender._mqtt.published == first, "connected again, what was under way is not confirmed yet"
    confirm(sender, 1)
    assert sender._mqtt.published == first
    confirm(sender, 2)
    assert sender._mqtt.published == first + more


def test_while_it_is_cut_off_nothing_is_handed_over(sender: Sender) -> None:
    sender._disconnected()
    sender._mqtt.connected = False
    bodies = send(sender, 2, 4)
    assert sender._mqtt.published == []
    sender._mqtt.connected = True
    bodies += send(sender, 6)
    assert sender._mqtt.published == bodies
