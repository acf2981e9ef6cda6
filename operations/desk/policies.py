"""Who may call what: every route declares one policy, and an application with one that does not never starts.

A policy is a permission of `operations.people.roles`, or one of the two words below. It is checked before the
endpoint runs, in any of the person's places; what is of one place the endpoint checks for that place too
(`require`). The policy is in the OpenAPI document as `x-policy`, from which a test makes its matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from operations.desk.recorded import note
from operations.desk.state import Desk, desk_of
from operations.people.audit import Said
from operations.people.roles import Permission, denial
from operations.people.sign_in import SignedIn, SignInRefusedError

__all__ = [
    "COOKIE",
    "POLICY",
    "SCREEN_COOKIE",
    "Policy",
    "Who",
    "guarded",
    "refuse_undeclared",
    "require",
    "screen_of",
    "token_of",
]

Policy = Permission | Literal["anyone", "signed_in"]
POLICY: Final = "x-policy"
COOKIE: Final = "taishi_session"
SCREEN_COOKIE: Final = "taishi_screen"
"""Of a wall or touch screen itself: it stays while people come and go."""
_RECORDED: Final[frozenset[str]] = frozenset({"care.identity", "people.manage", "audit.read", "export"})
"""What opens people, the record or data in bulk: that somebody tried is in the record too."""
_CHANGES_NOTHING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def token_of(request: Request) -> str:
    """The session's token: `Authorization: Bearer` of a program, a person's cookie, or the screen's own."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    return request.cookies.get(COOKIE) or request.cookies.get(SCREEN_COOKIE, "")


def screen_of(request: Request, desk: Desk) -> SignedIn:
    """The screen that asks, whoever is signed in at it; 403 where it is none."""
    try:
        found = desk.door.who(request.cookies.get(SCREEN_COOKIE, ""), desk.clock())
    except SignInRefusedError as error:
        raise HTTPException(403, f"此终端未登记 this is no registered screen: {error}") from error
    return found


def signed_in(request: Request, desk: Annotated[Desk, Depends(desk_of)]) -> SignedIn:
    """Who asks; 401 where nobody is signed in, 403 where another site's page asks in their name."""
    origin = request.headers.get("origin", "")
    ours = urlsplit(origin).netloc == request.headers.get("host", "")
    if origin and not ours and request.method not in _CHANGES_NOTHING:
        raise HTTPException(403, f"origin: received {origin!r}, allowed: this desk's own pages")
    try:
        return _who(request, desk)
    except SignInRefusedError as error:
        raise HTTPException(401, str(error), {"WWW-Authenticate": 'Bearer realm="taishi"'}) from error


def _who(request: Request, desk: Desk) -> SignedIn:
    """At a screen whose person's session is over, the screen itself."""
    token, screen = token_of(request), request.cookies.get(SCREEN_COOKIE, "")
    try:
        return desk.door.who(token, desk.clock())
    except SignInRefusedError:
        if not screen or screen == token or "authorization" in request.headers:
            raise
        return desk.door.who(screen, desk.clock())


Who = Annotated[SignedIn, Depends(signed_in)]


def guarded(policy: Policy) -> dict[str, Any]:
    """What a route is declared with: `@router.get("/people", **guarded("people.manage"))`."""
    extra = {"openapi_extra": {POLICY: policy}}
    return extra if policy == "anyone" else extra | {"dependencies": [Depends(_check(policy))]}


def _check(policy: Policy) -> Callable[..., None]:
    def check(who: Who, request: Request, desk: Annotated[Desk, Depends(desk_of)]) -> None:
        if policy in {"anyone", "signed_in"}:
            return
        if policy in _RECORDED and (words := denial(who.person, policy)):  # type: ignore[arg-type]
            note(desk, _refused(who, request, words, desk.clock()))
        require(who, policy)  # type: ignore[arg-type]  # the two words are out

    return check


def _refused(who: SignedIn, request: Request, words: str, at_ms: int) -> Said:
    of = f"{request.method} {request.url.path}"[:300]
    return Said(
        at_ms=at_ms, who=who.person.id, terminal=who.terminal, what="access.refused", of=of, detail=words
    )


def require(who: SignedIn, permission: Permission, place: str = "") -> None:
    """403 in words, unless they may, and for that place."""
    if words := denial(who.person, permission, place):
        raise HTTPException(403, words)


def refuse_undeclared(app: FastAPI) -> None:
    """RuntimeError that names the routes without a policy, and what cannot have one: mounts, websockets."""
    routes = list(iter_route_contexts(app.routes))  # those of included routers too, which `app.routes` hides
    api = [each for each in routes if isinstance(each.original_route, APIRoute)]
    bare = sorted(_called(each) for each in api if POLICY not in (each.openapi_extra or {}))
    beside = {str(each.path) for each in routes if each not in api} - {app.openapi_url}
    if bare or beside:
        raise RuntimeError(f"routes without a policy: {', '.join([*bare, *sorted(beside)])}")


def _called(route: RouteContext) -> str:
    return f"{'/'.join(sorted(route.methods or ()))} {route.path}"
