"""The city's way out: it waits for a door that is down, and stops when told all the same."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from simulation.publish import Publisher, PublisherSettings
from simulation.vendors.outgoing import Outgoing

QUEUED = 2_000  # what each queue of the publisher holds


@pytest.fixture
def closed_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("transport", ["mqtt", "http"])
def test_with_the_door_down_it_fills_its_queue_waits_and_gives_up_when_told(closed_port, transport):
    settings = PublisherSettings("127.0.0.1", closed_port, f"http://127.0.0.1:{closed_port}")
    asked = 0

    def give_up() -> bool:
        nonlocal asked
        asked += 1
        return asked == 3

    with Publisher(settings) as publisher:
        sent = publisher.send((Outgoing(transport, "v", "/a", b"{}") for _ in range(2 * QUEUED)), give_up)
        left = publisher.drain(0.0)
    assert asked == 3, "it waited, and looked whether to go on"
    assert QUEUED <= sent < 2 * QUEUED
    assert left == sent, "nothing was acknowledged, and what was not taken is not waited for"


def test_a_city_with_the_door_down_ends_when_told(closed_port, tmp_path):
    environment = os.environ | {
        "TAISHI_HOME": str(tmp_path),
        "TAISHI_MQTT_PORT": str(closed_port),
        "TAISHI_HTTP_PORT": str(closed_port),
    }
    words = ["simulate", "--rate", "3000"]
    log = tmp_path / "log"
    with (
        log.open("wb") as file,
        subprocess.Popen(
            [sys.executable, "-m", "taishi.cli.main", *words], env=environment, stderr=file, stdout=file
        ) as city,
    ):
        wait_for(lambda: "city started" in log.read_text("utf-8"), city)
        city.send_signal(signal.SIGTERM)
        assert city.wait(60) == 0, log.read_text("utf-8")
    assert "city stopped" in log.read_text("utf-8")
    assert ", 0 answered" in log.read_text("utf-8")


def wait_for(condition, process):
    deadline_s = time.monotonic() + 60
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < deadline_s
        threading.Event().wait(0.05)
