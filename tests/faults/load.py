"""The producer: known readings and alarms, each f(seed, number), by MQTT and HTTP, until acknowledged.

What is sent was written into the ledger before; an obligation is written when PUBACK or 202 has come.
"""

from __future__ import annotations

import hashlib
import json
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass

import httpx
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from connectors.alarms import SIGNAL_OF
from schemas.places.synthetic import synthetic_layer
from schemas.readings import reading_id
from taishi.settings import Settings
from tests.faults.judge import Obligation
from tests.faults.oracle import Oracle

WINDOW_MS = 10_000
KINDS = {
    "parking": ("parking.space", "occupied"),
    "security": ("security.access", "granted"),
    "care": ("care.activity", "motion"),
}
AMOUNTS = {"security": "access_granted", "care": "activity"}
"""Domain -> the measure that is the sum of our values; how full a car park is, is none."""
GRIDS = ["370202001001001", "370202001001002", "370202002008001", "370202014011003"]
DEVICES = [
    (f"known-{domain}-{number}", domain, GRIDS[number % len(GRIDS)])
    for domain in KINDS
    for number in range(12)
]
ALARMS = [key.rsplit(".", 1) for key in SIGNAL_OF if key != "security.intrusion.tamper"]
"""Kind and metric of what must become an alert and a case; many of one kind at once would be a storm."""
_ALARM_GRIDS = [code for code in sorted(synthetic_layer().codes)[::11] if code not in GRIDS]
ALARM_DEVICES = [
    (f"alarm-{number}", ALARMS[number % len(ALARMS)][0], _ALARM_GRIDS[number % len(_ALARM_GRIDS)])
    for number in range(2_000)
]
LATE_MS, TOO_LATE_MS = 25_000, 700_000
"""What still corrects its window, and what is beyond `lateness_s`."""


def registry() -> str:
    """The known devices as a registry."""
    known = [f"{device},native,{KINDS[domain][0]},{grid},,,,,,false" for device, domain, grid in DEVICES]
    alarms = [f"{device},native,{kind},{grid},,,,,,false" for device, kind, grid in ALARM_DEVICES]
    head = "device,model,kind,grid,longitude,latitude,crs,subject,capacity,simulated"
    return "\n".join([head, *known, *alarms]) + "\n"


@dataclass(frozen=True)
class Load:
    """What is sent: every number's message follows from these alone.

    `alarm_every` 0: no alarms. Without `late` everything is of now. `ahead`: how many messages the MQTT
    client sends before the first of them is confirmed.
    """

    seed: int
    start_ms: int
    rate_per_s: int
    alarm_every: int = 0
    late: bool = True
    ahead: int = 20

    def message(self, number: int) -> Message:
        """The message of that number."""
        observed_ms = self.start_ms + number * 1000 // self.rate_per_s
        if self.alarm_every and number % self.alarm_every == self.alarm_every // 2:
            of = number // self.alarm_every
            device, _, grid = ALARM_DEVICES[of]  # IndexError: more alarms than devices for them
            kind, metric = ALARMS[of % len(ALARMS)]
            return Message(number, device, kind.partition(".")[0], grid, kind, metric, 1, observed_ms, True)
        device, domain, grid = DEVICES[number % len(DEVICES)]
        if self.late and number % 50 == 0:
            observed_ms -= TOO_LATE_MS if self.too_late(number) else LATE_MS
        value = hashlib.blake2b(f"{self.seed}/{number}".encode(), digest_size=1).digest()[0]
        value = value % 2 if domain == "parking" else 1 + value % 3
        return Message(number, device, domain, grid, *KINDS[domain], value, observed_ms, False)

    def too_late(self, number: int) -> bool:
        """Whether the message of that number is beyond `lateness_s`: it counts in no window."""
        return self.late and number % 500 == 50


def load_of(seed: int, *, long: bool, alarm_every: int = 0, late: bool = True) -> Load:
    """The load of a run that begins now: 120 readings/s, in the long form 400."""
    return Load(seed, time.time_ns() // 1_000_000, 400 if long else 120, alarm_every, late)


@dataclass(frozen=True)
class Message:
    """One reading; two of one device and millisecond are told apart by `seq`."""

    number: int
    device: str
    domain: str
    grid: str
    kind: str
    metric: str
    value: int
    observed_ms: int
    alarm: bool

    @property
    def seq(self) -> int:
        return self.number % 65_536

    @property
    def id(self) -> str:
        return reading_id(self.device, self.kind, self.metric, self.observed_ms, self.seq)

    @property
    def content(self) -> str:
        return content(f"{self.kind}.{self.metric}", self.value, self.grid)

    @property
    def body(self) -> bytes:
        """As the device sends it."""
        return json.dumps({
            "device": self.device, "kind": self.kind, "metric": self.metric, "value": self.value,
            "observed_at_ms": self.observed_ms, "seq": self.seq,
        }).encode()  # fmt: skip

    def row(self) -> tuple[object, ...]:
        """As the ledger says that it was issued."""
        start_ms = self.observed_ms // WINDOW_MS * WINDOW_MS
        amount = self.value if self.domain in AMOUNTS and not self.alarm else 0
        return (self.number, self.id, self.device, self.content, self.domain, self.grid, start_ms, amount,
                self.observed_ms, self.alarm, time.time_ns() // 1_000_000)  # fmt: skip


def content(key: str, value: float, grid: str) -> str:
    """What must arrive unchanged."""
    return f"{key}={value:g}@{grid}"


def obligations(oracle: Oracle) -> list[Obligation]:
    """Every message the ledger says was issued."""
    columns = "number, id, key, content, domain, grid, start_ms, amount, observed_ms, alarm"
    rows = oracle.rows(f"SELECT {columns}, id IN (SELECT id FROM acked) FROM issued")  # noqa: S608 - our own
    return [
        Obligation(
            id_, number, key, text, (domain, grid, start_ms), amount, observed_ms, bool(acked), bool(alarm)
        )
        for number, id_, key, text, domain, grid, start_ms, amount, observed_ms, alarm, acked in rows
    ]


class Sender(threading.Thread):
    """Sends at a steady rate; a device speaks either MQTT or HTTP, and in its own order."""

    def __init__(self, settings: Settings, load: Load, oracle: Oracle, client: str = "known") -> None:
        super().__init__(daemon=True)
        self.settings, self.load, self.oracle = settings, load, oracle
        self.sent = self.open = 0
        self.changed = threading.Condition()
        self._enough = threading.Event()
        self._posts: list[tuple[str, bytes]] = []
        self._posts_changed = threading.Condition()
        self._unsent: deque[Message] = deque()
        self._mids: dict[int, str] = {}
        self._mids_lock = threading.Lock()
        self._cut_off = False
        self._pubacks: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._mqtt = paho.Client(CallbackAPIVersion.VERSION2, client_id=client, clean_session=False)
        self._mqtt.max_queued_messages_set(0)
        self._mqtt.max_inflight_messages_set(load.ahead)
        self._mqtt.reconnect_delay_set(1, 2)
        self._mqtt.on_publish = lambda _client, _data, mid, *_: self._pubacks.put(mid)
        self._mqtt.on_disconnect = self._disconnected

    def run(self) -> None:
        """Send what is due until told to stop."""
        self._mqtt.connect(*self.settings.mqtt_host_port)
        self._mqtt.loop_start()
        for work in (self._post_all, self._take_pubacks):
            threading.Thread(target=work, daemon=True).start()
        number = 0
        while not self._enough.wait(0.02):
            due = (time.time_ns() // 1_000_000 - self.load.start_ms) * self.load.rate_per_s // 1000
            messages = [self.load.message(each) for each in range(number, due)]
            if messages:
                self.oracle.write("issued", [message.row() for message in messages])
            for message in messages:
                self._send(message)
            number = max(number, due)

    def _send(self, message: Message) -> None:
        copies = 2 if message.number % 40 == 0 else 1  # the same reading again changes nothing
        with self.changed:
            self.sent += 1
            self.open += copies
        for _ in range(copies):
            if message.number % 2:
                with self._posts_changed:
                    self._posts.append((message.id, message.body))
                    self._posts_changed.notify()
            else:
                with self._mids_lock:
                    self._unsent.append(message)
                    self._publish()

    def _disconnected(self, *_: object) -> None:
        self._cut_off = True

    def _publish(self) -> None:
        """What there is room for; once cut off, nothing before all that was under way has been confirmed.

        paho lets what is published while it connects overtake what it has to send again: no device of one
        order.
        """
        if self._cut_off:
            self._cut_off = bool(self._mids) or not self._mqtt.is_connected()
        while self._unsent and not self._cut_off and len(self._mids) < self.load.ahead:
            message = self._unsent.popleft()
            said = self._mqtt.publish(f"taishi/readings/{message.device}", message.body, qos=1)
            self._mids[said.mid] = message.id

    def _acknowledged(self, ids: list[str]) -> None:
        for id_ in ids:
            self.oracle.acked(id_)
        with self.changed:
            self.open -= len(ids)
            self.changed.notify_all()

    def _take_pubacks(self) -> None:
        """Not in paho's own callback: it holds what `publish` waits for."""
        while True:
            mid = self._pubacks.get()
            with self._mids_lock:
                id_ = self._mids.pop(mid)
                self._publish()
            self._acknowledged([id_])

    def _post_all(self) -> None:
        url = f"http://{self.settings.http_host}:{self.settings.http_port}/readings"
        pause = threading.Event()
        with httpx.Client(timeout=10.0) as client:
            while True:
                with self._posts_changed:
                    self._posts_changed.wait_for(lambda: self._posts)
                    posts = self._posts[:50]
                try:
                    answer = client.post(url, content=b"[" + b",".join(body for _, body in posts) + b"]")
                    taken = answer.status_code == 202
                except httpx.HTTPError:
                    taken = False
                if not taken:
                    pause.wait(0.2)  # the door is shut: the device tries again
                    continue
                with self._posts_changed:
                    del self._posts[: len(posts)]
                self._acknowledged([id_ for id_, _ in posts])

    def stop(self, limit_s: float) -> int:
        """Send nothing new; returns how many are not acknowledged after `limit_s`."""
        self._enough.set()
        self.join()
        until_s = time.monotonic() + limit_s
        with self.changed:
            while self.open and time.monotonic() < until_s:
                with self._mids_lock:
                    self._publish()
                self.changed.wait(0.05)
        self.oracle.settled()
        return self.open
