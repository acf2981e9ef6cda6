"""The read-only doors for other platforms: NGSI-LD (ETSI GS CIM 009) and CAP 1.2, over HTTP.

| path | what |
|---|---|
| `/ngsi-ld/v1/entities`, `/ngsi-ld/v1/entities/{id}` | windows of places, parking spaces |
| `/ngsi-ld/v1/types` | which types there are |
| `/context.jsonld` | the JSON-LD context |
| `/cap/alerts` | Atom feed of the alerts, `/cap/alerts/{id}` the CAP message of one |
| `/health` | 200 when both can be told |

Everything else is refused, in NGSI-LD's problem details. Who may ask is `admit`'s to say.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from operations.influxql import UnavailableError
from operations.outgoing.cap import current, feed, message
from operations.outgoing.entities import CONTEXT, CORE_CONTEXT, SPOT, TYPES, Entity
from operations.outgoing.geography import Geography
from operations.outgoing.problems import Problem
from operations.outgoing.query import Query, form_of, listed, parsed, select
from operations.outgoing.representation import Form, attributes, projected, shown
from operations.outgoing.telemetry import ANSWERED, SECONDS
from schemas.alerts import Alert

__all__ = ["Admit", "Refusal", "Shelf", "application"]

_LD: Final = "application/ld+json"
_JSON: Final = "application/json"
_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_URN: Final = "urn:ngsi-ld:"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody may not ask."""

    status: int
    detail: str
    headers: Mapping[str, str]


Admit = Callable[[Mapping[str, str], str, str], Refusal | None]
"""Headers, `/ngsi-ld` or `/cap`, the asker's address -> why not, or None."""
Endpoint = Callable[[Request], Awaitable[Response]]


class Shelf(Protocol):
    """What there is to tell. Each may raise UnavailableError; called from a thread of its own."""

    def entities(self) -> list[Entity]:
        """Every entity, normalized, by id."""
        ...

    def alerts(self) -> list[Alert]:
        """Every alert that is known."""
        ...


def application(shelf: Shelf, geography: Geography, admit: Admit, public_url: str = "") -> Starlette:
    """The ASGI application; `public_url` is where others see it, else what each request says."""
    doors = _Doors(shelf, geography, public_url.rstrip("/"))
    paths: dict[str, tuple[str, Endpoint]] = {
        "/ngsi-ld/v1/entities": ("/ngsi-ld", doors.entities),
        "/ngsi-ld/v1/entities/{entity:path}": ("/ngsi-ld", doors.entity),
        "/ngsi-ld/v1/types": ("/ngsi-ld", doors.types),
        "/ngsi-ld/v1/types/{kind:path}": ("/ngsi-ld", doors.type),
        "/cap/alerts": ("/cap", doors.feed),
        "/cap/alerts/{alert}": ("/cap", doors.alert),
        "/context.jsonld": ("", doors.context),
        "/health": ("", doors.health),
    }
    routes = [
        Route(path, _guarded(path, scope, endpoint, admit), methods=_METHODS)
        for path, (scope, endpoint) in paths.items()
    ]

    async def missing(request: Request, _error: Exception) -> Response:
        return _problem(
            Problem("ResourceNotFound", f"received {request.url.path}, allowed: {', '.join(paths)}")
        )

    return Starlette(routes=routes, exception_handlers={404: missing})


def _guarded(path: str, scope: str, endpoint: Endpoint, admit: Admit) -> Endpoint:
    """The endpoint behind: who may, the method, a problem's answer; counted and timed."""

    async def answer(request: Request) -> Response:
        begun_s = time.perf_counter()
        response = await _answer(request, scope, endpoint, admit)
        ANSWERED.labels(path, str(response.status_code)).inc()
        SECONDS.labels(path).observe(time.perf_counter() - begun_s)
        return response

    return answer


async def _answer(request: Request, scope: str, endpoint: Endpoint, admit: Admit) -> Response:
    address = request.client.host if request.client else ""
    refusal = admit(request.headers, scope, address) if scope else None
    if refusal is not None:
        document = {"type": "about:blank", "status": refusal.status, "detail": refusal.detail}
        return _json(document, refusal.status, refusal.headers)
    if request.method not in {"GET", "HEAD"}:
        detail = f"received {request.method}, allowed: GET; nothing can be changed or subscribed here"
        return _problem(Problem("OperationNotSupported", detail, 405), {"Allow": "GET, HEAD"})
    try:
        return await endpoint(request)
    except Problem as problem:
        return _problem(problem)
    except UnavailableError as error:
        return _problem(Problem("InternalError", str(error), 503), {"Retry-After": "5"})


class _Doors:
    """The endpoints."""

    def __init__(self, shelf: Shelf, geography: Geography, public_url: str) -> None:
        self._shelf, self._geography, self._public_url = shelf, geography, public_url

    async def entities(self, request: Request) -> Response:
        """Query entities (5.7.2)."""
        linked = _linked(request)
        query = parsed(_single(request))
        found = await run_in_threadpool(lambda: select(query, self._shelf.entities()))
        page = found[query.offset : query.offset + query.limit]
        headers = {"NGSILD-Results-Count": str(len(found))} if query.count else {}
        links = _next(request, query, len(found))
        return self._given(request, [shown(each, query.form) for each in page], headers, linked, links)

    async def entity(self, request: Request) -> Response:
        """Retrieve an entity (5.7.1)."""
        linked, wanted = _linked(request), _identifiers(request, "entity")
        parameters = _single(request)
        _only(parameters, "attrs", "options", "format")
        form: Form = form_of(parameters)
        attrs = listed(parameters.get("attrs", ""))
        found = await run_in_threadpool(self._shelf.entities)
        whole = next((each for each in found if each["id"] in wanted), None)
        entity = whole and projected(whole, attrs)
        if entity is None:
            raise Problem(
                "ResourceNotFound", f"received {wanted[1]}, allowed: an id that /ngsi-ld/v1/entities lists"
            )
        return self._given(request, shown(entity, form), {}, linked)

    async def types(self, request: Request) -> Response:
        """The types there are entities of now (5.7.5, 5.7.6)."""
        linked, parameters = _linked(request), _single(request)
        _only(parameters, "details")
        found = await run_in_threadpool(self._types)
        if parameters.get("details") == "true":
            return self._given(
                request, [_entity_type(kind, attrs) for kind, attrs in found.items()], {}, linked
            )
        listing = {"id": f"{_URN}EntityTypeList:taishi", "type": "EntityTypeList", "typeList": list(found)}
        return self._given(request, listing, {}, linked)

    async def type(self, request: Request) -> Response:
        """One type and its attributes (5.7.7)."""
        linked, kind = _linked(request), str(request.path_params["kind"])
        names = {iri: name for name, iri in CONTEXT["@context"].items()}
        name = names.get(kind, kind)
        found = await run_in_threadpool(self._types)
        if name not in found:
            raise Problem("ResourceNotFound", f"received {kind}, allowed: {', '.join(found) or 'none now'}")
        return self._given(request, _entity_type(name, found[name]), {}, linked)

    async def context(self, _request: Request) -> Response:
        """What our terms mean; for everybody, since it holds no data."""
        return _json(CONTEXT, 200, {"Content-Type": _LD, "Cache-Control": "max-age=3600"})

    async def feed(self, request: Request) -> Response:
        """The Atom feed."""
        now_ms = time.time_ns() // 1_000_000
        alerts = current(await run_in_threadpool(self._shelf.alerts), now_ms)
        return Response(
            feed(alerts, f"{self._base(request)}/cap/alerts", now_ms), media_type="application/atom+xml"
        )

    async def alert(self, request: Request) -> Response:
        """The newest CAP message of an alert."""
        wanted = request.path_params["alert"]
        alerts = await run_in_threadpool(self._shelf.alerts)
        found = next((alert for alert in alerts if alert.id == wanted), None)
        if found is None:
            raise Problem("ResourceNotFound", f"received {wanted}, allowed: an id that /cap/alerts lists")
        return Response(message(found, self._geography), media_type="application/cap+xml")

    async def health(self, _request: Request) -> Response:
        """Whether both can be told."""
        await run_in_threadpool(lambda: (self._shelf.entities(), self._shelf.alerts()))
        return _json({"status": "ok"})

    def _types(self) -> dict[str, list[str]]:
        found: dict[str, set[str]] = {}
        for entity in self._shelf.entities():
            found.setdefault(entity["type"], set()).update(attributes(entity))
        return {kind: sorted(found[kind]) for kind in (*TYPES.values(), SPOT) if kind in found}

    def _base(self, request: Request) -> str:
        return self._public_url or str(request.base_url).rstrip("/")

    def _given(
        self, request: Request, content: Any, headers: dict[str, str], linked: bool, links: str = ""
    ) -> Response:
        """As JSON with the context in a Link header, or as JSON-LD with the context within."""
        own = f"{self._base(request)}/context.jsonld"
        if linked:
            rel = "http://www.w3.org/ns/json-ld#context"
            links = ", ".join(filter(None, [f'<{own}>; rel="{rel}"; type="{_LD}"', links]))
            return _json(content, 200, headers | {"Link": links})
        within = {"@context": [own, CORE_CONTEXT]}
        whole = [within | each for each in content] if isinstance(content, list) else within | content
        return _json(whole, 200, headers | ({"Link": links} if links else {}) | {"Content-Type": _LD})


def _linked(request: Request) -> bool:
    """Whether plain JSON is wanted (else JSON-LD); Problem for what cannot be given."""
    if request.headers.get("ngsild-tenant"):
        raise Problem("NonexistentTenant", "NGSILD-Tenant: received one, allowed: none; there are no tenants")
    kinds = [
        part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")
    ]
    for kind in kinds:
        if kind in {_JSON, _LD, "*/*", "application/*"}:
            return kind != _LD
    raise Problem("InvalidRequest", f"Accept: received {', '.join(kinds)}, allowed: {_JSON}, {_LD}", 406)


def _single(request: Request) -> dict[str, str]:
    """The parameters; Problem for one given twice."""
    found = dict(request.query_params)
    if len(found) < len(request.query_params.multi_items()):
        raise Problem(
            "BadRequestData", "received a parameter twice, allowed: once, with commas between values"
        )
    return found


def _only(parameters: Mapping[str, str], *allowed: str) -> None:
    for name in parameters:
        if name not in allowed:
            raise Problem("InvalidRequest", f"parameter: received {name!r}, allowed: {', '.join(allowed)}")


def _identifiers(request: Request, name: str) -> tuple[str, str]:
    """The id of the path as it was sent, and with its percent-encoding undone: either may be meant."""
    raw = request.scope.get("raw_path", b"").decode("ascii", "replace").partition("?")[0]
    sent, decoded = raw.rpartition("/entities/")[2], str(request.path_params[name])
    if not decoded.startswith(_URN):
        raise Problem("BadRequestData", f"id: received {decoded!r}, allowed: a URI such as {_URN}…")
    return sent, decoded


def _next(request: Request, query: Query, found: int) -> str:
    """The Link of the next page, "" at the end (6.3.10)."""
    if query.limit == 0 or query.offset + query.limit >= found:
        return ""
    following = request.url.include_query_params(offset=query.offset + query.limit, limit=query.limit)
    return f'<{following.path}?{following.query}>; rel="next"; type="{_LD}"'


def _entity_type(kind: str, attrs: list[str]) -> Entity:
    iri = CONTEXT["@context"][kind]
    return {"id": iri, "type": "EntityType", "typeName": kind, "attributeNames": attrs}


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(content), status, {"Content-Type": _JSON, **(headers or {})})


def _problem(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    return _json(problem.document(), problem.status, headers)
