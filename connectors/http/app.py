"""The HTTP push connector: one path a codec, and an answer that says what became of the message.

| answer | meaning |
|---|---|
| 202 | every record it led to is in the log |
| 422 | in quarantine, kept and counted: `{"reason", "detail"}`; sending the same again is useless |
| 401 | `unauthorised`: no credential or not a good one; `stale`: its timestamp is outside the window |
| 403 | `forbidden`: a good credential, for other paths |
| 408 | `slow`: the body did not come in time |
| 413 | larger than 16 MiB: not kept |
| 429 + Retry-After | `rate`: too many requests of this sender or, without a good credential, this address |
| 503 + Retry-After | not taken, or not confirmed yet: send the same again; what came twice counts once |

Instead of 202 and 422 a format may have an answer of its own (`connectors.base.Answering`).

A connection that breaks before an answer is a 503 to the sender: it sends again. Dying between any
two lines leaves the sender without a 202, so it does the same. Who may send is the guard's matter
(connectors.http.guard); every refusal is counted by its reason, those of the guard also logged, once a
minute and origin.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.base import Answer, Message, Outcome
from connectors.gateway import Gateway
from connectors.http.guard import Admitted, Answers, Guard
from connectors.http.telemetry import REPEATED
from connectors.http.trust import Denied
from schemas.errors import SettingsError

__all__ = ["RECEIVED_AT", "HttpSettings", "application"]

RECEIVED_AT: Final = "taishi-received-at"
"""Header of a message that is sent again: when it came at first, ms. A sender that made it up would only say
when its own message was made, as most formats do anyway."""
_MS_DIGITS: Final = 15

_LOG = structlog.get_logger(__name__)
_RETRY: Final = {"Retry-After": "1"}
_STATUS: Final = {"unauthorised": 401, "stale": 401, "forbidden": 403, "rate": 429}
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="taishi", Basic realm="taishi"'}


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """`routes` is path -> codec. `confirm_s`: how long a request waits for Kafka before its 503.

    `body_s`: how long a body may take to come.
    """

    routes: Mapping[str, str]
    body_bytes: int = 16 * 1024 * 1024
    bodies_bytes: int = 128 * 1024 * 1024
    body_s: float = 30.0
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


def application(settings: HttpSettings, gateway: Gateway, guard: Guard | None = None) -> Starlette:
    """The ASGI application; GET /health says whether there is room for one more message.

    Without a guard the door is open: for loopback only.
    """
    guard = guard or Guard()
    for path in settings.routes:
        if not path.startswith("/") or path == "/health" or any(c in path for c in "{}?# "):
            raise SettingsError(f"HTTP route: received {path!r}, allowed: a plain path such as /readings")
    bodies = _Bodies(settings)
    routes = [
        Route(path, _Endpoint(path, codec, settings, gateway, guard, bodies).take, methods=["POST"])
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


class _Endpoint:
    """One path and its codec."""

    def __init__(
        self,
        path: str,
        codec: str,
        settings: HttpSettings,
        gateway: Gateway,
        guard: Guard,
        bodies: _Bodies,
    ) -> None:
        self._path = path
        self._codec = codec
        self._settings = settings
        self._gateway = gateway
        self._guard = guard
        self._bodies = bodies
        self._answers: Answers[asyncio.Future[Outcome]] = Answers()
        self._repeated = REPEATED.labels(f"http.{codec}")

    async def take(self, request: Request) -> Response:
        """Answer one request: may it, its body, what became of it."""
        address = request.client.host if request.client else ""
        path, guard = self._path, self._guard
        admitted = guard.admit(request.headers, path, address, time.time(), time.monotonic())
        if isinstance(admitted, Denied):
            return self._denied(admitted, address)
        if not self._gateway.has_room():
            return self._refused(503, "busy", "too many messages in flight; send the same again", _RETRY)
        body = await self._body(request)
        if isinstance(body, Response):
            return body
        denied = guard.confirm(admitted, path, body, address, time.monotonic())
        if denied is not None:
            return self._denied(denied, address)
        return await self._outcome(request, body, admitted)

    async def _body(self, request: Request) -> bytes | Response:
        """The body, or why there is none."""
        settings = self._settings
        try:
            async with asyncio.timeout(settings.body_s):
                return await self._bodies.read(request)
        except TimeoutError:
            detail = f"received a body not complete after {settings.body_s:g} s, allowed: complete by then"
            return self._refused(408, "slow", detail, {"Connection": "close"})
        except _TooLargeError:
            detail = f"received more than {settings.body_bytes} bytes, allowed: at most that"
            return self._refused(413, "too_large", detail, said="oversize")
        except _BusyError:
            return self._refused(503, "busy", "too many bodies being read; send the same again", _RETRY)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it

    async def _outcome(self, request: Request, body: bytes, admitted: Admitted) -> Response:
        """What the log says of it; of a signed request that came before, what it said then."""
        signed = admitted.signed
        future = self._answers.get(signed) if signed is not None else None
        headers = _of_the_body(request)
        message = Message(body, request.url.path, _received_ms(request), headers=headers)
        if future is not None:
            self._repeated.inc()
        else:
            future = _accepted(self._gateway, message, self._codec)
            if signed is not None:
                self._answers.put(signed, future)
        try:
            async with asyncio.timeout(self._settings.confirm_s):
                outcome = await asyncio.shield(future)
        except TimeoutError:
            return _told(503, "unconfirmed", "not confirmed by the log yet; send the same again", _RETRY)
        return _answer(outcome, self._gateway.answer(message, self._codec, outcome))

    def _denied(self, denied: Denied, address: str) -> Response:
        status = _STATUS[denied.reason]
        headers = dict(_CHALLENGE) if status == 401 else {}
        if denied.retry_after_s is not None:
            headers["Retry-After"] = f"{denied.retry_after_s:.0f}"
        if self._guard.worth_telling(denied.reason, address, time.monotonic()):
            _LOG.warning("http refused", reason=denied.reason, detail=denied.detail, address=address)
        return self._refused(status, denied.reason, denied.detail, headers)

    def _refused(
        self,
        status: int,
        reason: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        said: str | None = None,
    ) -> Response:
        self._gateway.refuse(self._codec, reason)
        return _told(status, said or reason, detail, headers)


def _of_the_body(request: Request) -> tuple[tuple[str, str], ...]:
    return tuple((k, v) for k, v in request.headers.items() if k == "content-type" or k.startswith("ce-"))


def _received_ms(request: Request) -> int:
    """Now; of a message sent again (`taishi quarantine replay`) when it came at first, at most now."""
    now_ms = time.time_ns() // 1_000_000
    said = request.headers.get(RECEIVED_AT, "")
    return min(int(said), now_ms) if said.isdecimal() and len(said) <= _MS_DIGITS else now_ms


def _accepted(gateway: Gateway, message: Message, codec: str) -> asyncio.Future[Outcome]:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Outcome] = loop.create_future()

    def settle(outcome: Outcome) -> None:
        if not future.done():  # the request may have given up
            future.set_result(outcome)

    def done(outcome: Outcome) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to tell
            loop.call_soon_threadsafe(settle, outcome)

    gateway.accept(message, codec, done)
    return future


def _answer(outcome: Outcome, own: Answer | None) -> Response:
    """The format's own answer, else ours."""
    if own is not None:
        return Response(own.content, own.status, media_type=own.content_type)
    taken = {"readings": outcome.readings, "signals": outcome.signals}
    if outcome.rejected is None:
        return JSONResponse(taken, 202)
    rejected = {"reason": outcome.rejected.reason.value, "detail": outcome.rejected.detail}
    return JSONResponse(rejected | taken, 422)


def _told(status: int, reason: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"reason": reason, "detail": detail}, status, headers)
