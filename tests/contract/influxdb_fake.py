"""An InfluxDB over HTTP in memory: points merge as in the real one, and it can be told to misbehave.

It speaks what Taishi uses: `/api/v2/write`, and on `/query` CREATE/DROP DATABASE, SHOW/CREATE/ALTER RETENTION
POLICY and `SELECT … FROM policy.measurement WHERE tag = 'x' … ORDER BY time DESC LIMIT n`. With `org` it is
a 2.x: policies are buckets of that name (`influxdb_fake_v2.py` beside speaks their API).
"""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.parse
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FIELD = re.compile(r"([^=,]+)=([^,]+)")
LINE = re.compile(r"\w+(,\w+=\w+)* \w+=[-\d.e+]+i?(,\w+=[-\d.e+]+i?)* \d+")
POLICY = re.compile(
    r'(CREATE|ALTER) RETENTION POLICY "(\w+)" ON "(\w+)" DURATION (\d+)s REPLICATION 1 '
    r"SHARD DURATION (\d+)s( DEFAULT)?"
)
DATABASE = re.compile(
    r'CREATE DATABASE "(\w+)" WITH DURATION (\d+)s REPLICATION 1 SHARD DURATION (\d+)s NAME "(\w+)"'
)
SELECT = re.compile(
    r'SELECT (.+) FROM (?:"(\w+)"\.)?"(\w+)"(?: WHERE (.+?))?(?: ORDER BY time DESC)?(?: LIMIT (\d+))?'
)


@dataclass
class Bucket:
    """A policy of 1.8 or a bucket of 2.x: its points by (series, time), and how long it keeps them."""

    keep_s: int = 0
    shard_s: int = 604_800
    default: bool = False
    points: dict[tuple[str, int], dict[str, object]] = field(default_factory=dict)


class FakeInfluxDb:
    """`faults` are answers to the next writes instead of taking them: (status, headers, body).

    A status of 0 breaks the connection; 204 acknowledges and forgets.
    """

    def __init__(self, org: str = "") -> None:
        self.org = org
        self.databases: dict[str, dict[str, Bucket]] = {}
        self.types: dict[tuple[str, str, str], type] = {}
        self.faults: deque[tuple[int, dict[str, str], str]] = deque()
        self.requests: list[tuple[str, int]] = []
        self.statements: list[str] = []
        self.authorizations: list[str] = []
        self.connections = 0
        self.url = ""
        self.api: Callable[[str, str, dict[str, str], str], tuple[int, object]] | None = None

    def wipe(self) -> None:
        self.databases.clear()
        self.types.clear()

    def new_bucket(self) -> Bucket:
        """An empty one that keeps for ever."""
        return Bucket()

    def bucket(self, database: str, policy: str = "") -> Bucket | None:
        """The bucket, or the database's default one."""
        held = self.databases.get(database, {})
        return held.get(policy) or next((b for b in held.values() if b.default and not policy), None)

    def write(self, arguments: dict[str, str], body: str) -> tuple[int, str]:
        database, _, policy = arguments["bucket"].partition("/")
        found = self.bucket(database, policy)
        if self.org and (arguments.get("org") != self.org or not policy or not found):
            return 404, json.dumps(
                {"code": "not found", "message": f"bucket {arguments['bucket']!r} not found"}
            )
        if database not in self.databases:
            return 404, json.dumps({"code": "not found", "message": f"database not found: {database!r}"})
        if found is None:
            return 500, json.dumps({"error": f"retention policy not found: {policy}"})
        for line in body.splitlines():
            if not LINE.fullmatch(line):
                return 400, json.dumps({"code": "invalid", "message": f"unable to parse {line!r}"})
        return self._write_lines(database, found, body.splitlines())

    def _write_lines(self, database: str, found: Bucket, lines: list[str]) -> tuple[int, str]:
        oldest_ms = (time.time() - found.keep_s) * 1000 if found.keep_s else 0
        kept = [line for line in lines if int(line.split(" ")[2]) >= oldest_ms]
        refused = [why for line in kept if (why := self._write_line(database, found, line))]
        if refused:
            return 400, json.dumps({"code": "invalid", "message": f"partial write: {refused[0]}"})
        if len(kept) < len(lines):
            dropped = len(lines) - len(kept)
            if self.org:  # the words of 2.7.12
                why = f"partial write: dropped {dropped} points outside retention policy of duration 1h0m0s"
                return 422, json.dumps({"code": "unprocessable entity", "message": why})
            why = f"partial write: points beyond retention policy dropped={dropped}"
            return 400, json.dumps({"code": "unprocessable entity", "message": why})
        return 204, ""

    def _write_line(self, database: str, found: Bucket, line: str) -> str | None:
        series, fields, time_ms = line.split(" ")
        values = {name: _value(text) for name, text in FIELD.findall(fields)}
        measurement = series.split(",")[0]
        for name, value in values.items():
            if self.types.setdefault((database, measurement, name), type(value)) is not type(value):
                return f"field type conflict: {name!r}"
        found.points.setdefault((series, int(time_ms)), {}).update(values)
        return None

    def query(self, database: str, influxql: str) -> dict[str, object]:
        self.statements.append(influxql)
        if dropped := re.fullmatch(r'DROP (?:RETENTION POLICY "(\w+)" ON|DATABASE) "(\w+)"', influxql):
            self._drop(dropped[2], dropped[1])
            return {"statement_id": 0}
        if shown := re.fullmatch(r'SHOW RETENTION POLICIES ON "(\w+)"', influxql):
            return self._policies(shown[1])
        if made := DATABASE.fullmatch(influxql):
            return self._database(*made.groups())
        if policy := POLICY.fullmatch(influxql):
            return self._policy(policy)
        if asked := SELECT.fullmatch(influxql):
            return self._select(database, asked, newest_first="DESC" in influxql)
        return {"error": f"error parsing query: {influxql}"}

    def _drop(self, database: str, policy: str | None) -> None:
        if policy is None:
            self.databases.pop(database, None)
        else:
            self.databases[database].pop(policy, None)

    def _database(self, name: str, keep_s: str, shard_s: str, policy: str) -> dict[str, object]:
        if name in self.databases:
            return {"error": "retention policy conflicts with an existing policy"}
        self.databases[name] = {policy: Bucket(int(keep_s), int(shard_s), default=True)}
        return {"statement_id": 0}

    def _policies(self, database: str) -> dict[str, object]:
        if database not in self.databases:
            return {"error": f"database not found: {database}"}
        columns = ["name", "duration", "shardGroupDuration", "replicaN", "default"]
        held = self.databases[database].items()
        values = [[n, f"{b.keep_s // 3600}h0m0s", f"{b.shard_s // 3600}h0m0s", 1, b.default] for n, b in held]
        return {"statement_id": 0, "series": [{"columns": columns, "values": values}]}

    def _policy(self, asked: re.Match[str]) -> dict[str, object]:
        verb, name, database, keep_s, shard_s, default = asked.groups()
        held = self.databases[database]
        if verb == "CREATE" and name in held:
            return {"error": "retention policy already exists"}
        made = held.setdefault(name, Bucket())
        made.keep_s, made.shard_s = int(keep_s), int(shard_s)
        if default:
            for each in held.values():
                each.default = each is made
        return {"statement_id": 0}

    def _select(self, database: str, asked: re.Match[str], *, newest_first: bool) -> dict[str, object]:
        if database not in self.databases:
            return {"error": f"database not found: {database}"}
        found = self.bucket(database, asked[2] or "")
        if found is None:
            return {"error": f"retention policy not found: {asked[2]}"}
        wanted = dict(re.findall(r"\"?(\w+)\"? = '([^']*)'", asked[4] or ""))
        rows = []
        for (series, time_ms), fields in found.points.items():
            measurement, *tags = series.split(",")
            labels = dict(tag.split("=") for tag in tags)
            if measurement == asked[3] and wanted.items() <= labels.items():
                rows.append({"time": time_ms, **fields, **labels})
        rows.sort(key=lambda row: row["time"], reverse=newest_first)
        rows = rows[: int(asked[5])] if asked[5] else rows
        if not rows:
            return {"statement_id": 0}
        names = (
            sorted({name for row in rows for name in row} - {"time"})
            if asked[1] == "*"
            else re.findall(r"\w+", asked[1])
        )
        columns = ["time", *names]
        values = [[row.get(column) for column in columns] for row in rows]
        return {"statement_id": 0, "series": [{"name": asked[3], "columns": columns, "values": values}]}


def _value(text: str) -> object:
    return int(text[:-1]) if text.endswith("i") else float(text)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeInfluxDb

    def setup(self) -> None:
        super().setup()
        self.fake.connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        path, arguments = self._asked()
        self.fake.authorizations.append(self.headers.get("Authorization", ""))
        if path == "/query":
            self._query(arguments)
            return
        if path != "/api/v2/write":
            self._api(arguments, body)
            return
        status, headers, text = self.fake.faults.popleft() if self.fake.faults else (-1, {}, "")
        if status == 0:
            self.close_connection = True
            return
        if status == -1:
            status, text = self.fake.write(arguments, body)
        self.fake.requests.append((body, status))
        self._answer(status, headers, text)

    def do_PATCH(self) -> None:
        self._api(self._asked()[1], self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

    def do_DELETE(self) -> None:
        self._api(self._asked()[1], "")

    def do_GET(self) -> None:
        path, arguments = self._asked()
        if path == "/query":
            self._query(arguments)
        else:
            self._api(arguments, "")

    def _api(self, arguments: dict[str, str], body: str) -> None:
        if self.fake.api is None:
            self._answer(404, {}, "404 page not found")
            return
        status, answer = self.fake.api(self.command, self._asked()[0], arguments, body)
        self._answer(
            status, {"Content-Type": "application/json"}, json.dumps(answer) if answer is not None else ""
        )

    def _query(self, arguments: dict[str, str]) -> None:
        result = self.fake.query(arguments.get("db", ""), arguments["q"])
        wrong = str(result.get("error", ""))
        if wrong.startswith("error parsing"):
            self._answer(400, {}, json.dumps({"error": wrong}))
        else:
            self._answer(200, {}, json.dumps({"results": [result]}))

    def _asked(self) -> tuple[str, dict[str, str]]:
        url = urllib.parse.urlsplit(self.path)
        return url.path, dict(urllib.parse.parse_qsl(url.query))

    def _answer(self, status: int, headers: dict[str, str], text: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_words: object) -> None:
        """Quiet."""


@contextmanager
def fake_influxdb(org: str = "") -> Iterator[FakeInfluxDb]:
    fake = FakeInfluxDb(org)
    handler = type("Handler", (_Handler,), {"fake": fake})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
