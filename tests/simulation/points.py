"""InfluxDB in memory, beneath the product's own client: points merge by series and time, the last wins."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import urllib3
from influxdb_client.rest import ApiException

from pipelines.io.influxdb import InfluxDb, InfluxSettings
from tests.simulation.faults import Faults

_LINE = re.compile(r"(\S+(?:\\ \S+)*) (.*) (\d+)")
_FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^,]+)')
_SELECT = re.compile(r'SELECT "mark" FROM "(\w+)"\."(\w+)" WHERE "job" = \'(\w+)\' AND "shard" = \'(\w+)\'')

Point = tuple[str, str, int]
"""Bucket, series, time in ms."""


def parsed(bucket: str, line: str) -> tuple[Point, dict[str, str]]:
    """A line's point and its fields as they are written."""
    matched = _LINE.fullmatch(line)
    assert matched, f"no line protocol: {line!r}"
    series, fields, time_ms = matched.groups()
    return (bucket, series, int(time_ms)), dict(_FIELD.findall(fields))


class Points:
    """What is stored. `undo` is what came since the disk had everything: (point, what it was before)."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.held: dict[Point, dict[str, str]] = {}
        self._undo: list[tuple[Point, dict[str, str] | None]] = []

    def write(self, bucket: str, record: bytes, write_precision: object) -> None:  # noqa: ARG002 - its name
        """As `WriteApi.write`: returns when taken, raises as the client does."""
        lines, fires = record.decode().split("\n"), self.faults.fires
        if fires("store.timeout"):
            raise urllib3.exceptions.ReadTimeoutError(None, "", "simulated")
        for status in (429, 500):
            if fires(f"store.{status}"):
                raise ApiException(status=status, reason="simulated")
        if fires("store.half"):
            self._take(bucket, lines[: len(lines) // 2])
            raise ApiException(status=500, reason="simulated")
        self._take(bucket, lines)
        if fires("store.lost_ack"):
            raise urllib3.exceptions.ProtocolError("simulated")

    def _take(self, bucket: str, lines: list[str]) -> None:
        for line in lines:
            point, fields = parsed(bucket, line)
            before = self.held.get(point)
            self._undo.append((point, before))
            self.held[point] = (before or {}) | fields

    def request(self, _method: str, _url: str, params: dict[str, str], headers: object) -> Answer:  # noqa: ARG002
        """As `httpx.Client.request`, for the question that the canary asks."""
        if self.faults.fires("store.forgets"):
            self._forget()
        self._undo.clear()
        matched = _SELECT.match(params["q"])
        assert matched, f"no question of the canary: {params['q']!r}"
        policy, measurement, job, shard = matched.groups()
        series = f"{measurement},job={job},shard={shard}"
        bucket = f"{params['db']}/{policy}"
        marks = [(at, fields["mark"]) for (*of, at), fields in self.held.items() if of == [bucket, series]]
        rows = [[at, int(mark.rstrip("i"))] for at, mark in sorted(marks)[-1:]]
        return Answer([{"columns": ["time", "mark"], "values": rows}] if rows else [])

    def _forget(self) -> None:
        for point, before in reversed(self._undo):
            if before is None:
                self.held.pop(point, None)
            else:
                self.held[point] = before


class Answer:
    """What `httpx` would have returned."""

    status_code = 200

    def __init__(self, series: list[dict[str, object]]) -> None:
        self._series = series

    def json(self) -> dict[str, object]:
        return {"results": [{"series": self._series} if self._series else {}]}

    @property
    def text(self) -> str:
        return json.dumps(self.json())

    def raise_for_status(self) -> None:
        """It is well."""


class MemoryStore(InfluxDb):
    """The product's client, over `Points`; between two attempts it waits as it is told to."""

    def __init__(self, settings: InfluxSettings, points: Points, wait: Callable[[float], object]) -> None:
        self.settings, self._wait, self.expired = settings, wait, 0
        self._api = self._http = points
