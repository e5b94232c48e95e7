"""A WebSocket server of another make, for a test's moment."""

from websockets.asyncio.server import serve

from uproar.cli.client import Address


async def served(handler, use, **options):
    """Run `use(address)` while `handler` serves."""
    async with serve(handler, "127.0.0.1", 0, **options) as server:
        return await use(Address(*server.sockets[0].getsockname()[:2]))
