"""The HTTP poll connector: asks platforms that do not push, and listens to streams that devices keep open.

ask: 1 GET   2 the answer, or a part of the stream   3 gateway   4 Kafka confirms   5 the next

What a kill leaves behind: a platform is asked again by the next process and answers with what it has now;
what reached the log before has the same reading ids, and the fold drops the second. A stream begins anew;
what a device said while nobody listened is lost unless it keeps it and sends it again, which is why push
is better where a device can. Nothing here is written to disk.

Kafka away: step 4 does not come, so nothing more is asked or read: the device's own buffer fills.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import httpx
import structlog
from prometheus_client import Counter

from connectors.base import Message
from connectors.gateway import Gateway
from connectors.poll.parts import BrokenStream, Parts
from schemas.errors import SettingsError
from schemas.outbound import refuse_link_local

__all__ = ["FAILURES", "PollTarget", "Poller"]

_LOG = structlog.get_logger(__name__)
FAILURES: Final = Counter(
    "taishi_poll_failures_total", "times a target could not be asked, or its stream ended", ["target"]
)
_BOUNDARY: Final = re.compile(r"""boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;]{1,200}))""", re.IGNORECASE)
_AGAIN_S: Final = (1.0, 60.0)
_ROOM_S: Final = 0.05
_LEAVE_S: Final = 5.0
_EVENTS: Final = (b"<", b"{", b"[")


@dataclass(frozen=True, slots=True)
class PollTarget:
    """One address to ask every `every_s`, or, with `stream`, to listen to for as long as it lasts.

    An answer like the one before is nothing new. `user` and `password` are for HTTP digest, as cameras
    want it; `token` goes as a bearer token.
    """

    name: str
    url: str
    codec: str
    every_s: float = 60.0
    stream: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    timeout_s: float = 30.0

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in {"http", "https"}:
            raise SettingsError(f"poll {self.name}: received {self.url!r}, allowed: an http or https URL")
        refuse_link_local(f"poll {self.name}", urlsplit(self.url).hostname or "")
        if self.every_s < 1:
            raise SettingsError(f"poll {self.name}: every_s: received {self.every_s}, allowed: 1 or more")


class Poller:
    """Asks every target on a thread of its own, until `stop`."""

    def __init__(self, targets: Iterable[PollTarget], gateway: Gateway) -> None:
        self._gateway = gateway
        self._stopping = threading.Event()
        self._taken: dict[str, bytes] = {}
        self._threads = [
            threading.Thread(target=self._serve, args=(each,), name=f"poll-{each.name}", daemon=True)
            for each in targets
        ]

    def run(self) -> None:
        """Return when stopped; a thread that waits for an answer is not waited for longer than `_LEAVE_S`."""
        for thread in self._threads:
            thread.start()
        self._stopping.wait()
        until_s = time.monotonic() + _LEAVE_S
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def stop(self) -> None:
        """End soon; may be called from a signal handler."""
        self._stopping.set()

    def _serve(self, target: PollTarget) -> None:
        failed = 0
        with _client(target) as client:
            while not self._stopping.is_set():
                began_s = time.monotonic()
                try:
                    self._listen(client, target) if target.stream else self._ask(client, target)
                except (httpx.HTTPError, BrokenStream) as error:
                    failed += 1
                    FAILURES.labels(target.name).inc()
                    _tell(target, error, failed)
                    self._stopping.wait(min(_AGAIN_S[1], _AGAIN_S[0] * 2.0 ** min(failed - 1, 6)))
                else:
                    failed = 0
                    self._stopping.wait(max(0.0, began_s + target.every_s - time.monotonic()))

    def _ask(self, client: httpx.Client, target: PollTarget) -> None:
        answer = client.get(target.url)
        answer.raise_for_status()
        digest = hashlib.blake2b(answer.content).digest()
        if self._taken.get(target.name) != digest:
            self._take(target, answer.content, answer.headers.get("content-type", ""))
            self._taken[target.name] = digest

    def _listen(self, client: httpx.Client, target: PollTarget) -> None:
        """Take the events of a stream; pictures are passed over. It ends by an error: streams do not."""
        with client.stream("GET", target.url) as answer:
            answer.raise_for_status()
            named = _BOUNDARY.search(answer.headers.get("content-type", ""))
            if named is None:
                said = answer.headers.get("content-type", "nothing")
                raise BrokenStream(
                    f"content-type: received {said[:100]!r}, allowed: multipart with a boundary"
                )
            parts = Parts(named[1] or named[2])
            for data in answer.iter_raw():
                for kind, body in parts.feed(data):
                    if body.lstrip()[:1] in _EVENTS:
                        self._take(target, body, kind)
                if self._stopping.is_set():
                    return
        raise BrokenStream("the stream ended")

    def _take(self, target: PollTarget, body: bytes, content_type: str) -> None:
        """Through the gateway; returns when Kafka has confirmed it, or at the stop."""
        while not self._gateway.has_room():
            if self._stopping.wait(_ROOM_S):
                return
        confirmed = threading.Event()
        headers = (("content-type", content_type),) if content_type else ()
        address = urlsplit(target.url).path or "/"
        message = Message(body, address, time.time_ns() // 1_000_000, headers=headers)
        self._gateway.accept(message, target.codec, lambda _outcome: confirmed.set())
        while not (confirmed.wait(_ROOM_S) or self._stopping.is_set()):
            pass


def _tell(target: PollTarget, error: Exception, failed: int) -> None:
    """At first, and then seldom: a target may be away for days."""
    if failed in {1, 10} or failed % 100 == 0:
        why = str(error) or type(error).__name__
        _LOG.warning("target not asked; trying again", target=target.name, why=why, failed=failed)


def _client(target: PollTarget) -> httpx.Client:
    auth = httpx.DigestAuth(target.user, target.password) if target.user else None
    headers = {"Authorization": f"Bearer {target.token}"} if target.token else {}
    return httpx.Client(auth=auth, headers=headers, timeout=target.timeout_s, trust_env=False)
