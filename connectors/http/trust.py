r"""Who may send what over HTTP: the rules, without sockets, files or clocks.

A sender shows one of two things:
- its token, in `Authorization: Bearer <token>` or, for cameras that know nothing else, in
  `Authorization: Basic` with its name as the user and the token as the password. Kept is only the
  token's SHA-256: a token is 256 random bits, so a slow hash would add nothing. Only for TLS or loopback;
- or a signature: `X-Taishi-Sender`, `X-Taishi-Timestamp` (whole seconds since 1970 UTC) and
  `X-Taishi-Signature`, the hex HMAC-SHA256 with the sender's key over
  `timestamp + "\n" + method + "\n" + path + "\n" + body`. The path is without a query.

Secrets are compared in constant time; a token is found by its hash, which nobody can steer. What is said
about a refusal names what was received and what is allowed, and never holds a secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["WINDOW_S", "Denied", "Sender", "Signed", "Token", "Trust", "credential", "proves", "sign"]

WINDOW_S: Final = 300
"""How far a signature's timestamp may be from the door's clock, either way."""

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_SIGNATURE: Final = re.compile(r"[0-9a-fA-F]{64}")
_SIGNED: Final = ("x-taishi-sender", "x-taishi-timestamp", "x-taishi-signature")
_ALLOWED: Final = (
    "Authorization: Bearer <token>, Authorization: Basic, or X-Taishi-Sender, -Timestamp, -Signature"
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Somebody who may post to `paths`; with a token (its SHA-256) or an HMAC key, the other is empty."""

    name: str
    paths: tuple[str, ...]
    token_sha256: bytes = b""
    hmac_key: bytes = b""


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was shown, as its SHA-256; `name` is empty where the scheme carries none."""

    sha256: bytes
    name: str = ""


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that was shown, not yet checked."""

    name: str
    timestamp_s: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Denied:
    """Why not; `reason` is one of connectors.telemetry.REFUSALS. `retry_after_s` when waiting helps."""

    reason: Literal["unauthorised", "forbidden", "stale", "rate"]
    detail: str
    retry_after_s: float | None = None


def sign(key: bytes, timestamp_s: int, method: str, path: str, body: bytes) -> bytes:
    """The 32 bytes of the signature; devices do the same."""
    return hmac.digest(key, f"{timestamp_s}\n{method}\n{path}\n".encode() + body, "sha256")


def credential(headers: Mapping[str, str]) -> Token | Signed | Denied:
    """What the headers (any case, as the mapping has it lower) show; Denied for none, two or a broken one."""
    signed = [headers.get(name) for name in _SIGNED]
    authorization = headers.get("authorization")
    if authorization is not None and any(part is not None for part in signed):
        return _denied("both Authorization and X-Taishi-…", "one of them")
    if authorization is not None:
        return _token(authorization)
    name, seconds, signature = signed
    if name is None and seconds is None and signature is None:
        return _denied("no credential", _ALLOWED)
    if name is None or seconds is None or signature is None:
        missing = [header for header, part in zip(_SIGNED, signed, strict=True) if part is None]
        return _denied(f"a signature without {', '.join(missing)}", "all three headers")
    if not (_NAME.fullmatch(name) and _SECONDS.fullmatch(seconds) and _SIGNATURE.fullmatch(signature)):
        return _denied("a malformed signature", "a sender's name, seconds since 1970, 64 hex digits")
    return Signed(name, int(seconds), bytes.fromhex(signature))


def _token(authorization: str) -> Token | Denied:
    scheme, _, value = authorization.strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer" and value:
        return Token(hashlib.sha256(value.encode("utf-8", "surrogateescape")).digest())
    if scheme.lower() == "basic":
        try:
            name, colon, secret = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            return _denied("a malformed Authorization: Basic", "base64 of name:token")
        if colon and _NAME.fullmatch(name):
            return Token(hashlib.sha256(secret.encode()).digest(), name)
        return _denied("Authorization: Basic without a sender's name", "base64 of name:token")
    return _denied("an Authorization of another scheme", "Bearer or Basic")


class Trust:
    """The senders of one installation. ValueError for two of one name or with one token."""

    def __init__(self, senders: Iterable[Sender]) -> None:
        self._by_name: dict[str, Sender] = {}
        self._by_token: dict[bytes, Sender] = {}
        for sender in senders:
            if sender.name in self._by_name or sender.token_sha256 in self._by_token:
                raise ValueError(
                    f"sender {sender.name}: received twice, allowed: one entry with its own secret"
                )
            self._by_name[sender.name] = sender
            if sender.token_sha256:
                self._by_token[sender.token_sha256] = sender

    def admits(self, shown: Token | Signed, path: str, now_s: float) -> Sender | Denied:
        """All that can be said before the body is read; for `Signed`, `proves` has the last word.

        `now_s` is the wall clock.
        """
        sender = self._known(shown)
        if isinstance(sender, Denied):
            return sender
        if isinstance(shown, Signed) and abs(now_s - shown.timestamp_s) > WINDOW_S:
            off = f"{shown.timestamp_s}, {shown.timestamp_s - now_s:+.0f} s from this door's clock"
            return Denied("stale", f"timestamp: received {off}, allowed: within {WINDOW_S} s (set the clock)")
        if path not in sender.paths:
            allowed = ", ".join(sender.paths) or "no path"
            return Denied("forbidden", f"path: received {path}, allowed for {sender.name}: {allowed}")
        return sender

    def _known(self, shown: Token | Signed) -> Sender | Denied:
        if isinstance(shown, Signed):
            sender = self._by_name.get(shown.name)
            if sender is None or not sender.hmac_key:
                return _denied(f"a signature of {shown.name!r}", "one of a sender that has a key")
            return sender
        sender = self._by_token.get(shown.sha256)
        if sender is None or not hmac.compare_digest(sender.token_sha256, shown.sha256):
            return _denied("a token that is nobody's", "a token of a sender")
        return sender if shown.name in {"", sender.name} else _denied("another sender's token", "one's own")


def proves(sender: Sender, signed: Signed, method: str, path: str, body: bytes) -> Denied | None:
    """None when the signature is the sender's over exactly this request."""
    expected = sign(sender.hmac_key, signed.timestamp_s, method, path, body)
    if hmac.compare_digest(expected, signed.signature):
        return None
    what = f"a signature of {signed.name!r} that does not fit"
    return _denied(what, 'HMAC-SHA256 over timestamp + "\\n" + method + "\\n" + path + "\\n" + body')


def _denied(received: str, allowed: str) -> Denied:
    return Denied("unauthorised", f"credential: received {received}, allowed: {allowed}")
