"""A JSON webhook that names every message by an `Idempotency-Key` and tells what the receiver answered."""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any, Final

import httpx
import msgspec
from apprise import AppriseAsset, NotifyType
from apprise.plugins.custom_json import NotifyJSON

__all__ = ["KEY_HEADER", "Webhook"]

KEY_HEADER: Final = "Idempotency-Key"
_LATER: Final = frozenset({408, 425, 429})
"""Of 4xx those that a later attempt may pass: too slow, too early, too many."""


@cache
def _trusting(verify: bool) -> ssl.SSLContext:
    """Made once: to read all authorities takes longer than a request."""
    return httpx.create_ssl_context(verify=verify)


class Webhook(NotifyJSON):  # type: ignore[no-untyped-call] # Apprise declares few types
    """The channels `json://` and `jsons://`, as Apprise reads and words them.

    `problem`: why the last message was not taken, "" if it was. `final`: the receiver said that it never
    takes it (4xx), so that saying it again is of no use. A receiver that sends us on has not taken it.
    """

    problem = ""
    final = False

    @classmethod
    def read(cls, url: str, asset: AppriseAsset) -> Webhook | None:
        """The channel of an address; None where it is none."""
        said = cls.parse_url(url)  # type: ignore[no-untyped-call]
        return cls(**said, asset=asset) if said is not None else None

    def send(  # type: ignore[override] # as Apprise calls it
        self, body: str, title: str = "", notify_type: NotifyType = NotifyType.INFO, **_: Any
    ) -> bool:
        """One request; false where it was not answered by 2xx. Never raises for what a receiver does."""
        try:
            status = self._asked(self._said(body, title, notify_type))
        except httpx.HTTPError as error:
            why = f": {error}" if isinstance(error, httpx.ConnectError) else ""  # the system's or TLS's words
            self.problem, self.final = f"{type(error).__name__}{why}", False
            return False
        taken = httpx.codes.is_success(status)
        self.problem = "" if taken else f"HTTP {status}"
        self.final = httpx.codes.is_client_error(status) and status not in _LATER
        return taken

    def _asked(self, said: dict[str, Any]) -> int:
        scheme, port = "https" if self.secure else "http", f":{self.port}" if self.port else ""
        return httpx.request(
            str(self.method),
            f"{scheme}://{self.host}{port}{self.fullpath}",
            params=self.params,
            headers={"User-Agent": self.app_id, "Content-Type": "application/json"} | self.headers,
            content=msgspec.json.encode(said),
            auth=(self.user, self.password or "") if self.user else None,
            verify=_trusting(self.secure and self.verify_certificate),
            timeout=httpx.Timeout(max(self.request_timeout)),
            follow_redirects=False,
        ).status_code

    def _said(self, body: str, title: str, notify_type: NotifyType) -> dict[str, Any]:
        """The message; what the channel's address renames is renamed, what it adds is added."""
        said: dict[str, Any] = {
            "version": self.json_version,
            "title": title,
            "message": body,
            "attachments": [],
            "type": notify_type.value,
        }
        for name, value in self.payload_extras.items():
            if name not in said:
                said[name] = value
            elif (moved := said.pop(name)) is not None and value:
                said[value] = moved
        return said
