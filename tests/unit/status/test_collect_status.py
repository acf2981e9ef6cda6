"""Asking the parts: everything down is an answer, never an exception."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from deploy.embedded.settings import METRICS_OFFSETS
from taishi.cli.status import status
from taishi.settings import load_settings
from taishi.status.assemble import assemble
from taishi.status.collect import Collector
from taishi.status.exposition import parse

USER = "reader:word"
LIMIT_S = 0.2

SERIES = {
    "columns": ["time", "level", "occupied", "revision", "place", "window"],
    "values": [[1_763_872_200_000, "district", 12, 99, "370202", "10s"]],
}
ANSWERS = {
    "a series": (200, {"results": [{"series": [SERIES]}]}),
    "no series yet": (200, {"results": [{"statement_id": 0}]}),
    "no such database": (200, {"results": [{"error": "database not found: taishi"}]}),
    "something else": (200, {"hello": "world"}),
    "unauthorised": (401, {"error": "unauthorized"}),
}


class Influx(BaseHTTPRequestHandler):
    """Answers every query with the server's `answer`, and remembers the paths."""

    def do_GET(self):
        code, answer = self.server.answer
        self.server.paths.append((self.path, self.headers.get("Authorization")))
        body = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def influx():
    with ThreadingHTTPServer(("127.0.0.1", 0), Influx) as server:
        server.paths = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def settings(tmp_path, **given):
    """Ports where nobody listens."""
    return load_settings(home=tmp_path, kafka_address="127.0.0.1:1", metrics_port=47_000, **given)


def look(tmp_path, influx, name):
    influx.answer = ANSWERS[name]
    address = f"http://127.0.0.1:{influx.server_port}"
    with Collector(settings(tmp_path, influxdb_address=address, influxdb_token=USER), LIMIT_S) as collector:
        return collector.gather()


def test_everything_down_is_an_answer(tmp_path):
    with Collector(settings(tmp_path, influxdb_port=1), LIMIT_S) as collector:
        looked = collector.gather()
    assert looked.stack is None
    assert not looked.metrics
    assert "47003" in looked.unreachable["worker-aggregate"]
    assert looked.log.startswith("Kafka at 127.0.0.1:1")
    assert looked.windows.startswith("InfluxDB at http://127.0.0.1:1")
    assert not assemble("370202", 10, looked).well


def test_the_newest_window_is_read_without_its_tags(tmp_path, influx):
    row = look(tmp_path, influx, "a series").windows["parking"]
    assert row.start_ms == 1_763_872_200_000
    assert row.fields == {"occupied": 12.0, "revision": 99.0}
    assert row.simulated
    assert {token for _, token in influx.paths} == {f"Token {USER}"}


def test_how_large_the_store_is_is_told_by_policy(tmp_path, influx):
    shards = [
        {
            "tags": {"database": database, "retentionPolicy": policy, "id": str(number)},
            "columns": ["diskBytes", "seriesCreate"],
            "values": [[size, 1]],
        }
        for number, (database, policy, size) in enumerate(
            [
                ("taishi", "10s", 100),
                ("taishi", "1m", 7),
                ("taishi", "10s", 23),
                ("_internal", "monitor", 9),
            ]
        )
    ]
    ANSWERS["sizes"] = (200, {"results": [{"series": shards}]})
    assert look(tmp_path, influx, "sizes").stored == {"taishi/10s": 123, "taishi/1m": 7}
    assert any("SHOW+STATS" in path for path, _ in influx.paths)


@pytest.mark.parametrize("name", ["a series", "no such database", "something else", "unauthorised"])
def test_a_store_that_does_not_tell_its_size_has_none(tmp_path, influx, name):
    assert look(tmp_path, influx, name).stored == {}


def test_no_series_yet_is_no_window(tmp_path, influx):
    assert set(look(tmp_path, influx, "no series yet").windows.values()) == {None}


@pytest.mark.parametrize("name", ["no such database", "something else", "unauthorised"])
def test_an_answer_that_is_no_series_is_a_reason(tmp_path, influx, name):
    assert look(tmp_path, influx, name).windows.startswith("InfluxDB at")


def test_a_state_file_of_another_version_is_as_good_as_none(tmp_path):
    (tmp_path / "state.json").write_text('{"parts": 7}')
    with Collector(settings(tmp_path, influxdb_port=1), LIMIT_S) as collector:
        assert collector.gather().stack is None


def test_the_command_exits_with_1_and_the_reason_where_nothing_runs(tmp_path, monkeypatch):
    for name, value in (("HOME", tmp_path), ("KAFKA_ADDRESS", "127.0.0.1:1"), ("METRICS_PORT", 47_000)):
        monkeypatch.setenv(f"TAISHI_{name}", str(value))
    monkeypatch.setenv("TAISHI_INFLUXDB_PORT", "1")
    result = CliRunner().invoke(status, ["--json"])
    assert result.exit_code == 1
    assert "nothing runs here" in result.stderr
    assert json.loads(result.stdout)["well"] is False


class Worker(BaseHTTPRequestHandler):
    """Tells of the one shard that its address has."""

    def do_GET(self):
        shard = self.server.server_address[0].rpartition(".")[2]
        body = f'# TYPE taishi_lag_records gauge\ntaishi_lag_records{{shard="{shard}"}} 7\n'.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def test_all_workers_behind_one_name_are_asked(tmp_path, monkeypatch):
    first = ThreadingHTTPServer(("127.0.0.1", 0), Worker)
    port = first.server_address[1]
    servers = [first, ThreadingHTTPServer(("127.0.0.2", port), Worker)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    found = socket.getaddrinfo("127.0.0.2", port) + socket.getaddrinfo("127.0.0.1", port)
    resolve = socket.getaddrinfo

    def of_the_cluster(host, *words, **named):
        return found if host == "worker-aggregate" else resolve(host, *words, **named)

    monkeypatch.setattr(socket, "getaddrinfo", of_the_cluster)
    given = {
        "metrics_port": port - METRICS_OFFSETS["worker-aggregate"],
        "metrics_hosts": {"worker-aggregate": "worker-aggregate"},
    }
    with Collector(load_settings(home=tmp_path, kafka_address="127.0.0.1:1", **given), LIMIT_S) as collector:
        reached, text = collector._metrics("worker-aggregate")
    for server in servers:
        server.shutdown()
        server.server_close()
    assert reached
    assert parse([text]).by("taishi_lag_records", "shard") == {"1": 7.0, "2": 7.0}
