"""The desk as one application: its client, and its API under `/api/…` (OpenAPI document `/api/openapi.json`).

| path | what |
|---|---|
| `/`, `/m`, `/touch`, `/wall` | the client: PC desk, phone, touch screen, wall board |
| `/api/session`, `/api/me` | signing in and out, who one is, a new password |
| `/api/alerts`, `/api/alerts/{id}`, `/api/alerts/{id}/{verb}` | the list, one whole, what one does |
| `/api/alerts/{id}/case`, `/api/cases` | open a case: of an alert, of what somebody reports |
| `/api/cases`, `/api/cases/{id}`, `/api/cases/{id}/{verb}` | the list, one whole, what one does |
| `/api/case-words`, `/api/standards`, `/api/colleagues` | names, standards, whom one may name |
| `/api/evaluation`, `/api/evaluation.csv` | rates of cases, with the cases behind each |
| `/api/hidings` | what hides alerts now; suppress by rule and place, take devices out of service |
| `/api/posts`, `/api/handovers`, `/api/handover-list` | whose the next alert is; shifts handed over, signed |
| `/api/major-events`, `/api/major-events/{id}` | major-event mode: set up, on, off, reports, board, summary |
| `/api/parking/…`, `/api/patrols`, `/api/care/…`, `/api/party/…`, `/api/photos` | the scenarios |
| `/api/events` | server-sent events: the list, then what changes |
| `/api/places`, `/api/map/{level}` | names and outlines of places, a place's last hours |
| `/api/people`, `/api/audit` | who may sign in, and what was done |
| `/health` | 200 while the database answers |

Each answer that is no success says in `detail` what was received and what is allowed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from operations.alerts.choose import Selection
from operations.alerts.view import View
from operations.desk import (
    alerts,
    care,
    case_words,
    cases,
    city,
    evaluation,
    handovers,
    major_events,
    parking,
    party,
    patrols,
    people,
    photos,
    reports,
    sessions,
)
from operations.desk.case_answers import CaseOpened, CasePage, CaseWhole
from operations.desk.case_words import CaseWords, Colleagues, Standards
from operations.desk.client import client_router
from operations.desk.documents import describe
from operations.desk.evaluation import Evaluation
from operations.desk.policies import Who, guarded, refuse_undeclared
from operations.desk.seen import wanted
from operations.desk.state import Desk, desk_of

__all__ = ["application"]

_DESK = (sessions, alerts, handovers, reports, cases, case_words, evaluation, major_events, city, people)
_SCENARIOS = (parking, patrols, care, party, photos)
_ANSWERS = (CasePage, CaseWhole, CaseOpened, CaseWords, Standards, Colleagues, Evaluation)
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


def application(desk: Desk) -> FastAPI:
    """The application; RuntimeError if a route of it has no policy."""
    app = FastAPI(
        title="Taishi desk",
        version="1",
        summary="城市基层治理运行管理平台 · alerts, people and what they do",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.desk = desk
    for each in (*_DESK, *_SCENARIOS):
        app.include_router(each.router, prefix="/api")
    describe(app, _ANSWERS)
    app.get("/api/events", response_class=StreamingResponse, **guarded("cases.read"))(events)
    app.get("/health", **guarded("anyone"))(health)
    app.include_router(client_router())

    app.add_middleware(_Headers)
    refuse_undeclared(app)
    return app


class _Headers:
    """Says of every answer that nobody is to frame or guess it, nor to keep it unless it says so itself.

    None of Starlette's function middlewares: those hold streams back.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, sent if scope["type"] == "http" else send)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    watching = asyncio.create_task(app.state.desk.feed.run())
    yield
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def events(who: Who, desk: Annotated[Desk, Depends(desk_of)]) -> StreamingResponse:
    """Server-sent events: `listed` with all listed alerts, then `changed` and `cases`, `beat` in between."""

    def listed() -> list[View]:
        if "alerts.read" not in who.person.permissions:
            return []
        found = wanted(desk.store, Selection(), who.person, desk.clock())
        return [view for view in found if view.state.listed]

    return StreamingResponse(desk.feed.listen(who.person, listed), media_type="text/event-stream")


def health(desk: Annotated[Desk, Depends(desk_of)]) -> dict[str, int]:
    """The number of the record's last entry: the database answers."""
    return {"entries": desk.store.head().number}
