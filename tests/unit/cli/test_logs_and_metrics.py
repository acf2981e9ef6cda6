"""Every process's log lines and its metrics port, in a process of their own."""

import json
import socket
import subprocess
import sys
import urllib.request

import pytest

from schemas.errors import SettingsError
from taishi import logs, metrics

LOGGING = """
import logging, structlog, warnings
from taishi import logs
logs.configure("connect-mqtt")
structlog.get_logger().info("connected", topic="停车")
structlog.get_logger().debug("not shown")
logging.getLogger("paho").warning("retry %d", 3)
logging.getLogger("httpx").info("HTTP Request: POST")
warnings.warn("old way", stacklevel=1)
secret = "hunter2"
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger().exception("failed")
"""


@pytest.fixture(scope="module")
def lines():
    done = subprocess.run([sys.executable, "-c", LOGGING], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_every_line_says_when_who_and_how_grave(lines):
    assert [line["level"] for line in lines] == ["info", "warning", "warning", "error"]
    for line in lines:
        assert line["part"] == "connect-mqtt"
        assert line["at"].endswith("Z")
        assert line["event"]


def test_fields_stand_beside_the_event_in_their_own_script(lines):
    assert lines[0]["topic"] == "停车"


def test_the_standard_library_and_warnings_take_the_same_way(lines):
    assert lines[1]["event"] == "retry 3"
    assert "old way" in lines[2]["event"]


def test_a_traceback_holds_no_values_of_variables(lines):
    assert lines[3]["exception"][0]["exc_type"] == "ZeroDivisionError"
    assert "hunter2" not in json.dumps(lines[3]["exception"])


def test_a_level_that_is_none_is_refused_by_name():
    with pytest.raises(ValueError, match="loud"):
        logs.configure("x", level="loud")


SERVING = """
import sys
from prometheus_client import Counter
from taishi import metrics
Counter("taishi_example", "an example").inc()
metrics.serve(int(sys.argv[1]))
print("serving", flush=True)
sys.stdin.read()
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


def test_metrics_are_served_on_the_port():
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", SERVING, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "serving\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert b"taishi_example_total 1.0" in answer.read()
        process.communicate("")


def test_a_taken_port_is_named_with_its_setting():
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"{port} .* metrics_port"):
            metrics.serve(port)


def test_port_0_serves_nothing():
    metrics.serve(0)
