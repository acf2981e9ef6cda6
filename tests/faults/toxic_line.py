"""A line to a server on which something is wrong: what is said comes late, slowly, in pieces, or not at all.

TCP, both ways, on a thread of its own. While nothing passes: what a client said before it closed is
delivered afterwards, as its kernel would go on to do; what it said before it aborted (RST) is not.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from random import Random
from typing import Any, Final, Literal, get_args

Toxic = Literal["latency", "narrow", "hang", "reset", "slicer", "cut"]
"""latency: 1.5 to 2.5 s each way. narrow: 8 KiB/s each way. hang: passed on when it is over. reset: whoever
says something is cut off. slicer: in pieces of 64 bytes. cut: nobody listens, what stood is broken off."""
TOXICS: Final[tuple[Toxic, ...]] = get_args(Toxic)
LATENCY_S: Final = (1.5, 2.5)
NARROW_BYTES_PER_S: Final = 8_192
_PIECE_BYTES: Final[dict[Toxic, int]] = {"narrow": 1_024, "slicer": 64}
_PAUSE_S: Final[dict[Toxic, float]] = {"narrow": 1_024 / NARROW_BYTES_PER_S, "slicer": 0.001}
_CHUNK_BYTES: Final = 65_536
_CHUNKS: Final = 256
_NOW: Final = struct.pack("ii", 1, 0)
"""Of SO_LINGER: to close is to abort."""

Said = asyncio.Queue[tuple[float, bytes]]
"""When it may arrive, and what; no bytes: nothing more is said."""
End = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class ToxicLine:
    """From `listen`, by default any port of loopback, to `target`; both (host, port)."""

    def __init__(
        self, target: tuple[str, int], listen: tuple[str, int] = ("127.0.0.1", 0), seed: int = 17
    ) -> None:
        self.toxic: Toxic | None = None
        self.met = 0
        """How often somebody said something while the toxic was on."""
        self._target, self._listen, self._random = target, listen, Random(seed)
        self._open: set[asyncio.StreamWriter] = set()
        self._free = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._do(self._serve())
        self.port: int = self._listen[1]
        self.url = f"http://{self._listen[0]}:{self.port}"

    @property
    def connections(self) -> int:
        """How many stand."""
        return len(self._open) // 2

    def befall(self, toxic: Toxic) -> None:
        """From now on, and also what stands already."""
        self._do(self._befall(toxic))

    def heal(self, *, release: bool = True) -> None:
        """What comes from now on passes; what hung, too, unless it is to be released later."""
        self._do(self._heal(release))

    def close(self) -> None:
        """Break everything off."""
        self._do(self._cut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    async def _befall(self, toxic: Toxic) -> None:
        self.toxic, self.met, self._free = toxic, 0, asyncio.Event()
        if toxic == "cut":
            await self._cut()

    async def _heal(self, release: bool) -> None:
        if self.toxic == "cut":
            await self._serve()
        self.toxic = None
        if release:
            self._free.set()

    async def _serve(self) -> None:
        self._server = await asyncio.start_server(self._join, *self._listen)
        self._listen = self._server.sockets[0].getsockname()[:2]

    async def _cut(self) -> None:
        self._server.close()
        for writer in self._open:
            _abort(writer)
        while self._open:
            await asyncio.sleep(0)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far = await asyncio.open_connection(*self._target)
        except OSError:
            _abort(writer)
            return
        writers = {writer, far[1]}
        self._open |= writers
        try:
            await self._pass((reader, writer), far)
        finally:
            self._open -= writers

    async def _pass(self, near: End, far: End) -> None:
        """Until one side says nothing more and all it said has arrived, or somebody breaks it off."""
        try:
            async with asyncio.TaskGroup() as ways:
                for (reader, _), (_, writer) in ((near, far), (far, near)):
                    said = Said(_CHUNKS)
                    ways.create_task(self._take(reader, said))
                    ways.create_task(self._give(said, writer))
        except* OSError:
            for _, writer in (near, far):
                _abort(writer)
        except* EOFError:
            for _, writer in (near, far):
                writer.close()

    async def _take(self, reader: asyncio.StreamReader, said: Said) -> None:
        due_s, chunk = 0.0, b"-"
        while chunk:
            chunk = await reader.read(_CHUNK_BYTES)
            late_s = self._random.uniform(*LATENCY_S) if self.toxic == "latency" else 0.0
            due_s = max(due_s, self._loop.time() + late_s)
            await said.put((due_s, chunk))

    async def _give(self, said: Said, writer: asyncio.StreamWriter) -> None:
        while True:
            due_s, chunk = await said.get()
            if due_s > self._loop.time():
                await asyncio.sleep(due_s - self._loop.time())
            if not chunk:
                raise EOFError
            self.met += self.toxic is not None
            if self.toxic == "reset":
                raise ConnectionResetError
            if self.toxic == "hang":
                await self._free.wait()
            await self._write(chunk, writer)

    async def _write(self, chunk: bytes, writer: asyncio.StreamWriter) -> None:
        """In pieces, as long as the toxic is on that asks for them."""
        start = 0
        while start < len(chunk):
            size = _PIECE_BYTES.get(self.toxic, len(chunk)) if self.toxic else len(chunk)
            writer.write(chunk[start : start + size])
            await writer.drain()
            start += size
            if self.toxic in _PAUSE_S:
                await asyncio.sleep(_PAUSE_S[self.toxic])


def _abort(writer: asyncio.StreamWriter) -> None:
    """So that the other side reads ECONNRESET, and nothing more."""
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOW)
    writer.transport.abort()
