"""Channels against real receivers: mail over SMTP, and webhooks that fail in every way they can."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from operations.oncall import deliver as delivering
from operations.oncall.deliver import CHANNEL_LIMIT_S, Delivery, deliver
from operations.oncall.model import Notification, Person
from operations.oncall.words import body, title
from tests.contract.oncall_fakes import T0, alert

NOTE = Notification(f"{alert().id}/0/王芳", alert().id, "王芳", 0, T0)
HEAD, TEXT = title(alert(), NOTE), body(alert(), NOTE, [])
FALLBACK_S = 30.0


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]  # type: ignore[index]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Mailbox(socketserver.ThreadingTCPServer):
    """A mail server: takes what it is given, or says 451 to every message."""

    daemon_threads, allow_reuse_address = True, True

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses, self.got = refuses, list[bytes]()
        super().__init__(("127.0.0.1", 0), Session)

    def messages(self) -> list[Any]:
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.got]


class Session(socketserver.StreamRequestHandler):
    """One conversation of RFC 5321, as far as a client that sends needs it."""

    server: Mailbox

    def handle(self) -> None:
        self._say("220 desk")
        while line := self.rfile.readline():
            word = line[:4].upper().strip()
            if word == b"DATA":
                self._data()
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 desk" if word in {b"EHLO", b"HELO", b"MAIL", b"RCPT", b"RSET"} else "502 no")

    def _data(self) -> None:
        if self.server.refuses:
            self._say("451 try later")
            return
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line)
        self.server.got.append(b"".join(lines))
        self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


def mail(port: int) -> str:
    return f"mailto://127.0.0.1:{port}/?from=desk@example.cn&to=wang@example.cn&format=text"


def test_mail_arrives_with_its_title_in_chinese_and_its_key() -> None:
    mailbox = Mailbox()
    with serving(mailbox) as port:
        assert deliver(Person("王芳", (mail(port),)), HEAD, TEXT, NOTE.key) == Delivery("mailto")
    (message,) = mailbox.messages()
    assert message["subject"] == "【高】设备失联 silent 370202001001001"
    assert message["to"] == "wang@example.cn"
    assert NOTE.key in message.get_content()


class Webhook(ThreadingHTTPServer):
    """A webhook that answers as told; `free` lets those go that it holds."""

    daemon_threads = True

    def __init__(self, mode: str = "ok") -> None:
        self.mode, self.got, self.free = mode, 0, threading.Event()
        super().__init__(("127.0.0.1", 0), Hook)


class Hook(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        self.server.got += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.mode == "reset":
            self.connection.close()
            return
        self.send_response(500 if self.server.mode == "500" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        if self.server.mode == "drip":  # the head came, the rest comes too slowly
            self.wfile.write(b"o")
            self.server.free.wait(FALLBACK_S)
        self.wfile.write(b"k" if self.server.mode == "drip" else b"ok")

    def log_message(self, *_words: object) -> None:
        """Quiet."""


def test_a_mail_server_that_refuses_gives_way_to_the_webhook() -> None:
    mailbox, hook = Mailbox(refuses=True), Webhook()
    with serving(mailbox) as mail_port, serving(hook) as port:
        person = Person("王芳", (mail(mail_port), f"json://127.0.0.1:{port}/"))
        assert deliver(person, HEAD, TEXT, NOTE.key) == Delivery("json")
    assert (mailbox.got, hook.got) == ([], 1)


@pytest.mark.parametrize("mode", ["500", "reset", "drip", "closed"])
def test_a_webhook_that_fails_gives_way_to_mail_within_thirty_seconds(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CHANNEL_LIMIT_S * 3 < FALLBACK_S, "the third of three is still reached in time"
    monkeypatch.setattr(delivering, "CHANNEL_LIMIT_S", 1.0)
    hook, mailbox = Webhook(mode), Mailbox()
    with serving(mailbox) as mail_port:
        with serving(hook) as port:
            began_s = time.monotonic()
            address = f"json://127.0.0.1:{1 if mode == 'closed' else port}/"
            person = Person("王芳", (address, mail(mail_port)))
            assert deliver(person, HEAD, TEXT, NOTE.key).channel == "mailto"
            hook.free.set()
        assert time.monotonic() - began_s < 10
    assert len(mailbox.got) == 1


def test_when_nobody_takes_it_every_channel_says_why_and_none_shows_its_address() -> None:
    mailbox, hook = Mailbox(refuses=True), Webhook("500")
    with serving(mailbox) as mail_port, serving(hook) as port:
        person = Person("王芳", (mail(mail_port), f"json://user:secret@127.0.0.1:{port}/token"))
        delivery = deliver(person, HEAD, TEXT, NOTE.key)
    assert delivery == Delivery("", "mailto: refused or not reached; json: HTTP 500")
