"""Does it serve? One short exchange in the part's own protocol, without a client library."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from deploy.embedded.parts import Health, Protocol

__all__ = ["LIMIT_S", "answers", "serves"]

LIMIT_S: Final = 5.0
"""A part that takes longer than this for the smallest request counts as not serving."""

_KAFKA_API_VERSIONS: Final = bytes.fromhex("0000001100120000000000010007") + b"taishi?"
"""ApiVersions v0: length, api key 18, version 0, correlation 1, client id of 7 bytes."""

_MQTT_CONNECT: Final = bytes.fromhex("100c00044d5154540402000a0000")
"""CONNECT of 3.1.1: clean session, keep-alive 10 s, empty client id (the broker makes one up)."""

_HTTP2_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")
"""Connection preface and an empty SETTINGS frame, as a gRPC client starts."""

_MQTT_DISCONNECT: Final = bytes.fromhex("e000")

_Check = Callable[[bytes], bool]

_EXPECTED: Final[dict[Protocol, tuple[int, _Check]]] = {
    "kafka": (10, lambda got: got[4:10] == bytes.fromhex("000000010000")),
    # Refused (5, not authorised) is served as well: with users, nobody asks without a password.
    "mqtt": (4, lambda got: got in {bytes.fromhex("20020000"), bytes.fromhex("20020005")}),
    "http2": (9, lambda got: got[3] == 4),
    "http": (12, lambda got: got.startswith(b"HTTP/1.") and got[9:10] == b"2"),
}
"""Bytes to read, and whether they are a good answer."""


async def serves(health: Health) -> bool:
    """Whether the part answered well within LIMIT_S; False for anything else."""
    try:
        async with asyncio.timeout(LIMIT_S):  # wait_for of Python 3.11 may swallow that we are cancelled
            return await answers(health)
    except (OSError, EOFError, TimeoutError):
        return False


async def answers(health: Health) -> bool:
    """Ask and judge the answer; OSError or EOFError when nobody is there or hangs up."""
    length, good = _EXPECTED[health.protocol]
    reader, writer = await asyncio.open_connection(health.host, health.port)
    try:
        writer.write(_question(health))
        got = await reader.readexactly(length)
        if health.protocol == "mqtt":
            writer.write(_MQTT_DISCONNECT)
            await writer.drain()
    finally:
        writer.close()
    return good(got)


def _question(health: Health) -> bytes:
    if health.protocol == "http":
        return f"GET {health.path} HTTP/1.1\r\nHost: {health.host}\r\nConnection: close\r\n\r\n".encode()
    return {"kafka": _KAFKA_API_VERSIONS, "mqtt": _MQTT_CONNECT, "http2": _HTTP2_PREFACE}[health.protocol]
