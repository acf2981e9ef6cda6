"""Photographs of what is reported: sent as they are, kept under their hash, named by evidence of cases."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from operations.desk.policies import POLICY, Who, guarded
from operations.desk.state import Desk, desk_of
from operations.people.audit import Said
from operations.scenarios.photos import Photo, Photos
from schemas.errors import Refused, SettingsError

__all__ = ["router"]

router = APIRouter(tags=["photos"])
_Desk = Annotated[Desk, Depends(desk_of)]
_KINDS: Final = ("image/jpeg", "image/png", "image/webp")
_BINARY: Final[dict[str, Any]] = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _KINDS}
_SENT: Final = guarded("cases.report")
_SENT["openapi_extra"] = {POLICY: "cases.report", "requestBody": {"required": True, "content": _BINARY}}


@router.post("/photos", **_SENT)
async def keep_photo(request: Request, who: Who, desk: _Desk) -> Photo:
    """Keep a photograph (JPEG, PNG, WebP); its `reference` is evidence of a case. Sent again it is the same.

    413 for one that is too large, 415 for what is none.
    """
    photos = _photos(desk)
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > photos.max_bytes:
            raise HTTPException(
                413, f"照片过大 photo: received more, allowed: up to {photos.max_bytes} bytes"
            )
    try:
        kept = await run_in_threadpool(photos.keep, bytes(data))
    except Refused as error:
        raise HTTPException(415, str(error)) from error
    said = Said(
        at_ms=desk.clock(), who=who.person.id, terminal=who.terminal, what="photos.keep", of=kept.reference
    )
    await run_in_threadpool(desk.store.record, said)
    return kept


@router.get(
    "/photos/{name}",
    response_class=Response,
    responses={200: {"content": _BINARY, "description": "The photograph"}},
    **guarded("cases.read"),
)
def show_photo(name: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")], desk: _Desk) -> Response:
    """The photograph of that name."""
    try:
        data, kind = _photos(desk).read(name)
    except SettingsError as error:
        raise HTTPException(404, str(error)) from error
    return Response(data, media_type=kind, headers={"Content-Disposition": "inline"})


def _photos(desk: Desk) -> Photos:
    if desk.photos is None:
        raise HTTPException(503, "此值班台不收照片 this desk keeps no photographs")
    return desk.photos
