"""The shell: messages out over MQTT and HTTP as devices send them, each until it is acknowledged.

Both queues are bounded: when the door does not keep up, the city waits and loses nothing it had
said. An HTTP 503 or a broken connection is tried again with growing waits; MQTT's client sends
again by itself after a reconnect.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import httpx
import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client import Counter

from simulation.vendors.outgoing import Outgoing

__all__ = ["Publisher", "PublisherSettings"]

_LOG = structlog.get_logger(__name__)
SENT: Final = Counter("taishi_simulated_messages_total", "simulated messages sent", ["vendor"])
ACKNOWLEDGED: Final = Counter(
    "taishi_simulated_acknowledged_total", "simulated messages acknowledged by the door", ["vendor"]
)
REFUSED: Final = Counter(
    "taishi_simulated_refused_total", "simulated messages told to be in quarantine, or too large", ["vendor"]
)
_HTTP_THREADS: Final = 8
_QUEUED: Final = 2_000
_LOOK_S: Final = 0.2  # how often a full queue looks whether to give up


@dataclass(frozen=True, slots=True)
class PublisherSettings:
    """Where the door is, and what to show there; empty shows nothing."""

    mqtt_host: str
    mqtt_port: int
    http_url: str
    http_token: str = ""
    mqtt_user: str = ""
    mqtt_password: str = ""


class Publisher:
    """Sends from one thread's calls; acknowledgements arrive on others. Use as a context manager."""

    def __init__(self, settings: PublisherSettings) -> None:
        self._settings = settings
        self._stopped = threading.Event()
        self._http: queue.Queue[Outgoing] = queue.Queue(_QUEUED)
        self._open = 0
        self._changed = threading.Condition()
        self._vendors: dict[int, str] = {}
        self._early: set[int] = set()
        self._mqtt = paho.Client(CallbackAPIVersion.VERSION2, client_id="", clean_session=True)
        if settings.mqtt_user:
            self._mqtt.username_pw_set(settings.mqtt_user, settings.mqtt_password)
        self._mqtt.max_inflight_messages_set(500)
        self._mqtt.reconnect_delay_set(1, 5)
        self._mqtt.on_publish = self._on_published

    def __enter__(self) -> Publisher:
        self._mqtt.connect_async(self._settings.mqtt_host, self._settings.mqtt_port)
        self._mqtt.loop_start()
        for number in range(_HTTP_THREADS):
            threading.Thread(target=self._post_all, name=f"http-{number}", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._mqtt.disconnect()
        self._mqtt.loop_stop()

    def send(self, messages: Iterable[Outgoing], give_up: Callable[[], bool] = lambda: False) -> int:
        """Hand messages over, waiting while the queues are full; returns how many.

        Without room the rest is left unsaid once `give_up()` is true: a door that is down must not
        keep a city from stopping.
        """
        count = 0
        for message in messages:
            taken = self._queue if message.transport == "http" else self._publish
            if not taken(message, give_up):
                break
            SENT.labels(message.vendor).inc()
            count += 1
        return count

    def drain(self, limit_s: float) -> int:
        """Wait until all is acknowledged; returns how many are not after `limit_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._open == 0, limit_s)
            return self._open

    def _queue(self, message: Outgoing, give_up: Callable[[], bool]) -> bool:
        with self._changed:
            self._open += 1  # before a thread can answer it
        while True:
            try:
                self._http.put(message, timeout=_LOOK_S)
            except queue.Full:
                if give_up():
                    with self._changed:
                        self._open -= 1
                    return False
            else:
                return True

    def _publish(self, message: Outgoing, give_up: Callable[[], bool]) -> bool:
        with self._changed:
            while not self._changed.wait_for(lambda: len(self._vendors) < _QUEUED, _LOOK_S):
                if give_up():
                    return False
            self._open += 1
        # Not under our lock: the client's thread holds its own while it calls `_on_published`.
        info = self._mqtt.publish(message.address, message.payload, qos=1)
        with self._changed:
            if info.mid in self._early:
                self._early.remove(info.mid)
                self._count_acknowledged(message.vendor)
            else:
                self._vendors[info.mid] = message.vendor
        return True

    def _on_published(self, _client: object, _data: object, mid: int, *_: object) -> None:
        with self._changed:
            vendor = self._vendors.pop(mid, None)
            if vendor is None:
                self._early.add(mid)  # acknowledged before `publish` came back with its number
            else:
                self._count_acknowledged(vendor)

    def _count_acknowledged(self, vendor: str) -> None:
        ACKNOWLEDGED.labels(vendor).inc()
        self._open -= 1
        self._changed.notify_all()

    def _post_all(self) -> None:
        token = self._settings.http_token
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        with httpx.Client(base_url=self._settings.http_url, timeout=15.0, headers=shown) as client:
            while not self._stopped.is_set():
                try:
                    message = self._http.get(timeout=0.5)
                except queue.Empty:
                    continue
                self._post(client, message)
                with self._changed:
                    self._open -= 1
                    self._changed.notify_all()

    def _post(self, client: httpx.Client, message: Outgoing) -> None:
        """Until an answer is final: 202 taken, 4xx kept in quarantine or refused."""
        attempt = 0
        while not self._stopped.is_set():
            attempt += 1
            try:
                answer = client.post(
                    message.address, content=message.payload, headers={"Content-Type": message.content_type}
                )
            except httpx.HTTPError as error:
                why = type(error).__name__
            else:
                if answer.status_code == 202:
                    ACKNOWLEDGED.labels(message.vendor).inc()
                    return
                if 400 <= answer.status_code < 500 and answer.status_code != 429:
                    REFUSED.labels(message.vendor).inc()
                    return
                why = f"status {answer.status_code}"
            if attempt in {5, 50}:
                _LOG.warning("the door does not take messages; trying again", why=why, attempt=attempt)
            self._stopped.wait(min(5.0, 0.1 * 2.0 ** min(attempt, 8)))
