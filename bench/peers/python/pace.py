"""What every peer written in Python does: wait until it may begin, publish at a steady pace, say when it is done."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

HEAD = '{"type":"batch","position":"peer.%010d","comments":[{"text":"t=%d;'
TAIL = '"}]}'

Send = Callable[[str], Awaitable[None]]


class Wish(NamedTuple):
    """The command line of every peer: `PORT BYTES RATE SECONDS`."""

    port: int
    size: int
    rate: float
    seconds: float


def wish(words: list[str]) -> Wish:
    """What the last four words of a command line ask for."""
    port, size, rate, seconds = words[-4:]
    return Wish(int(port), int(size), float(rate), float(seconds))


async def publish(send: Send, asked: Wish) -> None:
    """A line on the standard input begins it, `done` on the standard output ends it; the input's end ends the peer."""
    read = asyncio.get_running_loop().run_in_executor
    if await read(None, sys.stdin.readline):
        await _at_pace(send, asked)
        print("done", flush=True)
        await read(None, sys.stdin.read)


async def _at_pace(send: Send, asked: Wish) -> None:
    began = time.monotonic()
    for number in range(1, int(asked.rate * asked.seconds) + 1):
        await send(_stamped(number, asked.size))
        await asyncio.sleep(max(0.0, began + number / asked.rate - time.monotonic()))


def _stamped(number: int, size: int) -> str:
    head = HEAD % (number, time.monotonic_ns())
    return head.ljust(size - len(TAIL), "x") + TAIL
