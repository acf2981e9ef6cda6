"""`python -m tests.faults.forward LISTEN TARGET`: what is said to one host:port is said to another.

Kafka advertises a port of loopback; so that a network namespace has it on its own loopback.
"""

import asyncio
import sys
from contextlib import suppress


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # one side is gone: so is the other
        while said := await reader.read(65_536):
            writer.write(said)
            await writer.drain()
    writer.close()


async def _serve(listen: str, target: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*target.split(":"))
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

    server = await asyncio.start_server(serve, *listen.split(":"))
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
