"""Watching for good: the rule by which our client comes back, and the loop that follows it."""

import asyncio
import random
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from uproar.cli.client import LOST, OPENING_S, Address, NotLetIn, connect, live_path
from uproar.wire.closes import Close
from uproar.wire.codec import encode, read_message
from uproar.wire.frames import Auth, Bye, FromServer, Joined

LONGEST_WAIT_S: Final = 30.0
FIRST_WAIT_S: Final = 0.5
NOT_BACK: Final = range(Close.BAD_MESSAGE, 5000)
LOOK_S: Final = 0.05


def wait_s(tries: int, asked_ms: int | None, luck: float) -> float:
    """Before coming back: what `bye` asked for, else a random time that may grow; `luck` is in [0, 1)."""
    if asked_ms is not None:
        return asked_ms / 1000
    return luck * min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(tries, 16))


def comes_back(code: int) -> bool:
    """Whether a connection that was closed with this code is to be opened again."""
    return code not in NOT_BACK


class State(NamedTuple):
    """How the connection stands: the word to show, how long until the next try, and why that is needed."""

    word: str
    wait_s: float = 0.0
    why: str = ""


class Ended(NamedTuple):
    """A connection that is over, or never was: the close code, why in words, how long the server asked to stay away."""

    code: int
    why: str
    asked_s: float = 0.0


class Return:
    """What has to be known to come back: where the viewer stands, how often it failed, what the server asked."""

    def __init__(self) -> None:
        self.position = ""
        self._tries = 0
        self._asked_ms: int | None = None

    def heard(self, message: FromServer) -> None:
        """Keep the place, and the server's wish."""
        if isinstance(message, Bye):
            self._asked_ms = message.retry_after_ms
        elif isinstance(message, Joined):
            self._tries = 0
        self.position = getattr(message, "position", self.position)

    def wait_s(self, luck: float) -> float:
        """How long to stay away now."""
        wait = wait_s(self._tries, self._asked_ms, luck)
        self._tries, self._asked_ms = self._tries + 1, None
        return wait


async def keep_watching(
    address: Address,
    stream: str,
    on_message: Callable[[FromServer], None],
    on_state: Callable[[State], None],
    token: str = "",
    history: int = 50,
    read: Callable[[bytes], FromServer] = read_message,
) -> int:
    """Watch, and come back by position, until the server wants nobody back: the close code. Raises `NotLetIn` (4xx).

    The token goes in a message, not in the handshake: so a bad one is refused in words, and not passed over.
    """
    back = Return()

    def heard(data: bytes) -> None:
        message = read(data)
        back.heard(message)
        on_message(message)

    while True:
        ended = await _watch_once(address, live_path(stream, back.position, history), heard, on_state, token)
        if not comes_back(ended.code):
            return ended.code
        wait = ended.asked_s + back.wait_s(random.random())  # all were asked the same, and luck spreads them
        on_state(State("away", wait, ended.why))
        await asyncio.sleep(wait)


async def _watch_once(
    address: Address, path: str, heard: Callable[[bytes], None], on_state: Callable[[State], None], token: str
) -> Ended:
    on_state(State("joining"))
    try:
        watching = await connect(address, path, heard, deflate=True)
    except NotLetIn as refused:
        if refused.final:
            raise
        return Ended(LOST, f"the server answers {refused}", refused.retry_after_s)
    except TimeoutError:
        return Ended(LOST, f"no answer within {OPENING_S:.0f} s")
    except OSError as fault:
        return Ended(LOST, f"nobody answers there ({fault.strerror or fault})")
    if token:
        watching.send(encode(Auth(token)))
    on_state(State("live"))
    try:
        return _ended(await watching.closed)
    finally:
        watching.close()


def _ended(code: int) -> Ended:
    known = next((f" {each.reason}" for each in Close if each == code), "")
    return Ended(code, "the connection was lost" if code == LOST else f"the server closed with {code}{known}")


async def settled(ready: Callable[[], bool], tasks: Iterable[asyncio.Future[None]]) -> None:
    """Wait until it is so. Raises what ended one of the tasks."""
    while not ready():
        for task in tasks:
            if task.done():
                task.result()
        await asyncio.sleep(LOOK_S)
