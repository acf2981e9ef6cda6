"""The HTTP door as a server: TLS, and connections that never finish what they began."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from connectors.http.slow import PunctualProtocol
from taishi.doors import own_http_client, tls_pair
from taishi.settings import Settings

LIMIT_S = 10.0
SLOW = "taishi_http_slow_connections_total"


class Impatient(PunctualProtocol):
    headers_s = 0.3


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(await request.body())


class Serving:
    """uvicorn in a thread, as `taishi connect http` has it."""

    def __init__(self, tls: tuple[Path, Path] | None) -> None:
        config = uvicorn.Config(
            Starlette(routes=[Route("/readings", echo, methods=["POST"])]),
            http=Impatient, log_config=None, ssl_certfile=tls and tls[0], ssl_keyfile=tls and tls[1],
        )  # fmt: skip
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],))
        self.thread.start()

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(LIMIT_S)
        self.listener.close()
        assert not self.thread.is_alive()


@pytest.fixture
def plain() -> Iterator[Serving]:
    serving = Serving(None)
    yield serving
    serving.stop()


def slow() -> float:
    return REGISTRY.get_sample_value(SLOW) or 0.0


def test_a_sender_that_knows_the_ca_is_served_and_others_are_not(certificates) -> None:
    serving = Serving(tls_pair("http_tls", certificates.certificate, certificates.key))
    try:
        url = f"https://127.0.0.1:{serving.port}/readings"
        trusting = ssl.create_default_context(cafile=str(certificates.ca))
        with httpx.Client(verify=trusting, trust_env=False) as client:
            assert client.post(url, content=b"told").text == "told"
        doubting = ssl.create_default_context(cafile=str(certificates.other_ca))
        with httpx.Client(verify=doubting, trust_env=False) as client, pytest.raises(httpx.ConnectError):
            client.post(url, content=b"told")
        with httpx.Client(trust_env=False) as client, pytest.raises(httpx.TransportError):
            client.post(url.replace("https", "http"), content=b"in clear")
    finally:
        serving.stop()


def test_our_own_commands_take_the_doors_certificate_and_no_other(certificates) -> None:
    serving = Serving(tls_pair("http_tls", certificates.certificate, certificates.key))
    try:
        for certificate, taken in ((certificates.certificate, True), (certificates.other_ca, False)):
            settings = Settings(
                http_port=serving.port,
                http_host="0.0.0.0",  # noqa: S104 - is asked for at loopback
                http_token="shown",  # noqa: S106 - nobody's
                http_tls_certificate=certificate,
            )
            with own_http_client(settings, LIMIT_S) as client:
                assert client.headers["authorization"] == "Bearer shown"
                if taken:
                    assert client.post("/readings", content=b"told").text == "told"
                else:
                    with pytest.raises(httpx.ConnectError):
                        client.post("/readings", content=b"told")
    finally:
        serving.stop()


@pytest.mark.parametrize("sent", [b"", b"POST /readings HTTP/1.1\r\nHost: a\r\nX-"], ids=["nothing", "half"])
def test_headers_that_do_not_come_in_time_end_the_connection_and_are_counted(
    plain: Serving, sent: bytes
) -> None:
    before = slow()
    with socket.create_connection(("127.0.0.1", plain.port), timeout=LIMIT_S) as waiting:
        waiting.sendall(sent)
        assert waiting.recv(100) == b""
    assert slow() == before + 1


def test_a_sender_that_drips_does_not_prolong_its_time(plain: Serving) -> None:
    before, tick = slow(), threading.Event()
    with socket.create_connection(("127.0.0.1", plain.port), timeout=LIMIT_S) as waiting:
        waiting.sendall(b"POST /readings HTTP/1.1\r\n")
        try:
            for _ in range(int(LIMIT_S / 0.05)):
                waiting.sendall(b"X-A: b\r\n")
                tick.wait(0.05)
        except OSError:
            pass
        else:
            pytest.fail("the connection was not ended")
    assert slow() == before + 1


def test_who_sends_in_time_is_not_hurried_between_requests(plain: Serving) -> None:
    before = slow()
    with httpx.Client(trust_env=False) as client:
        for _ in range(3):
            answer = client.post(f"http://127.0.0.1:{plain.port}/readings", content=b"told")
            assert answer.text == "told"
            threading.Event().wait(0.4)
    with socket.create_connection(("127.0.0.1", plain.port), timeout=LIMIT_S) as waiting:
        waiting.sendall(b"POST /readings HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
        threading.Event().wait(0.4)  # a body has a time of its own
        waiting.sendall(b"told")
        assert waiting.recv(1000).startswith(b"HTTP/1.1 200")
    assert slow() == before
