"""Signing in and out, and who one is."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from operations.desk.messages import AtScreenIn, Me, PasswordIn, SignIn
from operations.desk.policies import COOKIE, SCREEN_COOKIE, Who, guarded, screen_of, token_of
from operations.desk.state import Desk, desk_of
from operations.people.audit import Said
from operations.people.passwords import refuse_weak
from operations.people.sessions import LIMITS, Terminal
from operations.people.sign_in import SignedIn, SignInRefusedError
from schemas.errors import SettingsError

__all__ = ["router"]

router = APIRouter(tags=["session"])
_Desk = Annotated[Desk, Depends(desk_of)]
_COOKIE_MAX_S = 400 * 86_400
"""No browser keeps one longer; a screen gets it anew whenever it asks who it is."""


@router.post("/session", **guarded("anyone"))
def sign_in(asked: SignIn, response: Response, desk: _Desk) -> Me:
    """Sign in: sets the cookie. 401 when something is not right, 429 while the name is locked."""
    try:
        now_ms = desk.clock()
        token = desk.door.sign_in(asked.id, asked.password, asked.code, asked.terminal, now_ms)
        who = desk.door.who(token, now_ms)
    except SignInRefusedError as error:
        raise _refused(error) from error
    _set(response, token, asked.terminal, desk)
    return _me(who)


@router.post("/session/screen", **guarded("signed_in"))
def sign_in_at_screen(asked: AtScreenIn, request: Request, response: Response, desk: _Desk) -> Me:
    """Sign in at a touch screen by badge, or by id and PIN, until two minutes without a request."""
    screen, now_ms = screen_of(request, desk), desk.clock()
    try:
        token = desk.door.sign_in_at_screen(screen.person, asked.id, asked.secret, now_ms)
    except SignInRefusedError as error:
        raise _refused(error) from error
    _set(response, token, "touch", desk)
    return _me(desk.door.who(token, now_ms))


def _refused(error: SignInRefusedError) -> HTTPException:
    if error.retry_after_s:
        return HTTPException(429, str(error), {"Retry-After": str(error.retry_after_s)})
    return HTTPException(401, str(error))


def _set(response: Response, token: str, terminal: Terminal, desk: Desk) -> None:
    response.set_cookie(
        SCREEN_COOKIE if terminal == "wall" else COOKIE,
        token,
        max_age=LIMITS[terminal].whole_s or _COOKIE_MAX_S,
        httponly=True,
        secure=desk.secure,
        samesite="strict",
    )


@router.delete("/session", status_code=204, **guarded("anyone"))
def sign_out(request: Request, response: Response, desk: _Desk) -> None:
    """Sign out. Who is not signed in is out already."""
    desk.door.sign_out(token_of(request), desk.clock())
    response.delete_cookie(COOKIE if request.cookies.get(COOKIE) else SCREEN_COOKIE)


@router.get("/me", **guarded("signed_in"))
def me(who: Who, request: Request, response: Response, desk: _Desk) -> Me:
    """Who is signed in, and what they may."""
    if who.terminal == "wall" and SCREEN_COOKIE in request.cookies:
        _set(response, request.cookies[SCREEN_COOKIE], "wall", desk)
    return _me(who)


@router.put("/me/password", status_code=204, **guarded("signed_in"))
def change_password(asked: PasswordIn, who: Who, desk: _Desk) -> None:
    """A new password for oneself; every session ends, this one too. 403 where the old one is not right."""
    known, person = desk.store.credentials(who.person.id), who.person
    if known is None or not desk.passwords.right(known.password_hash, asked.old):
        failed = _said(who, "people.password_refused", desk.clock())
        desk.store.fail_sign_in(person.id, failed)
        raise HTTPException(403, "原密码不对 the old password is not right")
    try:
        refuse_weak(asked.new, person.id, person.name)
    except SettingsError as error:
        raise HTTPException(422, str(error)) from error
    hashed = desk.passwords.hashed(asked.new)
    desk.store.change_password(person.id, hashed, _said(who, "people.password", desk.clock()))


def _said(who: SignedIn, what: str, at_ms: int) -> Said:
    return Said(at_ms=at_ms, who=who.person.id, terminal=who.terminal, what=what, of=who.person.id)


def _me(who: SignedIn) -> Me:
    facts: dict[str, Any] = {name: getattr(who.person, name) for name in ("id", "name", "roles", "places")}
    return Me(**facts, permissions=sorted(who.person.permissions), terminal=who.terminal)
