"""HTTP connections whose request must come in time: headers here, bodies in `connectors.http.app`.

uvicorn waits for a request's headers for ever; thousands of connections that send one byte a minute would
hold the door shut. Here a connection has `HEADERS_S` from its first byte, and from being opened, to the
end of the headers; between two requests uvicorn's keep-alive timeout holds.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from connectors.http.telemetry import CLOSED_SLOW

__all__ = ["HEADERS_S", "PunctualProtocol"]

HEADERS_S: Final = 10.0


class PunctualProtocol(H11Protocol):
    """Closes, and counts, what does not send its headers in time."""

    headers_s: float = HEADERS_S

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection; its time begins."""
        super().connection_made(transport)
        self._begin()

    def data_received(self, data: bytes) -> None:
        """Bytes; the time ends with the headers' end, and begins with the next request's first byte."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._end()
        elif self._deadline is None:
            self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, and its time with it."""
        self._end()
        super().connection_lost(exc)

    def _begin(self) -> None:
        self._deadline = self.loop.call_later(self.headers_s, self._late)

    def _end(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        CLOSED_SLOW.inc()
        self.transport.close()
