"""The write path of another process of this machine, over a link; and what that process answers."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, NamedTuple, TypeVar

from msgspec import Struct

from uproar.auth import Identity
from uproar.core.clock import Clock
from uproar.core.comment import Comment
from uproar.core.errors import Unavailable
from uproar.core.events import Event, Reacted
from uproar.core.outage import refused
from uproar.core.refusal import Refusal, Refused
from uproar.core.single_flight import SingleFlight
from uproar.core.stream import Stream
from uproar.gateway.hearing.service import Writes
from uproar.link import Link

T = TypeVar("T")

FRESH_S: Final = 1.0
"""So old at most is a stream as it is known here: a viewer's reactions ask the other side for nothing."""
STREAMS: Final = 10_000
"""So many are known; the one that was asked for first is forgotten."""


class No(Struct, frozen=True, array_like=True):
    """A refusal on its way."""

    reason: str
    retry_after_ms: int | None
    detail: str


class Reply(Struct, Generic[T], frozen=True, array_like=True):
    """What the write path gave: something, or a refusal."""

    value: T | None = None
    no: No | None = None

    def read(self) -> T | Refused | None:
        """As the write path gave it."""
        return self.value if self.no is None else _refusal(self.no)


def _refusal(no: No) -> Refused:
    return Refused(Refusal[no.reason.upper()], no.retry_after_ms, no.detail)


def _reply(given: object) -> Reply[Any]:
    if isinstance(given, Refused):
        return Reply(no=No(given.refusal.reason, given.retry_after_ms, given.detail))
    return Reply(given)


class _Known(NamedTuple):
    stream: Stream
    until: float


class LinkedWrites:
    """Asks the other side. What finds the link full is refused with 502, what it broke over is unconfirmed."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._flights = SingleFlight()

    async def _ask(self, deed: str, gives: Any, *told: object) -> Any:
        try:
            reply: Reply[Any] = await self._link.ask(f"write.{deed}", Reply[gives], *told)
        except Unavailable as fault:
            return refused(fault)
        return reply.read()

    async def post(
        self, who: Identity | None, stream: str, text: str, reply_to: int | None = None, key: str = ""
    ) -> Comment | Refused:
        """Say something."""
        answer: Comment | Refused = await self._ask("post", Comment, who, stream, text, reply_to, key)
        return answer

    async def like(self, who: Identity | None, stream: str, comment_id: int, on: bool) -> Refused | None:
        """Like a comment."""
        answer: Refused | None = await self._ask("like", None, who, stream, comment_id, on)
        return answer

    async def report(self, who: Identity | None, stream: str, comment_id: int, why: str) -> Refused | None:
        """Report a comment."""
        answer: Refused | None = await self._ask("report", None, who, stream, comment_id, why)
        return answer

    async def stream(self, stream: str) -> Stream | Refused | None:
        """The stream, as it was at most `FRESH_S` ago; refused while nobody knows."""
        known = self._known.get(stream)
        if known is not None and self._clock.now() < known.until:
            return known.stream
        return await self._flights.do(stream, lambda: self._find(stream))

    async def _find(self, stream: str) -> Stream | Refused | None:
        now = self._clock.now()
        answer: Stream | Refused | None = await self._ask("stream", Stream, stream)
        if isinstance(answer, Stream):
            self._known.pop(stream, None)
            if len(self._known) >= STREAMS:
                del self._known[next(iter(self._known))]
            self._known[stream] = _Known(answer, now + FRESH_S)
        return answer

    async def append(self, event: Event) -> int:
        """Keep counted reactions; raises `Unavailable`."""
        offset: int = await self._link.ask("append", int, event)
        return offset


def serve_writes(link: Link, writes: Writes, append: Callable[[Event], Awaitable[int]]) -> None:
    """Let the other side of the link ask them."""

    def replying(deed: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[Reply[Any]]]:
        async def reply(*told: object) -> Reply[Any]:
            return _reply(await deed(*told))

        return reply

    link.answers("write.post", tuple[Identity | None, str, str, int | None, str], replying(writes.post))
    link.answers("write.like", tuple[Identity | None, str, int, bool], replying(writes.like))
    link.answers("write.report", tuple[Identity | None, str, int, str], replying(writes.report))
    link.answers("write.stream", tuple[str], replying(writes.stream))
    link.answers("append", tuple[Reacted], append)
