"""websockets: `serve_websockets.py PORT BYTES RATE SECONDS`."""

import sys

import uvloop
from pace import publish, wish
from websockets.asyncio.server import ServerConnection, broadcast, serve

HOST = "127.0.0.1"


async def watch(viewer: ServerConnection) -> None:
    """Stays until it leaves."""
    await viewer.wait_closed()


async def main() -> None:
    """Serve, and publish when told."""
    asked = wish(sys.argv)
    async with serve(watch, HOST, asked.port, backlog=4096) as server:

        async def send(text: str) -> None:
            broadcast(server.connections, text)

        await publish(send, asked)


uvloop.run(main())
