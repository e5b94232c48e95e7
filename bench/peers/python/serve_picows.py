"""picows: `serve_picows.py PORT BYTES RATE SECONDS`."""

import sys

import picows
import uvloop
from pace import publish, wish

HOST = "127.0.0.1"

viewers: set[picows.WSTransport] = set()


class Viewer(picows.WSListener):
    """Comes and goes."""

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        viewers.add(transport)

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        viewers.discard(transport)


async def broadcast(text: str) -> None:
    """One message to everybody."""
    message = text.encode()
    for viewer in viewers:
        viewer.send(picows.WSMsgType.TEXT, message)


async def main() -> None:
    """Serve, and publish when told."""
    asked = wish(sys.argv)
    await picows.ws_create_server(lambda _: Viewer(), HOST, asked.port, backlog=4096)
    await publish(broadcast, asked)


uvloop.run(main())
