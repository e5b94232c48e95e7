"""aiohttp: `serve_aiohttp.py PORT BYTES RATE SECONDS`."""

import contextlib
import sys

import uvloop
from aiohttp import web
from pace import publish, wish

HOST = "127.0.0.1"

viewers: set[web.WebSocketResponse] = set()


async def watch(request: web.Request) -> web.WebSocketResponse:
    """Stays until it leaves."""
    viewer = web.WebSocketResponse()
    await viewer.prepare(request)
    viewers.add(viewer)
    async for _ in viewer:
        pass
    viewers.discard(viewer)
    return viewer


async def broadcast(text: str) -> None:
    """One message to everybody."""
    for viewer in list(viewers):
        with contextlib.suppress(ConnectionError):
            await viewer.send_str(text)


async def main() -> None:
    """Serve, and publish when told."""
    asked = wish(sys.argv)
    app = web.Application()
    app.add_routes([web.get("/", watch)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, asked.port, backlog=4096).start()
    await publish(broadcast, asked)


uvloop.run(main())
