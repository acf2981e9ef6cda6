"""Send original bytes again, by the way they came, and say what became of each."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import httpx
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from connectors.http.app import RECEIVED_AT
from connectors.mqtt.routes import replay_topic
from connectors.mqtt.settings import show_mqtt
from schemas.brokers import kafka_client
from schemas.quarantine import Quarantined
from schemas.topics import LARGE_BYTES
from taishi.doors import mqtt_settings, own_http_client
from taishi.kafka import kafka_of
from taishi.keys import keys_of
from taishi.quarantine.read import ends, read
from taishi.quarantine.records import Held, Route, Selection, opened, route
from taishi.settings import Settings

__all__ = ["Outcome", "content_type", "judge", "resend"]

_LIMIT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record.

    `accepted`; `quarantined` again; `refused` by the other side; `unsent`, with what was in the way.
    A record that goes back to its shard is accepted by the log; the aggregate judges it next.
    """

    position: str
    result: Literal["accepted", "quarantined", "refused", "unsent"]
    detail: str


def resend(settings: Settings, records: Iterable[Held]) -> list[Outcome]:
    """Send each record's original bytes again, with the moment they came at first; an outcome each, in order.

    An acknowledgement comes after Kafka's confirmation, so what is quarantined again already stands
    in the topic when its sender hears of it: it is looked up there. The old record stays where it is.
    """
    before = ends(kafka_of(settings))
    with _Sender(settings) as sender:
        sent = [(record, sender.send(record)) for record in records]
    keys = keys_of(settings)
    again = [opened(each, keys) for each in read(kafka_of(settings), Selection(), after=before)]
    return list(judge(sent, again))


def judge(sent: Iterable[tuple[Held, Outcome]], again: Iterable[Held]) -> Iterator[Outcome]:
    """An acknowledged message whose very bytes stand in quarantine again was not accepted."""
    reasons = {record.what.payload: record for record in again}
    counts = Counter(record.what.payload for record in again)
    for record, outcome in sent:
        payload = record.what.payload
        if outcome.result == "accepted" and counts[payload]:
            counts[payload] -= 1
            what = reasons[payload].what
            yield Outcome(outcome.position, "quarantined", f"{what.reason.value}: {what.detail}")
        else:
            yield outcome


def content_type(payload: bytes) -> str:
    """The header is not kept with the record; a look at the first byte is what is left."""
    first = payload.lstrip()[:1]
    if first == b"<":
        return "application/xml"
    return "application/json" if first in {b"{", b"["} else "application/octet-stream"


class _Sender:
    """Connections, opened when the first record needs them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = contextlib.ExitStack()
        self._http: httpx.Client | None = None
        self._mqtt: mqtt.Client | None = None
        self._log: Producer | None = None

    def __enter__(self) -> _Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def send(self, record: Held) -> Outcome:
        """Send one record's bytes; an error of the other side is an outcome."""
        paths = {codec: path for path, codec in self._settings.http_routes.items()}
        way = route(record.what, paths)
        if isinstance(way, str):
            return Outcome(str(record.position), "unsent", way)
        sends = {"http": self._post, "mqtt": self._publish, "log": self._append}
        try:
            refusal = sends[way.transport](way, record.what)
        except (httpx.HTTPError, OSError, RuntimeError, ValueError, KafkaException) as error:
            return Outcome(str(record.position), "unsent", f"{way.transport} {way.address}: {error}")
        result: Literal["refused", "accepted"] = "refused" if refusal else "accepted"
        return Outcome(str(record.position), result, refusal or f"{way.transport} {way.address}")

    def _post(self, way: Route, what: Quarantined) -> str:
        """POST to the connector; returns its words if it did not take it (422: it did, into quarantine)."""
        if self._http is None:
            self._http = self._stack.enter_context(own_http_client(self._settings, _LIMIT_S))
        headers = {"Content-Type": content_type(what.payload)}
        if what.received_at_ms:
            headers[RECEIVED_AT] = str(what.received_at_ms)
        answer = self._http.post(way.address, content=what.payload, headers=headers)
        kept = answer.is_success or answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        return "" if kept else f"HTTP {answer.status_code}: {answer.text[:200]}"

    def _publish(self, way: Route, what: Quarantined) -> str:
        """Publish with QoS 1 and wait for the PUBACK, which comes after Kafka's confirmation."""
        if self._mqtt is None:
            self._mqtt = mqtt.Client(CallbackAPIVersion.VERSION2)
            show_mqtt(mqtt_settings(self._settings, 0.0), self._mqtt)
            self._mqtt.connect(*self._settings.mqtt_host_port)
            self._mqtt.loop_start()
            self._stack.callback(self._mqtt.loop_stop)
            self._stack.callback(self._mqtt.disconnect)
        received_ms = what.received_at_ms
        topic = replay_topic(way.address, received_ms) if received_ms else way.address
        published = self._mqtt.publish(topic, what.payload, qos=1)
        published.wait_for_publish(_LIMIT_S)
        return "" if published.is_published() else f"not acknowledged within {_LIMIT_S:g} s"

    def _append(self, way: Route, what: Quarantined) -> str:
        """Append to the shard it was refused by."""
        if self._log is None:
            self._log = Producer(
                {
                    **kafka_client(kafka_of(self._settings)),
                    "enable.idempotence": True,
                    "message.max.bytes": LARGE_BYTES,
                    "delivery.timeout.ms": int(_LIMIT_S * 1000),
                }
            )
        errors: list[str] = []

        def confirm(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                errors.append(error.str())

        self._log.produce(way.address, value=what.payload, partition=way.partition, on_delivery=confirm)
        left = self._log.flush(_LIMIT_S)
        return "; ".join(errors) or ("not confirmed" if left else "")
