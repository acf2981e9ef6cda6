"""The ends: what the log, InfluxDB, the alerts and the desk's cases hold of what was sent."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import httpx
import msgspec
from confluent_kafka import Consumer, Message, TopicPartition

from connectors.alarms import SIGNAL_OF
from connectors.gateway import Limits
from operations.cases.model import Case
from pipelines.io.bounds import bounds_of
from pipelines.io.influxdb import InfluxDb, InfluxSettings
from schemas.alerts import Alert
from schemas.readings import Reading
from schemas.topics import LATE, TOPICS, readings_topic
from taishi.alerts.read import read_alerts
from taishi.settings import Settings
from taishi.stack_settings import stack_settings
from tests.faults.judge import Counted, Ends, Obligation, Seen, Window
from tests.faults.load import AMOUNTS, KINDS, content
from tests.faults.oracle import Oracle

OURS = ("known-", "alarm-")
POISON = b"poison"
"""Key of what a test appended to a log of readings and is none."""
_DOORS = ("connect-mqtt", "connect-http")
_IN_FLIGHT = re.compile(r"^taishi_messages_in_flight\{.*\} (\S+)$", re.MULTILINE)
_KEY_OF = {f"signal.{kind}": key for key, kind in SIGNAL_OF.items()}


def records(bootstrap: str, topic: str) -> Iterator[Message]:
    """Every record of a topic to the end it has now, partition by partition, in their order."""
    settings = {"bootstrap.servers": bootstrap, "group.id": f"ends-{uuid.uuid4().hex}",
                "enable.auto.commit": False, "auto.offset.reset": "error"}  # fmt: skip
    consumer = Consumer(settings)
    try:
        for partition in range(TOPICS[topic].partitions):
            at, end = bounds_of(consumer, topic, partition, 30.0)
            consumer.assign([TopicPartition(topic, partition, at)])
            while at < end:
                for message in consumer.consume(min(10_000, end - at), 1.0):  # no more: it would wait
                    if message.error() is None:
                        at = message.offset() + 1
                        yield message
    finally:
        consumer.close()


def readings(bootstrap: str, topics: Iterable[str]) -> list[Seen]:
    """Our readings on these topics."""
    found = []
    for topic in topics:
        for message in records(bootstrap, topic):
            if message.value() is None or message.key() == POISON:
                continue  # a tick, or no reading
            each = msgspec.json.decode(message.value(), type=Reading)
            if each.device.startswith(OURS):
                what = content(f"{each.kind}.{each.metric}", each.value, each.grid)
                found.append(Seen(each.id, what, message.timestamp()[1]))
    return found


def windows(settings: Settings, database: str) -> dict[Window, Counted]:
    """Every 10 s window of a grid that has readings."""
    store, found = InfluxDb(InfluxSettings(settings.influxdb_url, database)), {}
    for domain in KINDS:
        where = "WHERE level = 'grid' AND readings > 0"
        columns = ", ".join(("readings", "place", *([AMOUNTS[domain]] if domain in AMOUNTS else [])))
        for row in store.query(f'SELECT {columns} FROM "10s"."{domain}" {where}'):  # noqa: S608 - our own names
            amount = float(row[AMOUNTS[domain]]) if domain in AMOUNTS else 0.0
            found[domain, row["place"], int(row["time"])] = Counted(int(row["readings"]), amount)
    store.close()
    return found


def alerts(bootstrap: str, ids: Mapping[str, str]) -> dict[str, Seen]:
    """Alert id -> what it is, of the alerts of our alarms; `ids`: device -> id of its alarm."""
    ours = (alert for alert in read_alerts(bootstrap) if alert.device.startswith("alarm-"))
    return {alert.id: _alarm(alert, alert.place, ids) for alert in ours if alert.rule in _KEY_OF}


def cases(settings: Settings, alerts_by_id: Mapping[str, Seen]) -> list[Seen]:
    """Each alert of ours in each case it is in."""
    desk = sqlite3.connect(f"file:{settings.home / 'data' / 'operations.db'}?mode=ro", uri=True)
    try:
        bodies = desk.execute("SELECT body FROM cases").fetchall()
    finally:
        desk.close()
    found = [msgspec.json.decode(body, type=Case) for (body,) in bodies]
    return [alerts_by_id[id_] for case in found for id_ in case.alerts if id_ in alerts_by_id]


class Waiting(threading.Thread):
    """Looks twice a second how many messages wait in each connector, until told to stop."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(daemon=True)
        host, wanted = f"http://{settings.metrics_host}", stack_settings(settings)
        self._urls = {part: f"{host}:{wanted.metrics_of(part)}" for part in _DOORS}
        self._most: Counter[str] = Counter()
        self._enough = threading.Event()

    def run(self) -> None:
        """Look; one that is down holds nothing."""
        with httpx.Client(timeout=2.0) as client:
            while not self._enough.wait(0.5):
                for part, url in self._urls.items():
                    try:
                        said = client.get(url).text
                    except httpx.HTTPError:
                        continue
                    now = sum(float(number) for number in _IN_FLIGHT.findall(said))
                    self._most[part] = max(self._most[part], int(now))

    def stop(self) -> dict[str, tuple[int, int]]:
        """Part -> the most that waited at once, and how many may."""
        self._enough.set()
        self.join()
        assert self._most, f"no connector told how many wait, of {', '.join(self._urls)}"
        return {part: (most, Limits().messages) for part, most in self._most.items()}


def drain(settings: Settings, issued: Sequence[Obligation], limit_s: float) -> None:
    """Wait until the windows count, and cases hold, all that was issued and counts, or until time is up.

    Whether they do, and which do not, is the judge's to say.
    """
    wanted = Counter(each.window for each in issued)
    alarms, ids = sum(each.alarm for each in issued), {each.key: each.id for each in issued if each.alarm}
    pause, deadline_s = threading.Event(), time.monotonic() + limit_s
    while time.monotonic() < deadline_s:
        counted = windows(settings, settings.influxdb_database)
        if all(counted.get(window, Counted()).readings >= count for window, count in wanted.items()) and (
            not alarms or len(cases(settings, alerts(settings.kafka_bootstrap, ids))) >= alarms
        ):
            return
        pause.wait(1.0)


def write_down(oracle: Oracle, found: Ends) -> None:
    """Put what the ends hold into the ledger, beside what was issued."""
    now_ms = time.time_ns() // 1_000_000
    for stage in ("readings", "alerts", "cases"):
        seen: Sequence[Seen] = getattr(found, stage)
        oracle.write("seen", [(stage, each.id, each.content, 1, each.appended_ms) for each in seen])
    held = found.windows.items()
    rows = [("windows", "/".join(map(str, each)), f"{h.amount:g}", h.readings, now_ms) for each, h in held]
    oracle.write("seen", [*rows, *(("accounted", id_, "", 1, now_ms) for id_ in found.accounted)])


def gathered(
    settings: Settings, issued: Iterable[Obligation], waiting: Mapping[str, tuple[int, int]]
) -> Ends:
    """All ends, now; `waiting` is what `Waiting` saw."""
    ids = {each.key: each.id for each in issued if each.alarm}
    of_alarms = alerts(settings.kafka_bootstrap, ids)
    return Ends(
        readings=readings(settings.kafka_bootstrap, map(readings_topic, KINDS)),
        windows=windows(settings, settings.influxdb_database),
        alerts=list(of_alarms.values()),
        cases=cases(settings, of_alarms),
        accounted={each.id for each in readings(settings.kafka_bootstrap, [LATE])},
        waiting=waiting,
    )


def _alarm(alert: Alert, place: str, ids: Mapping[str, str]) -> Seen:
    id_ = ids.get(alert.device, f"alert of {alert.device}")
    return Seen(id_, content(_KEY_OF[alert.rule], alert.count, place), alert.onset_ms)
