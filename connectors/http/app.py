"""The HTTP push connector: one path a codec, and an answer that says what became of the message.

| answer | meaning |
|---|---|
| 202 | every record it led to is in the log |
| 422 | in quarantine, kept and counted: `{"reason", "detail"}`; sending the same again is useless |
| 413 | larger than 16 MiB: not kept |
| 503 + Retry-After | not taken, or not confirmed yet: send the same again; what came twice counts once |

A connection that breaks before an answer is a 503 to the sender: it sends again. Dying between any
two lines leaves the sender without a 202, so it does the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.base import Message
from connectors.gateway import Gateway, Outcome
from schemas.errors import SettingsError

__all__ = ["HttpSettings", "application"]

_RETRY: Final = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """`routes` is path -> codec. `confirm_s`: how long a request waits for Kafka before its 503."""

    routes: Mapping[str, str]
    body_bytes: int = 16 * 1024 * 1024
    bodies_bytes: int = 128 * 1024 * 1024
    confirm_s: float = 30.0


class _TooLargeError(Exception):
    """The body exceeds `body_bytes`."""


class _BusyError(Exception):
    """All bodies being read exceed `bodies_bytes`."""


class _Bodies:
    """Reads bodies, one bound each and one for all that are being read."""

    def __init__(self, settings: HttpSettings) -> None:
        self._each = settings.body_bytes
        self._all = settings.bodies_bytes
        self._reading = 0

    async def read(self, request: Request) -> bytes:
        """The body; stops reading as soon as a bound is passed, whatever Content-Length says."""
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._each:
            raise _TooLargeError
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                self._reading += len(chunk)
                if len(body) > self._each:
                    raise _TooLargeError
                if self._reading > self._all:
                    raise _BusyError
        finally:
            self._reading -= len(body)
        return bytes(body)


def application(settings: HttpSettings, gateway: Gateway) -> Starlette:
    """The ASGI application; GET /health says whether there is room for one more message."""
    for path in settings.routes:
        if not path.startswith("/") or path == "/health" or any(c in path for c in "{}?# "):
            raise SettingsError(f"HTTP route: received {path!r}, allowed: a plain path such as /readings")
    bodies = _Bodies(settings)
    routes = [
        Route(path, _endpoint(codec, settings, gateway, bodies), methods=["POST"])
        for path, codec in settings.routes.items()
    ]

    async def health(_request: Request) -> Response:
        room = gateway.has_room()
        said = {"status": "ok" if room else "busy", "in_flight": gateway.in_flight}
        return JSONResponse(said, 200 if room else 503)

    async def missing(request: Request, _error: Exception) -> Response:
        detail = f"received {request.url.path}, allowed: {', '.join(settings.routes)}, /health"
        return _told(404, "not_found", detail)

    async def not_posted(request: Request, _error: Exception) -> Response:
        return _told(405, "method", f"received {request.method}, allowed: POST", {"Allow": "POST"})

    return Starlette(
        routes=[*routes, Route("/health", health)], exception_handlers={404: missing, 405: not_posted}
    )


def _endpoint(
    codec: str, settings: HttpSettings, gateway: Gateway, bodies: _Bodies
) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        if not gateway.has_room():
            gateway.refuse(codec, "busy")
            return _told(503, "busy", "too many messages in flight; send the same again", _RETRY)
        try:
            payload = await bodies.read(request)
        except _TooLargeError:
            gateway.refuse(codec, "too_large")
            return _told(
                413, "oversize", f"received more than {settings.body_bytes} bytes, allowed: at most that"
            )
        except _BusyError:
            gateway.refuse(codec, "busy")
            return _told(503, "busy", "too many bodies being read; send the same again", _RETRY)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        message = Message(
            payload, request.url.path, time.time_ns() // 1_000_000, headers=_of_the_body(request)
        )
        try:
            async with asyncio.timeout(settings.confirm_s):
                outcome = await _accepted(gateway, message, codec)
        except TimeoutError:
            return _told(503, "unconfirmed", "not confirmed by the log yet; send the same again", _RETRY)
        return _answer(outcome)

    return take


def _of_the_body(request: Request) -> tuple[tuple[str, str], ...]:
    return tuple((k, v) for k, v in request.headers.items() if k == "content-type" or k.startswith("ce-"))


async def _accepted(gateway: Gateway, message: Message, codec: str) -> Outcome:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Outcome] = loop.create_future()

    def settle(outcome: Outcome) -> None:
        if not future.done():  # the request may have given up
            future.set_result(outcome)

    def done(outcome: Outcome) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to tell
            loop.call_soon_threadsafe(settle, outcome)

    gateway.accept(message, codec, done)
    return await future


def _answer(outcome: Outcome) -> Response:
    taken = {"readings": outcome.readings, "signals": outcome.signals}
    if outcome.rejected is None:
        return JSONResponse(taken, 202)
    rejected = {"reason": outcome.rejected.reason.value, "detail": outcome.rejected.detail}
    return JSONResponse(rejected | taken, 422)


def _told(status: int, reason: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"reason": reason, "detail": detail}, status, headers)
