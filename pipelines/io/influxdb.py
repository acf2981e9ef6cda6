"""To InfluxDB: idempotent upserts, confirmed; and the few reads the jobs need.

`write` returns when InfluxDB has taken every point it will ever take:

- not reachable, overloaded, hanging, or an answer nobody foresaw: the same batch again, for ever, with
  growing jittered waits; the caller reads nothing meanwhile, so memory stays bounded and nothing is lost
  (Kafka holds the log);
- a batch refused for its content (400, 413, 422): halved until the refused points stand alone; those are
  handed back, the others are written;
- a database that is not there (a wiped store): made, then written;
- refused for who we are (401, 403): SettingsError, because waiting will not help.

Writing the same point again leaves one point, so dying between any two lines costs only repetition.
A 204 is no proof that the points stay: see `pipelines.io.canary`.
"""

from __future__ import annotations

import random
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

from pipelines.telemetry import INFLUXDB_WRITE_SECONDS, POINTS_REFUSED, POINTS_WRITTEN
from schemas.errors import Refused, SettingsError

__all__ = ["InfluxDb", "InfluxSettings", "RefusedPoint", "retry_wait_s"]

Answer = TypeVar("Answer")

_LOG = structlog.get_logger(__name__)

_CONTENT_STATUS = {400, 413, 422}
"""It is the points that are refused. Every other failure may pass: points are never given up for it."""
_UNREACHABLE = (urllib3.exceptions.HTTPError, OSError)


@dataclass(frozen=True, slots=True)
class InfluxSettings:
    """Where; `token` is a 2.x token or `user:password` of 1.8."""

    url: str
    database: str
    token: str = ""
    timeout_s: float = 10.0
    batch_points: int = 5_000


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
            url=settings.url, token=settings.token or "none", org="-", timeout=int(settings.timeout_s * 1000)
        )
        self._api = self._client.write_api(write_options=SYNCHRONOUS)
        # One for all questions: each client of its own would load the machine's certificates anew (33 ms).
        self._http = httpx.Client(timeout=settings.timeout_s)

    def write(self, lines: Sequence[str]) -> list[RefusedPoint]:
        """Write points; returns those refused for their content. Blocks for as long as it takes."""
        refused: list[RefusedPoint] = []
        size = self.settings.batch_points
        for start in range(0, len(lines), size):
            refused += self._write_batch(lines[start : start + size])
        POINTS_WRITTEN.inc(len(lines) - len(refused))
        POINTS_REFUSED.inc(len(refused))
        for point in refused:
            _LOG.error("point refused", point=point.line[:300], why=point.why)
        return refused

    def _write_batch(self, lines: Sequence[str]) -> list[RefusedPoint]:
        why = self._until_answered(lines)
        if why is None:
            return []
        if len(lines) == 1:
            return [RefusedPoint(lines[0], why)]
        middle = len(lines) // 2
        return self._write_batch(lines[:middle]) + self._write_batch(lines[middle:])

    def _until_answered(self, lines: Sequence[str]) -> str | None:
        """Try until taken (None) or refused for content (why)."""
        body = "\n".join(lines).encode()
        attempt = 0
        while True:
            attempt += 1
            try:
                with INFLUXDB_WRITE_SECONDS.time():
                    self._api.write(
                        bucket=self.settings.database, record=body, write_precision=WritePrecision.MS
                    )
            except ApiException as error:
                if error.status in _CONTENT_STATUS:
                    return str(error.body or error.reason)
                self._stop_if_not_allowed(error.status)
                if error.status == 404:
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

    def _stop_if_not_allowed(self, status: int) -> None:
        if status in {401, 403}:
            raise SettingsError(
                f"InfluxDB at {self.settings.url} refuses us ({status}): set influxdb_token "
                "(2.x: a token that may write the bucket; 1.8: user:password)"
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
        """Make the database if it is not there (1.8; on 2.x a bucket is the operator's to make)."""
        self._results("post", f'CREATE DATABASE "{self.settings.database}"')

    def query(self, influxql: str) -> list[dict[str, object]]:
        """Rows of an InfluxQL query, each with its columns and tags; times in epoch ms.

        A database that is not there has no rows. httpx.HTTPError when InfluxDB cannot be asked now;
        Refused when it refuses the query; SettingsError when it refuses us.
        """
        rows: list[dict[str, object]] = []
        for result in self._results("get", influxql):
            for series in result.get("series", []):
                tags = series.get("tags", {})
                rows += [dict(zip(series["columns"], row, strict=True)) | tags for row in series["values"]]
        return rows

    def delete(self, influxql: str) -> None:
        """Do what a DELETE says; errors as of `query`. A database that is not there has nothing to delete."""
        self._results("post", influxql)

    def _results(self, method: str, influxql: str) -> list[dict[str, Any]]:
        response = self._ask(method, influxql)
        try:
            results: list[dict[str, Any]] = response.json()["results"]
        except (ValueError, KeyError, TypeError) as error:
            raise httpx.DecodingError(
                f"InfluxDB at {self.settings.url} answered {response.text[:100]!r}, expected JSON results"
            ) from error
        wrong = [str(result["error"]) for result in results if "error" in result]
        if wrong and not wrong[0].startswith("database not found"):
            raise Refused(f"InfluxQL {influxql!r}: {wrong[0]}")
        return results

    def _ask(self, method: str, influxql: str) -> httpx.Response:
        user, _, password = self.settings.token.partition(":")
        if password:
            headers = {"Authorization": httpx.BasicAuth(user, password)._auth_header}  # noqa: SLF001
        else:
            headers = {"Authorization": f"Token {self.settings.token}"} if self.settings.token else {}
        response = self._http.request(
            method,
            f"{self.settings.url}/query",
            params={"db": self.settings.database, "q": influxql, "epoch": "ms"},
            headers=headers,
        )
        self._stop_if_not_allowed(response.status_code)
        if response.status_code in {400, 404}:
            raise Refused(f"InfluxQL {influxql!r}: {response.text[:300]}")
        response.raise_for_status()
        return response

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()
        self._http.close()
