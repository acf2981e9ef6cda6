"""The desk's client: its files, read once, and how they are sent.

`web/` holds ES modules that browsers load as they are; Vue comes out of the locked NiceGUI package. One
document serves all four layouts (`DOCUMENTS`); the client reads from its address which it is. What a phone
keeps for when it has no connection is named by `/shell.js`, with a version that changes with any file.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec
from fastapi import APIRouter, HTTPException, Request, Response

from operations.desk.policies import guarded

__all__ = ["DOCUMENTS", "File", "client_router", "files"]

DOCUMENTS: Final = ("/", "/m", "/touch", "/wall")
"""PC desk, phone, touch screen, wall board."""
_WEB: Final = Path(__file__).with_name("web")
_AT_ROOT: Final = ("sw.js", "manifest.webmanifest")
"""A worker answers for pages below its own path only, so it lies at the root."""
_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".webmanifest": "application/manifest+json"}
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Nothing from elsewhere, nothing inline; eval because Vue compiles templates in the browser."""


@dataclass(frozen=True)
class File:
    """One file as it is sent. Browsers keep it, and ask each time whether it is still so."""

    body: bytes
    media_type: str

    @cached_property
    def tag(self) -> str:
        """Its ETag; weak, since compressed on the way it is the same."""
        return f'W/"{hashlib.blake2b(self.body, digest_size=12).hexdigest()}"'

    @cached_property
    def packed(self) -> bytes:
        """Compressed."""
        return gzip.compress(self.body, 6, mtime=0)

    def answer(self, request: Request) -> Response:
        """The file, or 304 to who has it."""
        headers = {"ETag": self.tag, "Cache-Control": "no-cache", "Content-Security-Policy": _POLICY}
        if self.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" not in request.headers.get("accept-encoding", "") or self.media_type == "image/png":
            return Response(self.body, media_type=self.media_type, headers=headers)
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return Response(self.packed, media_type=self.media_type, headers=headers)


@cache
def files() -> dict[str, File]:
    """Everything the client is made of, by path."""
    found = dict(_found())
    version = hashlib.blake2b("".join(f"{path} {found[path].tag}" for path in sorted(found)).encode())
    shell = {"version": version.hexdigest()[:16], "files": [*sorted(found), "/m"]}
    script = b"self.SHELL = " + msgspec.json.encode(shell) + b";\n"
    document = _read(_WEB / "index.html")
    return found | {"/shell.js": File(script, _TYPES[".js"]), **dict.fromkeys(DOCUMENTS, document)}


def _found() -> Iterator[tuple[str, File]]:
    for path in sorted(_WEB.rglob("*")):
        name = path.relative_to(_WEB).as_posix()
        if path.is_file() and name != "index.html":
            yield (f"/{name}" if name in _AT_ROOT else f"/assets/{name}"), _read(path)
    yield "/assets/vue.js", _read(_nicegui() / "static" / "vue.esm-browser.prod.js")


def _nicegui() -> Path:
    """Where that package lies; it is not imported, which takes a second."""
    spec = find_spec("nicegui")
    if spec is None or spec.origin is None:
        raise RuntimeError("nicegui: received no package of that name, allowed: the one of requirements.lock")
    return Path(spec.origin).parent


def _read(path: Path) -> File:
    guessed = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return File(path.read_bytes(), guessed)


def client_router() -> APIRouter:
    """Answers with the client's files; who is not signed in gets them too, to sign in."""
    router = APIRouter(include_in_schema=False)

    def document(request: Request) -> Response:
        return files()[request.url.path].answer(request)

    for path in (*DOCUMENTS, "/shell.js", *(f"/{name}" for name in _AT_ROOT)):
        router.get(path, **guarded("anyone"))(document)

    @router.get("/assets/{name:path}", **guarded("anyone"))
    def asset(name: str, request: Request) -> Response:
        found = files().get(f"/assets/{name}")
        if found is None:
            raise HTTPException(404, f"/assets/{name}: no file of the desk's client")
        return found.answer(request)

    return router
