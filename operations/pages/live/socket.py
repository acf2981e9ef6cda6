"""`/live`: one connection a page; the newest frame of each key it names, whenever that changes."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from operations.pages.live.board import Board, Subscription
from operations.pages.live.keys import BEAT, checked_key
from operations.pages.telemetry import PAGES_OPEN
from schemas.errors import Refused, received_allowed
from schemas.places.registry import PlaceRegistry

__all__ = ["KEYS_MAX", "live_router"]

KEYS_MAX: Final = 12
_SEND_LIMIT_S: Final = 10.0
_POLICY: Final = 1008


def live_router(board: Board, places: PlaceRegistry) -> APIRouter:
    """`GET /live?keys=district,map/grid/parking.occupancy` (WebSocket); `beat` comes to everybody."""
    router = APIRouter()

    @router.websocket("/live")
    async def live(socket: WebSocket, keys: str = "") -> None:
        await socket.accept()
        try:
            wanted = _wanted(socket, keys, places)
        except Refused as error:
            await socket.close(_POLICY, str(error)[:120])
            return
        with board.subscribed(wanted) as subscription, PAGES_OPEN.track_inprogress():
            await _serve(socket, subscription)

    return router


def _wanted(socket: WebSocket, keys: str, places: PlaceRegistry) -> set[str]:
    """The keys asked for, checked; Refused for another site's page, which browsers would let in."""
    origin, host = socket.headers.get("origin"), socket.headers.get("host")
    if origin is not None and urlsplit(origin).netloc != host:
        raise Refused(received_allowed("origin", origin, (f"pages of {host}",)))
    texts = [text for text in keys.split(",") if text]
    if len(texts) > KEYS_MAX:
        raise Refused(received_allowed("keys", f"{len(texts)} keys", (f"up to {KEYS_MAX}",)))
    return {checked_key(text, places).text for text in texts} | {BEAT}


async def _serve(socket: WebSocket, subscription: Subscription) -> None:
    """Send until the page leaves; what it sends is passed over. A page that takes nothing is let go."""
    leaving = asyncio.ensure_future(_left(socket))
    try:
        while not leaving.done():
            ready = asyncio.ensure_future(subscription.messages())
            await asyncio.wait((ready, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                ready.cancel()
                return
            for message in ready.result():
                await asyncio.wait_for(socket.send_text(message.decode()), _SEND_LIMIT_S)
    except (WebSocketDisconnect, TimeoutError, RuntimeError):
        return  # it is gone, or as good as gone
    finally:
        leaving.cancel()


async def _left(socket: WebSocket) -> None:
    while True:
        if (await socket.receive())["type"] == "websocket.disconnect":
            return
