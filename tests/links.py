"""Both ends of a link in one loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from uproar.link import Link


class End(Link):
    """Remembers that it was lost."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()
        super().__init__(self.lost.set)


async def open_ends() -> tuple[End, End]:
    """Two ends of one link."""
    sockets = socket.socketpair()
    ends = End(), End()
    for end, one in zip(ends, sockets, strict=True):
        await asyncio.get_running_loop().create_unix_connection(lambda end=end: end, sock=one)
    return ends


@asynccontextmanager
async def linked() -> AsyncIterator[tuple[End, End]]:
    """Two ends, until the block ends."""
    ends = await open_ends()
    try:
        yield ends
    finally:
        for end in ends:
            end.close()
        for end in ends:
            await end.lost.wait()
