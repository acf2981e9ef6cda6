"""Ask every part, at the same time and with a deadline: the only place of `status` that does I/O.

A part that does not answer leaves its reason in `Gathered`; no exception leaves this module because
something is down.
"""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import httpx
import msgspec
from confluent_kafka import Consumer, KafkaException, TopicPartition

from deploy.embedded.settings import METRICS_OFFSETS
from deploy.embedded.state import StackState, is_running, read_state
from operations.oncall.clock import now_ms
from schemas.brokers import kafka_client
from schemas.errors import SettingsError
from schemas.kinds import DOMAINS, Domain, held_s
from schemas.store import database_of, measurement
from schemas.topics import TOPICS, readings_topic
from taishi.kafka import kafka_of
from taishi.settings import Settings
from taishi.status.gathered import Gathered, LogEnds, WindowRow
from taishi.status.stored import sizes

__all__ = ["AGGREGATE_GROUP", "LIMIT_S", "Collector"]

AGGREGATE_GROUP: Final = "taishi-aggregate"
"""Consumer group under which the aggregate commits the next offsets of its checkpoints."""

LIMIT_S: Final = 2.0
"""How long a part may take to answer, for `status` to count it as answering."""

_SHARDS: Final = tuple(
    TopicPartition(topic, partition)
    for topic in map(readings_topic, DOMAINS)
    for partition in range(TOPICS[topic].partitions)
)


class Collector:
    """Looks at one installation; keeps its connections between looks. Use as a context manager."""

    def __init__(self, settings: Settings, limit_s: float = LIMIT_S) -> None:
        self._settings = settings
        self._limit_s = limit_s
        self._http = httpx.Client(timeout=limit_s, trust_env=False)
        self._pool = ThreadPoolExecutor(len(METRICS_OFFSETS) + 3, thread_name_prefix="status")
        self._consumer: Consumer | None = None

    def __enter__(self) -> Collector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        self._http.close()
        if self._consumer is not None:
            self._consumer.close()

    def gather(self) -> Gathered:
        """One look; takes little more than the deadline, whatever is down."""
        settings = self._settings
        log, windows = self._pool.submit(self._log), self._pool.submit(self._windows)
        stored = self._pool.submit(self._stored)
        scrapes = {part: self._pool.submit(self._metrics, part) for part in METRICS_OFFSETS}
        metrics: dict[str, str] = {}
        unreachable: dict[str, str] = {}
        for part, scrape in scrapes.items():
            reached, text = scrape.result()
            (metrics if reached else unreachable)[part] = text
        return Gathered(
            at_ms=now_ms(),
            running=is_running(settings.home),
            stack=_stack(settings.home),
            metrics=metrics,
            unreachable=unreachable,
            log=log.result(),
            windows=windows.result(),
            stored=stored.result(),
        )

    def _metrics(self, part: str) -> tuple[bool, str]:
        """True and the text of every process behind the part's name, or False and the reason."""
        port = self._settings.metrics_port + METRICS_OFFSETS[part]
        host = self._settings.metrics_hosts.get(part, "127.0.0.1")
        try:
            texts = [self._scraped(address, port) for address in _addresses(host, port)]
        except (httpx.HTTPError, socket.gaierror) as error:
            return False, f"its metrics on port {port} do not answer: {_words(error)}"
        return True, "\n".join(texts)

    def _scraped(self, address: str, port: int) -> str:
        answer = self._http.get(f"http://{address}:{port}/metrics")
        answer.raise_for_status()
        return answer.text

    def _windows(self) -> dict[str, WindowRow | None] | str:
        try:
            return {domain: self._newest(domain) for domain in DOMAINS}
        except httpx.HTTPError as error:
            return f"InfluxDB at {self._settings.influxdb_url} does not answer: {_words(error)}"
        except (ValueError, KeyError, IndexError, TypeError) as error:
            return f"InfluxDB at {self._settings.influxdb_url} answered something else than a series: {error}"

    def _newest(self, domain: Domain) -> WindowRow | None:
        newest = self._window(domain, "*", "")
        if newest is None:
            return None
        # A space holds its last value for a day: simulated is what may still hold a simulated one.
        start_ms = newest.start_ms - held_s(domain) * 1000
        simulated = self._window(
            domain, '"readings_simulated"', f' AND "readings_simulated" > 0 AND time >= {start_ms}ms'
        )
        return replace(newest, simulated=simulated is not None)

    def _stored(self) -> dict[str, int]:
        """Sizes by policy; none where InfluxDB does not tell: that it is away, `_windows` says."""
        try:
            (result,) = self._ask(self._settings.influxdb_database, "SHOW STATS FOR 'shard'")
            ours = {self._settings.influxdb_database, self._settings.influxdb_care_database}
            return sizes(
                dict(zip(series["columns"], series["values"][0], strict=True)) | series["tags"]
                for series in result.get("series", [])
                if series["tags"]["database"] in ours
            )
        except (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError):
            return {}

    def _ask(self, database: str, query: str) -> Any:
        settings = self._settings
        answer = self._http.get(
            f"{settings.influxdb_url}/query",
            params={"db": database, "q": query, "epoch": "ms"},
            headers={"Authorization": f"Token {settings.influxdb_token}"} if settings.influxdb_token else {},
        )
        answer.raise_for_status()
        return answer.json()["results"]

    def _window(self, domain: Domain, fields: str, further: str) -> WindowRow | None:
        """The district's newest window that fulfils a further condition."""
        settings = self._settings
        chosen = {"level": "district", "place": settings.district}
        where = " AND ".join(f"\"{tag}\" = '{value}'" for tag, value in chosen.items()) + further
        # Not of a user's making: the settings have checked the codes.
        source = measurement(domain, settings.window_s[0])
        query = f"SELECT {fields} FROM {source} WHERE {where} ORDER BY time DESC LIMIT 1"  # noqa: S608
        return _row(self._ask(database_of(domain, settings), query))

    def _log(self) -> LogEnds | str:
        try:
            return self._ends()
        except SettingsError as error:
            return str(error)
        except KafkaException as error:
            return f"Kafka at {self._settings.kafka_bootstrap}: {error.args[0].str()}"

    def _ends(self) -> LogEnds:
        consumer = self._kafka()
        # The committed offsets first: the log only grows, so they can never seem to lie beyond its end.
        committed = consumer.committed(list(_SHARDS), timeout=self._limit_s)
        ends = {shard: consumer.get_watermark_offsets(shard, timeout=self._limit_s)[1] for shard in _SHARDS}
        return LogEnds(
            end={_name(shard): end for shard, end in ends.items()},
            committed={_name(shard): shard.offset for shard in committed if shard.offset >= 0},
        )

    def _kafka(self) -> Consumer:
        """Asks only: it never subscribes, so it is no member of the aggregate's group."""
        if self._consumer is None:
            self._consumer = Consumer(
                {
                    **kafka_client(kafka_of(self._settings)),
                    "group.id": AGGREGATE_GROUP,
                    "enable.auto.commit": False,
                    # A Kafka that is down is our answer, not librdkafka's word on the operator's terminal.
                    "log_level": 0,
                    "log.connection.close": False,
                }
            )
        return self._consumer


def _name(shard: TopicPartition) -> str:
    return f"{shard.topic}/{shard.partition}"


def _stack(home: Path) -> StackState | None:
    try:
        return read_state(home)
    except msgspec.DecodeError:
        return None  # written by another version: as good as none


def _row(results: Any) -> WindowRow | None:
    """The one row of an InfluxQL answer without its tags; None for an answer without series."""
    result = results[0]
    if "error" in result:
        raise ValueError(result["error"])
    if not result.get("series"):
        return None
    series = result["series"][0]
    row = dict(zip(series["columns"], series["values"][0], strict=True))
    start_ms = int(row.pop("time"))
    return WindowRow(start_ms, {name: float(v) for name, v in row.items() if isinstance(v, int | float)})


def _addresses(host: str, port: int) -> list[str]:
    """All that the name stands for: the workers of a group are behind one (a headless service)."""
    found = {str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    return [f"[{each}]" if ":" in each else each for each in sorted(found)]


def _words(error: httpx.HTTPError | OSError) -> str:
    return str(error) or type(error).__name__
