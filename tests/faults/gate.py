"""A gate before the real InfluxDB: what comes is passed on, or answered as a server in trouble answers."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Literal
from urllib.parse import urlsplit

import httpx

Way = Literal["busy", "unavailable", "hangs", "unheard", "slow"]
"""busy: 429 with Retry-After. unavailable: 503. hangs: taken, passed to nobody, never answered.
unheard: passed on, and the answer is lost. slow: answered after a while."""
RETRY_AFTER_S: Final = 1
SLOW_S: Final = 1.0
_KEPT: Final = {"content-type", "content-encoding", "authorization"}


class Gate:
    """In front of the InfluxDB at `target`; each of the next writes is treated as `trouble` says."""

    def __init__(self, target: str) -> None:
        self.trouble: deque[Way] = deque()
        self.writes: list[tuple[float, str]] = []
        """When each write came, s of the monotonic clock, and what became of it: a way, or `passed`."""
        self._ending = threading.Event()
        self._client = httpx.Client(base_url=target, timeout=30.0)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"gate": self}))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def next(self, ways: Iterable[Way]) -> None:
        """So the next writes are treated."""
        self.trouble.extend(ways)

    def passed(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        """What InfluxDB answers."""
        kept = {name: value for name, value in headers.items() if name.lower() in _KEPT}
        return self._client.request(method, path, headers=kept, content=body)

    def treat(self, path: str) -> Way | None:
        """How this request is treated; only writes meet trouble."""
        if urlsplit(path).path not in {"/write", "/api/v2/write"}:
            return None
        way = self.trouble.popleft() if self.trouble else None
        self.writes.append((time.monotonic(), way or "passed"))
        return way

    def hang(self, limit_s: float | None = None) -> None:
        """Wait, at most until the gate is closed."""
        self._ending.wait(limit_s)

    def close(self) -> None:
        """Nothing hangs any more, and nothing is answered."""
        self._ending.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._client.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gate: Gate

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        way = self.gate.treat(self.path)
        if way == "busy":
            self._answer(429, {"Retry-After": str(RETRY_AFTER_S)})
        elif way == "unavailable":
            self._answer(503, {})
        elif way == "hangs":
            self.gate.hang()
            self.close_connection = True
        else:
            self._pass_on(body, way)

    def do_GET(self) -> None:
        self._pass_on(b"", None)

    def _pass_on(self, body: bytes, way: Way | None) -> None:
        said = self.gate.passed(self.command, self.path, dict(self.headers), body)
        if way == "unheard":
            self.close_connection = True
            return
        if way == "slow":
            self.gate.hang(SLOW_S)
        kept = {name: said.headers[name] for name in ("Content-Type",) if name in said.headers}
        self._answer(said.status_code, kept, said.content)

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Quiet."""
