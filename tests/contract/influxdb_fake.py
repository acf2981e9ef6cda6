"""An InfluxDB over HTTP in memory: points merge as in the real one, and it can be told to misbehave.

It speaks what Taishi uses: `/api/v2/write`, and on `/query` CREATE/DROP DATABASE and
`SELECT … FROM measurement WHERE tag = 'x' … ORDER BY time DESC LIMIT n`.
"""

from __future__ import annotations

import json
import re
import threading
import urllib.parse
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FIELD = re.compile(r"([^=,]+)=([^,]+)")
LINE = re.compile(r"\w+(,\w+=\w+)* \w+=[-\d.e+]+i?(,\w+=[-\d.e+]+i?)* \d+")


class FakeInfluxDb:
    """`faults` are answers to the next writes instead of taking them: (status, headers, body).

    A status of 0 breaks the connection; 204 acknowledges and forgets.
    """

    def __init__(self) -> None:
        self.databases: dict[str, dict[tuple[str, int], dict[str, object]]] = {}
        self.types: dict[tuple[str, str, str], type] = {}
        self.faults: deque[tuple[int, dict[str, str], str]] = deque()
        self.requests: list[tuple[str, int]] = []
        self.authorizations: list[str] = []
        self.connections = 0
        self.url = ""

    def wipe(self) -> None:
        self.databases.clear()
        self.types.clear()

    def write(self, database: str, body: str) -> tuple[int, str]:
        if database not in self.databases:
            return 404, json.dumps({"code": "not found", "message": f"database not found: {database!r}"})
        for line in body.splitlines():
            if not LINE.fullmatch(line):
                return 400, json.dumps({"code": "invalid", "message": f"unable to parse {line!r}"})
        refused = [why for line in body.splitlines() if (why := self._write_line(database, line))]
        if refused:
            return 400, json.dumps({"code": "invalid", "message": f"partial write: {refused[0]}"})
        return 204, ""

    def _write_line(self, database: str, line: str) -> str | None:
        series, fields, time_ms = line.split(" ")
        values = {name: _value(text) for name, text in FIELD.findall(fields)}
        measurement = series.split(",")[0]
        for name, value in values.items():
            if self.types.setdefault((database, measurement, name), type(value)) is not type(value):
                return f"field type conflict: {name!r}"
        self.databases[database].setdefault((series, int(time_ms)), {}).update(values)
        return None

    def query(self, database: str, influxql: str) -> dict[str, object]:
        if made := re.fullmatch(r'CREATE DATABASE "(\w+)"', influxql):
            self.databases.setdefault(made[1], {})
            return {"statement_id": 0}
        if dropped := re.fullmatch(r'DROP DATABASE "(\w+)"', influxql):
            self.databases.pop(dropped[1], None)
            return {"statement_id": 0}
        asked = re.fullmatch(
            r'SELECT (.+) FROM "(\w+)"(?: WHERE (.+?))?(?: ORDER BY time DESC)?(?: LIMIT (\d+))?', influxql
        )
        if asked is None:
            return {"error": f"error parsing query: {influxql}"}
        if database not in self.databases:
            return {"error": f"database not found: {database}"}
        return self._select(database, asked, newest_first="DESC" in influxql)

    def _select(self, database: str, asked: re.Match[str], *, newest_first: bool) -> dict[str, object]:
        wanted = dict(re.findall(r"\"?(\w+)\"? = '([^']*)'", asked[3] or ""))
        rows = []
        for (series, time_ms), fields in self.databases[database].items():
            measurement, *tags = series.split(",")
            labels = dict(tag.split("=") for tag in tags)
            if measurement == asked[2] and wanted.items() <= labels.items():
                rows.append({"time": time_ms, **fields, **labels})
        rows.sort(key=lambda row: row["time"], reverse=newest_first)
        rows = rows[: int(asked[4])] if asked[4] else rows
        if not rows:
            return {"statement_id": 0}
        names = (
            sorted({name for row in rows for name in row} - {"time"})
            if asked[1] == "*"
            else re.findall(r"\w+", asked[1])
        )
        columns = ["time", *names]
        values = [[row.get(column) for column in columns] for row in rows]
        return {"statement_id": 0, "series": [{"name": asked[2], "columns": columns, "values": values}]}


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
        status, headers, text = self.fake.faults.popleft() if self.fake.faults else (-1, {}, "")
        if status == 0:
            self.close_connection = True
            return
        if status == -1:
            status, text = self.fake.write(arguments["bucket"], body)
        self.fake.requests.append((body, status))
        self._answer(status, headers, text)

    def do_GET(self) -> None:
        self._query(self._asked()[1])

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
def fake_influxdb() -> Iterator[FakeInfluxDb]:
    fake = FakeInfluxDb()
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
