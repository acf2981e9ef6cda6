"""The TCP connector: frames of one format, each confirmed when Kafka has it, not before.

accept: 1 cut a frame   2 gateway   3 Kafka confirms   4 send the confirmation frame

What a kill leaves behind: before 4 the device has no confirmation, keeps the frame and sends it again on
its next connection; what reached the log meanwhile has the same reading id, and the fold drops the second.
After 4 it is in the log. A connection that breaks before 4 is the same. Nothing here is written to disk.

A damaged frame goes to quarantine and is not confirmed. Bytes between frames are counted and dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Final

import structlog

from connectors.base import Message
from connectors.gateway import Gateway, Outcome
from connectors.peers import Peers
from connectors.tcp.framing import Framing
from connectors.telemetry import DropTelemetry
from schemas.errors import SettingsError

__all__ = ["TcpServer", "TcpSettings", "serve"]

_LOG = structlog.get_logger(__name__)
_DROPS: Final = ("stranger", "noise", "cut", "crowded")
_READ_BYTES: Final = 16 * 1024
_UNSENT_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class TcpSettings:
    """Where to listen and for what. `window`: frames of one connection that may wait for Kafka at once.

    The frames show no credential: connections of others than `peers` are closed unread.
    """

    host: str
    port: int
    codec: str
    peers: Peers = field(default_factory=Peers)
    connections: int = 2_000
    window: int = 64
    idle_s: float = 300.0
    drain_s: float = 10.0


class _Connection:
    """One device. Everything runs on the event loop's thread but the delivery report."""

    def __init__(self, server: TcpServer, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._writer = writer
        self._room = asyncio.Semaphore(server.settings.window)
        self._waiting = 0
        self._idle = asyncio.Event()
        self._idle.set()
        host, port = writer.get_extra_info("peername")[:2]
        self._address = f"tcp:{host}:{port}"

    async def serve(self, reader: asyncio.StreamReader) -> None:
        """Until the device ends it, says nothing for `idle_s`, or does not read what it is told."""
        settings, rest = self._server.settings, b""
        try:
            while not self._server.stopping.is_set():
                read = await self._read(reader, settings.idle_s)
                if not read:
                    break
                split = self._server.framing.split(rest + read)
                rest = split.rest
                if split.noise:
                    self._server.drops.dropped("noise", split.noise)
                for frame in split.frames:
                    await self._take(frame)
                if self._writer.transport.get_write_buffer_size() > _UNSENT_MAX:
                    break
        finally:
            if rest:
                self._server.drops.dropped("cut", len(rest))
            await self._end()

    async def _read(self, reader: asyncio.StreamReader, limit_s: float) -> bytes:
        """Some bytes; b"" at the end, after `limit_s` of silence, or when the process ends."""
        reading = asyncio.ensure_future(reader.read(_READ_BYTES))
        stopping = asyncio.ensure_future(self._server.stopping.wait())
        try:
            await asyncio.wait({reading, stopping}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else b""
        except OSError:
            return b""
        finally:
            for each in (reading, stopping):
                each.cancel()

    async def _take(self, frame: bytes) -> None:
        """Waits while `window` frames of this device wait for Kafka: it is not read meanwhile."""
        await self._room.acquire()
        gateway, settings = self._server.gateway, self._server.settings
        if not gateway.has_room():
            gateway.refuse(settings.codec, "busy")  # not confirmed, so it comes again
            self._room.release()
            return
        self._waiting += 1
        self._idle.clear()
        loop = asyncio.get_running_loop()

        def done(_outcome: Outcome) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to tell
                loop.call_soon_threadsafe(self._settle, frame)

        message = Message(frame, self._address, time.time_ns() // 1_000_000)
        gateway.accept(message, settings.codec, done)

    def _settle(self, frame: bytes) -> None:
        """Kafka has it: tell the device, if it is still there and wants to know."""
        self._waiting -= 1
        self._room.release()
        if not self._waiting:
            self._idle.set()
        confirmation = self._server.framing.confirm(frame, time.time_ns() // 1_000_000)
        if confirmation and not self._writer.is_closing():
            self._writer.write(confirmation)

    async def _end(self) -> None:
        """Close once what was taken is confirmed, at most `drain_s` later."""
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout_at(self._server.deadline()):
                await self._idle.wait()
                self._writer.close()
                await self._writer.wait_closed()
        self._writer.transport.abort()


class TcpServer:
    """What all connections share."""

    def __init__(self, settings: TcpSettings, framing: Framing, gateway: Gateway) -> None:
        self.settings = settings
        self.framing = framing
        self.gateway = gateway
        self.drops = DropTelemetry("tcp", _DROPS)
        self.stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._deadline: float | None = None

    def deadline(self) -> float:
        """When a connection that ends now is given up, on the event loop's clock."""
        return self._deadline or asyncio.get_running_loop().time() + self.settings.drain_s

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One more device; a stranger, and one too many, are sent away."""
        if not self.settings.peers.allow(writer.get_extra_info("peername")[0]):
            self.drops.dropped("stranger")
            writer.transport.abort()
            return
        if len(self._tasks) >= self.settings.connections:
            self.drops.dropped("crowded")
            writer.transport.abort()
            return
        task = asyncio.ensure_future(_Connection(self, writer).serve(reader))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def drain(self) -> None:
        """Read nothing more; wait, at most `drain_s`, until all connections have told what they owe."""
        self._deadline = self.deadline()
        self.stopping.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self.settings.drain_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = task.exception() if not task.cancelled() else None
        if error is not None:
            _LOG.error("tcp connection failed", error=repr(error))


async def serve(settings: TcpSettings, framing: Framing, gateway: Gateway, stop: asyncio.Event) -> None:
    """Listen until `stop` is set, then tell what is owed; SettingsError if the port is not ours."""
    server = TcpServer(settings, framing, gateway)
    try:
        listener = await asyncio.start_server(server.connected, settings.host, settings.port)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on TCP {settings.host}:{settings.port}: {error.strerror}; set tcp_host or "
            "tcp_port (TAISHI_TCP_PORT)"
        ) from error
    _LOG.info("tcp listening", host=settings.host, port=settings.port, codec=settings.codec)
    await stop.wait()
    listener.close()
    await server.drain()
