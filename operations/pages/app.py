"""The pages' server: one application that reads once and tells all browsers.

| path | what |
|---|---|
| `/` | 态势总览, the wall |
| `/place/{code}` | a street, community or grid |
| `/domain/{domain}` | 智慧停车, 智慧安防, 智慧养老, 基层治理 |
| `/health` | 系统健康 |
| `/live` | WebSocket: the frames of the keys named, when they change |
| `/state/{key}` | the newest frame of a key, JSON |
| `/map/{level}.geojson` | outlines, with values and bands of a metric |
| `/ready` | 200 while pages can be told the present |

Read-only, without users of its own: who may reach it may see it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from operations.pages.live.board import Board
from operations.pages.live.keys import checked_key
from operations.pages.live.socket import live_router
from operations.pages.live.watch import Watch
from operations.pages.maps import maps_router
from operations.pages.views.outlines import Outlines
from schemas.errors import Refused
from schemas.places.registry import PlaceRegistry

__all__ = ["Parts", "application"]

_FIRST_FRAME_S: Final = 10.0
_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'"
)
"""Nothing from elsewhere; inline and eval because NiceGUI hands its pages to Vue so."""


@dataclass(frozen=True)
class Parts:
    """What an application is made of; `background` run while it serves, a thread each, until told to stop."""

    board: Board
    watch: Watch
    outlines: Outlines
    places: PlaceRegistry
    background: tuple[Callable[[threading.Event], None], ...]


def application(parts: Parts) -> FastAPI:
    """Everything but the pages themselves (`layouts.mount`)."""
    app = FastAPI(title="Taishi pages", lifespan=_lifespan(parts), docs_url=None, redoc_url=None)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=6)
    app.add_middleware(_Headers)
    app.include_router(live_router(parts.board, parts.places))
    app.include_router(maps_router(parts.watch, parts.outlines))

    @app.exception_handler(Refused)
    async def refused(_request: Request, error: Refused) -> Response:
        return JSONResponse({"detail": str(error)}, 400)

    @app.get("/state/{key:path}")
    async def state(key: str) -> Response:
        """The newest frame; made for this request where nobody watches it."""
        name = checked_key(key, parts.places).text
        with parts.board.subscribed([name]) as subscription, suppress(TimeoutError):
            await asyncio.wait_for(subscription.messages(), _FIRST_FRAME_S)
        frame = parts.board.frame(name)
        if frame is None:
            return JSONResponse({"detail": f"{name}: not known yet; ask again"}, 503)
        return Response(frame, media_type="application/json", headers={"Cache-Control": "no-store"})

    @app.get("/ready")
    async def ready() -> Response:
        why = parts.watch.unavailable
        return JSONResponse({"ready": not why, "detail": why}, 503 if why else 200)

    return app


def _lifespan(parts: Parts) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        parts.board.attach(asyncio.get_running_loop())
        stopping = threading.Event()
        threads = [
            threading.Thread(target=run, args=(stopping,), name=f"pages-{number}", daemon=True)
            for number, run in enumerate(parts.background)
        ]
        for thread in threads:
            thread.start()
        yield
        stopping.set()
        parts.watch.wake()
        for thread in threads:
            await asyncio.to_thread(thread.join, 5.0)

    return lifespan


class _Headers:
    """Says to browsers what a page may load: nothing from elsewhere."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], (b"content-security-policy", _POLICY.encode())]
                headers += [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
