"""A Grafana over HTTP in memory, written from its published HTTP API (dashboard, folder, dashboard_versions,
other: health), strict about what it accepts: what the documentation does not name is refused with 400.

Unlike the real one it knows two tokens, `editor` and `viewer`, and can be told to misbehave.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

EDITOR, VIEWER = "glsa_editor", "glsa_viewer"
UID_MAX = 40
SAVE_KEYS = {"dashboard", "folderId", "folderUid", "message", "overwrite"}
FOLDER_KEYS = {"uid", "title", "parentUid"}
Answer = tuple[int, object]


def slug(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower()).strip("-")


class FakeGrafana:
    """`faults`: answers to the next requests instead of serving them, (status, content type, body).

    A status of 0 breaks the connection. `before_save` is called when a save arrives, before it is judged:
    somebody else may come first.
    """

    def __init__(self) -> None:
        self.folders: dict[str, dict[str, object]] = {}
        self.boards: dict[str, dict[str, object]] = {}
        self.folder_of: dict[str, str] = {}
        self.versions: dict[str, list[dict[str, object]]] = {}
        self.provisioned: set[str] = set()
        self.faults: deque[tuple[int, str, str]] = deque()
        self.requests: list[str] = []
        self.before_save: Callable[[], None] = lambda: None
        self.holding = threading.Event()
        self.holding.set()
        self.url = ""

    def edit(self, uid: str, **changes: object) -> None:
        """Somebody saves a board in Grafana's own pages."""
        self._store(uid, {**self.boards[uid], **changes}, self.folder_of[uid], "", by="admin")

    def answer(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        if path == "/api/health" and method == "GET":
            return 200, {"commit": "0", "database": "ok", "version": "11.6.0"}
        token = headers.get("authorization", "")
        if token not in (f"Bearer {EDITOR}", f"Bearer {VIEWER}"):
            return 401, {"message": "Invalid API key"}
        if method == "GET":
            return self._read(path)
        return self._written(path, body, headers)

    def _read(self, path: str) -> Answer:
        for pattern, serve in (
            (r"/api/dashboards/uid/([^/]+)", self._get),
            (r"/api/dashboards/uid/([^/]+)/versions", self._get_versions),
            (r"/api/folders/([^/]+)", self._get_folder),
        ):
            if found := re.fullmatch(pattern, path):
                return serve(found[1])
        return 404, {"message": "Not found"}

    def _written(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        posts = {"/api/dashboards/db": self._save, "/api/folders": self._make_folder}
        if path not in posts:
            return 404, {"message": "Not found"}
        if headers["authorization"] != f"Bearer {EDITOR}":
            return 403, {"message": "You'll need additional permissions to perform this action."}
        try:
            told = json.loads(body)
        except ValueError:
            told = None
        if not isinstance(told, dict) or not headers.get("content-type", "").startswith("application/json"):
            return 400, {"message": "bad request data"}
        return posts[path](told)

    def _get(self, uid: str) -> Answer:
        if uid not in self.boards:
            return 404, {"message": "Dashboard not found"}
        meta = {"url": f"/d/{uid}/{slug(str(self.boards[uid]['title']))}", "folderUid": self.folder_of[uid]}
        return 200, {"dashboard": self.boards[uid], "meta": {**meta, "provisioned": uid in self.provisioned}}

    def _get_versions(self, uid: str) -> Answer:
        if uid not in self.boards:
            return 404, {"message": "Dashboard not found"}
        return 200, {"continueToken": "", "versions": list(reversed(self.versions[uid]))}

    def _get_folder(self, uid: str) -> Answer:
        if uid not in self.folders:
            return 404, {"message": "folder not found", "status": "not-found"}
        return 200, self.folders[uid]

    def _make_folder(self, told: dict[str, object]) -> Answer:
        uid, title = told.get("uid"), told.get("title")
        if set(told) - FOLDER_KEYS or not title or (uid is not None and not _is_uid(uid)):
            return 400, {"message": "folder: bad request data"}
        if uid in self.folders:
            return 409, {"message": "a folder with the same uid already exists"}
        name = str(uid or f"f{len(self.folders)}")
        self.folders[name] = {"id": len(self.folders) + 1, "uid": name, "title": title, "version": 1}
        return 200, self.folders[name]

    def _save(self, told: dict[str, object]) -> Answer:
        self.before_save()
        model, overwrite = told.get("dashboard"), told.get("overwrite", False)
        if set(told) - SAVE_KEYS or not isinstance(model, dict) or not isinstance(overwrite, bool):
            return 400, {"message": "bad request data"}
        if not model.get("title"):
            return 400, {"message": "Dashboard title cannot be empty"}
        uid = model.get("uid")
        if not _is_uid(uid):
            return 400, {"message": "uid contains illegal characters or is too long"}
        folder = told.get("folderUid", "")
        if folder and folder not in self.folders:
            return 400, {"message": "folder not found"}
        return self._judged(str(uid), model, (str(folder), str(told.get("message", ""))), overwrite=overwrite)

    def _judged(
        self, uid: str, model: dict[str, object], where: tuple[str, str], *, overwrite: bool
    ) -> Answer:
        held = self.boards.get(uid)
        if uid in self.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        if held is None and model.get("id") is not None:
            return 404, {"message": "Dashboard not found", "status": "not-found"}
        if held is not None and not overwrite:
            if model.get("id") is None:
                return 412, {
                    "message": "A dashboard with the same uid already exists",
                    "status": "name-exists",
                }
            if model.get("version") != held["version"]:
                return 412, {
                    "message": "The dashboard has been changed by someone else",
                    "status": "version-mismatch",
                }
        folder, message = where
        self._store(uid, model, folder, message, by="sa-taishi")
        saved, title = self.boards[uid], str(model["title"])
        url = f"/d/{uid}/{slug(title)}"
        told = {"id": saved["id"], "uid": uid, "url": url, "status": "success", "slug": slug(title)}
        return 200, {**told, "version": saved["version"]}

    def _store(self, uid: str, model: dict[str, object], folder: str, message: str, *, by: str) -> None:
        known = self.versions.setdefault(uid, [])
        version, number = len(known) + 1, 1 + list(self.versions).index(uid)
        self.boards[uid] = {**model, "uid": uid, "id": number, "version": version}
        self.folder_of[uid] = folder
        known.append(
            {
                "id": 100 + version,
                "dashboardId": number,
                "uid": uid,
                "version": version,
                "created": f"2026-11-27T08:00:{version:02d}+08:00",
                "createdBy": by,
                "message": message,
            }
        )


def _is_uid(uid: object) -> bool:
    return isinstance(uid, str) and len(uid) <= UID_MAX and re.fullmatch(r"[a-zA-Z0-9\-_]+", uid) is not None


@contextmanager
def fake_grafana(prefix: str = "", certificate: tuple[Path, Path] | None = None) -> Iterator[FakeGrafana]:
    """One on a free port, below a path if `prefix` names one; TLS with a certificate and its key."""
    grafana = FakeGrafana()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve("GET")

        def do_POST(self) -> None:
            self._serve("POST")

        def _serve(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            grafana.requests.append(f"{method} {self.path}")
            grafana.holding.wait(30)
            if grafana.faults:
                status, kind, text = grafana.faults.popleft()
                if status == 0:
                    self.connection.close()
                    return
            elif not self.path.startswith(f"{prefix}/api"):
                status, kind, text = 404, "text/html", "<html>nothing here</html>"
            else:
                headers = {name.lower(): value for name, value in self.headers.items()}
                path = self.path.removeprefix(prefix)
                status, told = grafana.answer(method, path, body, headers)
                kind, text = "application/json", json.dumps(told)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    grafana.url = f"{scheme}://127.0.0.1:{server.server_address[1]}{prefix}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield grafana
    finally:
        grafana.holding.set()
        server.shutdown()
        thread.join()
        server.server_close()
