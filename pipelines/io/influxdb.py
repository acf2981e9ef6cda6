"""To InfluxDB: idempotent upserts, confirmed; and the few reads the jobs need.

`write` returns when InfluxDB has taken every point it will ever take:

- not reachable, overloaded, hanging, or an answer nobody foresaw: the same batch again, for ever, with
  growing jittered waits; the caller reads nothing meanwhile, so memory stays bounded and nothing is lost
  (Kafka holds the log);
- a batch refused for its content (400, 413, 422): halved until the refused points stand alone; those are
  handed back, the others are written;
- points older than what their policy keeps: counted (`expired`) and let go; the others of their batch are
  written;
- a database or policy that is not there (a wiped store): made, then written;
- refused for who we are (401, 403): SettingsError, because waiting will not help.

Writing the same point again leaves one point, so dying between any two lines costs only repetition.
A write that is given up is aborted, not closed: what a kernel, a line or a hanging InfluxDB still held of it
would otherwise be written after its successor, and put a point back to what it was before.
A 204 is no proof that the points stay: see `pipelines.io.canary`.
"""

from __future__ import annotations

import math
import random
import re
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import structlog
import urllib3
from influxdb_client import InfluxDBClient, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.connection import HTTPConnection

from pipelines.io.influxdb_setup import make_buckets, statements
from pipelines.telemetry import INFLUXDB_WRITE_SECONDS, POINTS_EXPIRED, POINTS_REFUSED, POINTS_WRITTEN
from schemas.errors import Refused, SettingsError
from schemas.kinds import Domain
from schemas.store import (
    DEFAULT_POLICY,
    HOUR_S,
    MINUTE_S,
    Policy,
    bucket,
    choose_database,
    policies,
    window_name,
)

__all__ = ["InfluxDb", "InfluxSettings", "RefusedPoint", "retry_wait_s"]

Answer = TypeVar("Answer")

_LOG = structlog.get_logger(__name__)

_CONTENT_STATUS = {400, 413, 422}
"""It is the points that are refused. Every other failure may pass: points are never given up for it."""
_EXPIRED = re.compile(
    r"points beyond retention policy dropped=(?P<of_1>\d+)|dropped (?P<of_2>\d+) points outside"
)
"""In the words of 1.8, and of 2.7: dropped 1 points outside retention policy of duration 168h0m0s."""
_NO_POLICY = "retention policy not found"
_UNREACHABLE = (urllib3.exceptions.HTTPError, OSError)
_ABORTING = [
    *HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
]
"""To close such a connection is to abort it."""


@dataclass(frozen=True, slots=True)
class InfluxSettings:
    """Where; `token` is a 2.x token or `user:password` of 1.8; `org` says that it is a 2.x.

    `policies` are what each database shall have; of `care_database`, if there is one, too. `windows_in` is
    the one that windows of every size go to, where it is not that of their size.
    """

    url: str
    database: str
    token: str = ""
    timeout_s: float = 10.0
    batch_points: int = 5_000
    care_database: str = ""
    org: str = ""
    policies: tuple[Policy, ...] = policies((10, MINUTE_S, HOUR_S))
    windows_in: str = ""

    @property
    def databases(self) -> tuple[str, ...]:
        """Every database there is."""
        return (self.database, self.care_database) if self.care_database else (self.database,)

    @property
    def buckets(self) -> tuple[str, ...]:
        """Every bucket there is, as `write` takes it."""
        return tuple(bucket(database, policy.name) for database in self.databases for policy in self.policies)

    @property
    def default_bucket(self) -> str:
        """Where goes what names no bucket; of 2.x none has a database's bare name."""
        return bucket(self.database, DEFAULT_POLICY) if self.org else self.database

    def bucket_of(self, domain: Domain, window_s: int) -> str:
        """Where the windows of a domain and size lie."""
        database = choose_database(domain, self.database, self.care_database)
        return bucket(database, self.windows_in or window_name(window_s))


@dataclass(frozen=True, slots=True)
class RefusedPoint:
    """A point InfluxDB will never take, and what it said."""

    line: str
    why: str


def retry_wait_s(attempt: int, asked_s: float | None, jitter: float) -> float:
    """How long to wait before attempt `attempt` (from 1): doubling from 0.2 s to 5 s, or as the server asks.

    `jitter` in [0, 1) spreads clients over the upper half, so that they do not come back at once.
    """
    if asked_s is not None:
        return min(asked_s, 60.0)
    return min(5.0, 0.1 * 2.0 ** min(attempt, 10)) * (0.5 + jitter / 2)


class InfluxDb:
    """One client. `wait` is called between attempts; tests and shutdown pass their own."""

    def __init__(self, settings: InfluxSettings, wait: Callable[[float], object] | None = None) -> None:
        self.settings = settings
        self._wait = wait or threading.Event().wait
        self._client = InfluxDBClient(
            url=settings.url,
            token=settings.token or "none",
            org=settings.org or "-",
            timeout=int(settings.timeout_s * 1000),
        )
        connections = self._client.api_client.rest_client.pool_manager
        connections.connection_pool_kw["socket_options"] = _ABORTING
        self._api = self._client.write_api(write_options=SYNCHRONOUS)
        # One for all questions: each client of its own would load the machine's certificates anew (33 ms).
        self._http = httpx.Client(timeout=settings.timeout_s)
        self.expired = 0
        """Points so far that were older than what their policy keeps."""

    def write(self, lines: Sequence[str], bucket: str = "") -> list[RefusedPoint]:
        """Write points; returns those refused for their content. Blocks for as long as it takes.

        `bucket` as `schemas.store.bucket` says it; without, the database's default policy.
        """
        refused: list[RefusedPoint] = []
        size, expired = self.settings.batch_points, self.expired
        for start in range(0, len(lines), size):
            refused += self._write_batch(lines[start : start + size], bucket or self.settings.default_bucket)
        expired = self.expired - expired
        POINTS_WRITTEN.inc(len(lines) - len(refused) - expired)
        POINTS_REFUSED.inc(len(refused))
        POINTS_EXPIRED.inc(expired)
        if expired:
            _LOG.warning("points are older than what is kept", bucket=bucket, expired=expired)
        for point in refused:
            _LOG.error("point refused", point=point.line[:300], why=point.why)
        return refused

    def _write_batch(self, lines: Sequence[str], bucket: str) -> list[RefusedPoint]:
        why = self._until_answered(lines, bucket)
        if why is None:
            return []
        if (dropped := _EXPIRED.search(why)) and (
            rest := self._without_expired(lines, int(dropped["of_1"] or dropped["of_2"]))
        ) is not None:
            return self._write_batch(rest, bucket) if rest else []
        if len(lines) == 1:
            return [RefusedPoint(lines[0], why)]
        middle = len(lines) // 2
        return self._write_batch(lines[:middle], bucket) + self._write_batch(lines[middle:], bucket)

    def _without_expired(self, lines: Sequence[str], count: int) -> list[str] | None:
        """The lines without the `count` oldest, which are too old; None if it is not clear which those are.

        The others are written again: what else is wrong with them InfluxDB has not said.
        """
        by_age = sorted(lines, key=_time_ms)
        oldest, rest = by_age[:count], by_age[count:]
        if rest and _time_ms(oldest[-1]) == _time_ms(rest[0]):
            return None
        self.expired += count
        return rest

    def _until_answered(self, lines: Sequence[str], bucket: str) -> str | None:
        """Try until taken (None) or refused for content (why)."""
        body = "\n".join(lines).encode()
        attempt = 0
        while True:
            attempt += 1
            try:
                with INFLUXDB_WRITE_SECONDS.time():
                    self._api.write(bucket=bucket, record=body, write_precision=WritePrecision.MS)
            except ApiException as error:
                if error.status in _CONTENT_STATUS:
                    return str(error.body or error.reason)
                self._stop_if_not_allowed(error.status)
                if error.status == 404 or _NO_POLICY in str(error.body):
                    self._try_create_database()
                asked = (error.headers or {}).get("Retry-After", "")
                self._pause(attempt, float(asked) if asked.isdigit() else None, f"status {error.status}")
            except _UNREACHABLE as error:
                self._pause(attempt, None, type(error).__name__)
            else:
                return None

    def _pause(self, attempt: int, asked_s: float | None, why: str) -> None:
        wait_s = retry_wait_s(attempt, asked_s, random.random())  # noqa: S311 - jitter, no secret
        if attempt in {1, 10} or attempt % 60 == 0:
            _LOG.warning("influxdb does not take points; trying again", why=why, attempt=attempt)
        self._wait(wait_s)

    def _stop_if_not_allowed(self, status: int, said: str = "") -> None:
        if status in {401, 403}:
            raise SettingsError(
                f"InfluxDB at {self.settings.url} refuses us ({status}): set influxdb_token "
                f"(2.x: a token that may write the bucket; 1.8: user:password){said and f': {said}'}"
            )

    def patiently(self, ask: Callable[[], Answer]) -> Answer:
        """The answer to a question, asked until InfluxDB can be asked."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return ask()
            except httpx.HTTPError as error:
                self._pause(attempt, None, type(error).__name__)

    def _try_create_database(self) -> None:
        try:
            self.create_database()
        except (httpx.HTTPError, Refused) as error:
            _LOG.warning("database not made yet", why=str(error))

    def create_database(self) -> None:
        """Make the databases and their policies (2.x: buckets), and correct those that are otherwise.

        httpx.HTTPError or Refused when that cannot be done now; SettingsError when we may not.
        """
        for database in self.settings.databases:
            if self.settings.org:
                make_buckets(self._client, self.settings.org, database, self.settings.policies)
                continue
            held = self.query(f'SHOW RETENTION POLICIES ON "{database}"')
            for statement in statements(database, held, self.settings.policies):
                self._results("post", statement)

    def query(self, influxql: str, database: str = "") -> list[dict[str, object]]:
        """Rows of an InfluxQL query, each with its columns and tags; times in epoch ms.

        A database or policy that is not there has no rows. httpx.HTTPError when InfluxDB cannot be asked now;
        Refused when it refuses the query; SettingsError when it refuses us.
        """
        rows: list[dict[str, object]] = []
        for result in self._results("get", influxql, database):
            for series in result.get("series", []):
                tags = series.get("tags", {})
                rows += [dict(zip(series["columns"], row, strict=True)) | tags for row in series["values"]]
        return rows

    def administer(self, influxql: str) -> None:
        """Do what a statement about users or rights says; errors as of `query`."""
        self._results("post", influxql)

    def delete(self, influxql: str) -> None:
        """Do what a DELETE says; errors as of `query`. A database that is not there has nothing to delete."""
        self._results("post", influxql)

    def _results(self, method: str, influxql: str, database: str = "") -> list[dict[str, Any]]:
        response = self._ask(method, influxql, database or self.settings.database)
        try:
            results: list[dict[str, Any]] = response.json()["results"]
        except (ValueError, KeyError, TypeError) as error:
            raise httpx.DecodingError(
                f"InfluxDB at {self.settings.url} answered {response.text[:100]!r}, expected JSON results"
            ) from error
        wrong = [str(result["error"]) for result in results if "error" in result]
        if wrong and not wrong[0].startswith(("database not found", _NO_POLICY)):
            raise Refused(f"InfluxQL {_shown(influxql)!r}: {wrong[0]}")
        return results

    def _ask(self, method: str, influxql: str, database: str) -> httpx.Response:
        user, _, password = self.settings.token.partition(":")
        if password:
            headers = {"Authorization": httpx.BasicAuth(user, password)._auth_header}  # noqa: SLF001
        else:
            headers = {"Authorization": f"Token {self.settings.token}"} if self.settings.token else {}
        response = self._http.request(
            method,
            f"{self.settings.url}/query",
            params={"db": database, "q": influxql, "epoch": "ms"},
            headers=headers,
        )
        self._stop_if_not_allowed(response.status_code, response.text[:200].strip())
        if response.status_code in {400, 404}:
            raise Refused(f"InfluxQL {_shown(influxql)!r}: {response.text[:300]}")
        response.raise_for_status()
        return response

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()
        self._http.close()


def _time_ms(line: str) -> float:
    """When a point is; what is no point is not old."""
    text = line.rpartition(" ")[2]
    return int(text) if text.lstrip("-").isdigit() else math.inf


def _shown(influxql: str) -> str:
    """The statement as an error may show it: no password."""
    return re.sub(r"'[^']*'", "'…'", influxql) if "PASSWORD" in influxql else influxql
