"""SIP requests and what is answered to them, as pure functions on bytes (RFC 3261, 3428, 3581).

Only what a server of MESSAGE requests over UDP needs. Header text is kept as Latin-1, so that whatever
bytes a device put there come back to it unchanged.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Malformed", "Request", "Response", "answer", "message_to", "parse", "reply_port", "user_of"]

_HEADERS_MAX: Final = 64
_VALUE_MAX: Final = 2_000
_VERSION: Final = "SIP/2.0"
_METHOD: Final = re.compile(r"[A-Z][A-Z0-9!%*_+`'~.-]{0,31}")
_NAME: Final = re.compile(r"[A-Za-z0-9!%*_+`'~.-]{1,64}")
_CSEQ: Final = re.compile(r"(\d{1,10})[ \t]+(\S+)")
_URI: Final = re.compile(r"<?(sips?:([^@;>\s]{1,64})@[^;>\s]{1,200})", re.IGNORECASE)
_SENT_BY: Final = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*UDP\s+([^\s;,]+?)\s*(?::\s*(\d{1,5}))?\s*(?:;|,|$)", re.IGNORECASE
)
_RPORT: Final = re.compile(r";\s*rport(?:\s*=\s*\d*)?(?=\s*(?:;|,|$))", re.IGNORECASE)
_TAG: Final = re.compile(r";\s*tag\s*=", re.IGNORECASE)
_COMPACT: Final = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "l": "content-length",
    "c": "content-type",
    "m": "contact",
}
_NEEDED: Final = ("via", "from", "to", "call-id", "cseq")
_DEFAULT_PORT: Final = 5060


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower case and never compact, in the order they came."""

    method: str
    uri: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The first header of that lower-case name, "" without one."""
        return next((value for key, value in self.headers if key == name), "")


@dataclass(frozen=True, slots=True)
class Response:
    """What a device answers to a request of ours; nothing follows from it."""

    status: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """Why a datagram is no SIP message."""

    why: str


def parse(datagram: bytes) -> Request | Response | Malformed:
    """The message of one datagram; never raises.

    A body shorter than Content-Length is malformed, what is longer is cut (RFC 3261, 18.3); without the
    header the body is the rest.
    """
    head, blank, rest = datagram.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not blank:
        return Malformed("no empty line after the headers")
    first, *lines = _unfolded(head.decode("latin-1"))
    if first.startswith(_VERSION + " "):
        return _response(first)
    words = first.split(" ")
    if len(words) != 3 or words[2] != _VERSION or not _METHOD.fullmatch(words[0]):
        return Malformed("no request line")
    headers = _headers(lines)
    if isinstance(headers, Malformed):
        return headers
    request = Request(words[0], words[1], headers, rest)
    return _checked(request)


def answer(request: Request, status: str, peer: tuple[str, int], extra: tuple[str, ...] = ()) -> bytes:
    """The final response, such as `200 OK`; `peer` is where the request came from (RFC 3581).

    The tag of To is made of the request, so the answer to a retransmission is the same.
    """
    lines = [f"{_VERSION} {status}"]
    vias = [value for name, value in request.headers if name == "via"]
    lines += [f"Via: {value}" for value in (_received(vias[0], peer), *vias[1:])]
    to = request.header("to")
    tag = "" if _TAG.search(to) else f";tag={_digest(request)}"
    lines += [f"From: {request.header('from')}", f"To: {to}{tag}"]
    lines += [f"Call-ID: {request.header('call-id')}", f"CSeq: {request.header('cseq')}"]
    lines += [*extra, "Content-Length: 0", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def message_to(
    request: Request, body: bytes, local: tuple[str, int], peer: tuple[str, int], token: str
) -> bytes:
    """A new MESSAGE to the sender of `request`, with a branch, Call-ID and CSeq of its own.

    `token` makes them unique: hexadecimal digits the caller draws for each. From and To change places.
    """
    ours, theirs = _uri(request.header("to")), _uri(request.header("from"))
    user = user_of(request.header("from"))
    host, port = _host(peer[0]), peer[1]
    lines = [
        f"MESSAGE sip:{user}@{host}:{port} {_VERSION}",
        f"Via: {_VERSION}/UDP {_host(local[0])}:{local[1]};rport;branch=z9hG4bK{token}",
        f"From: <{ours}>;tag={token[:16]}",
        f"To: <{theirs}>",
        f"Call-ID: {token}@{_host(local[0])}",
        f"CSeq: {int(token[:7], 16) + 1} MESSAGE",
        "Max-Forwards: 70",
        "Content-Type: Application/MANSCDP+xml",
        f"Content-Length: {len(body)}",
        "",
        "",
    ]
    return "\r\n".join(lines).encode("latin-1") + body


def user_of(address: str) -> str:
    """The user part of a From or To header: the device's number; "" where there is none."""
    found = _URI.search(address)
    return found[2] if found else ""


def reply_port(request: Request, peer_port: int) -> int:
    """Where answers go: the port the request came from if it asks so (rport), else the one Via names."""
    via = request.header("via").partition(",")[0]
    if _RPORT.search(via):
        return peer_port
    sent_by = _SENT_BY.match(via)
    port = int(sent_by[2]) if sent_by and sent_by[2] else _DEFAULT_PORT
    return port if 0 < port < 65_536 else peer_port


def _unfolded(head: str) -> list[str]:
    """Header lines; one that begins with a space goes on with the one before it."""
    lines: list[str] = []
    for line in head.split("\r\n"):
        if line[:1] in {" ", "\t"} and len(lines) > 1:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    return lines


def _headers(lines: list[str]) -> tuple[tuple[str, str], ...] | Malformed:
    if len(lines) > _HEADERS_MAX:
        return Malformed(f"received {len(lines)} headers, allowed: at most {_HEADERS_MAX}")
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon or not _NAME.fullmatch(name) or len(value) > _VALUE_MAX or not _printable(value):
            return Malformed("a line that is no header")
        headers.append((_COMPACT.get(name, name), value))
    return tuple(headers)


def _printable(value: str) -> bool:
    """No control characters: nothing copied into an answer may begin a new line of it."""
    return all(each >= " " and each != "\x7f" for each in value)


def _checked(request: Request) -> Request | Malformed:
    missing = [name for name in _NEEDED if not request.header(name)]
    if missing:
        return Malformed(f"missing header: {', '.join(missing)}")
    cseq = _CSEQ.fullmatch(request.header("cseq"))
    if cseq is None or cseq[2] != request.method:
        return Malformed("CSeq does not name the method")
    said = request.header("content-length")
    if not said:
        return request
    if not (said.isascii() and said.isdigit() and len(said) <= 9):
        return Malformed("Content-Length is no number")
    if int(said) > len(request.body):
        return Malformed(f"received {len(request.body)} bytes of body, announced: {int(said)}")
    return Request(request.method, request.uri, request.headers, request.body[: int(said)])


def _response(first: str) -> Response | Malformed:
    status = first.split(" ")[1]
    return Response(int(status)) if len(status) == 3 and status.isdecimal() else Malformed("no status line")


def _received(via: str, peer: tuple[str, int]) -> str:
    """The topmost Via with where the request really came from; one header may hold several."""
    top, comma, others = via.partition(",")
    if _RPORT.search(top):
        top = _RPORT.sub(f";rport={peer[1]};received={peer[0]}", top, count=1)
    else:
        top = f"{top};received={peer[0]}"
    return f"{top}{comma}{others}"


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _uri(address: str) -> str:
    found = _URI.search(address)
    return found[1] if found else "sip:anonymous@anonymous.invalid"


def _digest(request: Request) -> str:
    identity = "\0".join(request.header(name) for name in ("call-id", "cseq", "from"))
    return hashlib.blake2b(identity.encode("latin-1"), digest_size=8).hexdigest()
