"""Posts for many users through a few connections: each signs in anew for another user, and none waits for acks."""

import asyncio
import random
from collections.abc import Callable
from typing import Final, NamedTuple

from msgspec import UNSET

from uproar.cli.client import Address, NotLetIn, Watching, connect, live_path
from uproar.cli.returning import settled, wait_s
from uproar.core.refusal import Refusal
from uproar.core.shards import partition
from uproar.wire.codec import encode, read_message
from uproar.wire.frames import Ack, Auth, Bye, Post, RefusedMessage

WAYS: Final = 32
UNDER_WAY: Final = 16  # a way; the server lets one connection wait for 20
AGAIN: Final = frozenset(why.code for why in (Refusal.UNAVAILABLE, Refusal.OVERLOADED, Refusal.UNCONFIRMED))
ANSWERS: Final = (b'{"type":"ack"', b'{"type":"refused"', b'{"type":"bye"')
"""How the messages begin that a poster reads; all others it drops unread."""


class Told(NamedTuple):
    """A post that was answered: the comment's id, or empty and the reason why not; `sent_s` by the loop's clock."""

    ref: str
    sent_s: float
    id: str = ""
    reason: str = ""


class Waiting(NamedTuple):
    """A post under way."""

    user: str
    post: Post
    sent_s: float


class Way:
    """One connection and the posts under way on it; lost, it comes back and sends them again under their keys."""

    def __init__(
        self, address: Address, stream: str, token: Callable[[str], str], tell: Callable[[Told], None]
    ) -> None:
        self._address, self._path = address, live_path(stream, history=0)
        self._token, self._tell = token, tell
        self._places = asyncio.Semaphore(UNDER_WAY)
        self._waiting: dict[str, Waiting] = {}
        self._watching: Watching | None = None
        self._user = ""
        self._asked_ms: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether the connection stands."""
        return self._watching is not None

    async def post(self, user: str, post: Post) -> None:
        """Send it as soon as there is a place; the answer is told."""
        await self._places.acquire()
        now = asyncio.get_running_loop().time()
        self._waiting[post.ref] = Waiting(user, post, now)
        self._send(user, post)

    async def keep(self) -> None:
        """Hold the connection until cancelled. Raises `NotLetIn` where asking again is no use."""
        tries = 0
        while True:
            try:
                watching = await connect(self._address, self._path, self._heard)
                tries = 0
                await self._use(watching)
            except (NotLetIn, OSError, TimeoutError) as fault:
                if isinstance(fault, NotLetIn) and fault.final:
                    raise
                tries += 1
            wait = wait_s(tries, self._asked_ms, random.random())
            self._asked_ms = None
            await asyncio.sleep(wait)

    async def _use(self, watching: Watching) -> None:
        self._watching, self._user = watching, ""
        try:
            for waiting in list(self._waiting.values()):
                self._send(waiting.user, waiting.post)
            await watching.closed
        finally:
            self._watching = None
            watching.close()

    def _send(self, user: str, post: Post) -> None:
        if self._watching is None:
            return  # sent when the connection is back
        if user != self._user:
            self._user = user
            self._watching.send(encode(Auth(self._token(user))))
        self._watching.send(encode(post))

    def _heard(self, data: bytes) -> None:
        if not data.startswith(ANSWERS):
            return
        match read_message(data):
            case Ack(ref=ref, comment=comment) if comment is not None:
                self._done(ref, id=comment.id)
            case RefusedMessage(ref=str() as ref, code=code) as refused if code in AGAIN:
                wait_ms = refused.retry_after_ms
                asyncio.get_running_loop().call_later(1.0 if wait_ms is UNSET else wait_ms / 1000, self._again, ref)
            case RefusedMessage(ref=str() as ref, reason=reason):
                self._done(ref, reason=reason)
            case Bye(retry_after_ms=wait_ms):
                self._asked_ms = wait_ms

    def _again(self, ref: str) -> None:
        if waiting := self._waiting.get(ref):
            self._send(waiting.user, waiting.post)

    def _done(self, ref: str, id: str = "", reason: str = "") -> None:
        waiting = self._waiting.pop(ref, None)
        if waiting is not None:
            self._places.release()
            self._tell(Told(ref, waiting.sent_s, id, reason))


class Posters:
    """A fixed number of ways; one user's posts always take the same, so they stay in order."""

    def __init__(
        self, address: Address, stream: str, token: Callable[[str], str], tell: Callable[[Told], None]
    ) -> None:
        self._ways = [Way(address, stream, token, tell) for _ in range(WAYS)]
        self._tasks = [asyncio.ensure_future(way.keep()) for way in self._ways]

    async def post(self, user: str, post: Post) -> None:
        """Send one; waits while the user's way is full."""
        await self._ways[partition(user, WAYS)].post(user, post)

    async def settle(self) -> None:
        """Wait until all ways are open. Raises what keeps them shut."""
        await settled(lambda: all(way.is_open for way in self._ways), self._tasks)

    def close(self) -> None:
        """No more."""
        for task in self._tasks:
            task.cancel()
