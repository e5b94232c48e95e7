"""The timeline in this process's memory: what tests and trials run on; it ends with the process."""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence

from uproar.core.clock import Clock
from uproar.core.position import Position
from uproar.timeline import Gone, Liking, OnFrame, Snapshot, Top
from uproar.timeline.line import Line
from uproar.wire.frames import Frame

LINES = 10_000
"""Of more streams than this the one unused for longest that nobody listens to leaves memory."""

LoadLikes = Callable[[str, Sequence[int]], Awaitable[Mapping[int, frozenset[str]]]]


class Listeners:
    """Who is called for a stream's frames."""

    def __init__(self) -> None:
        self._by_stream: dict[str, dict[object, OnFrame]] = {}

    def add(self, stream: str, on_frame: OnFrame) -> Callable[[], None]:
        """Call `on_frame` from now on, until the returned call."""
        ticket = object()
        self._by_stream.setdefault(stream, {})[ticket] = on_frame
        return lambda: self._leave(stream, ticket)

    def announce(self, frame: Frame) -> None:
        """Hand the frame to everyone; a listener's failure is the loop's to tell, as that of any callback."""
        listeners = self._by_stream.get(frame.stream, {})
        for ticket, on_frame in tuple(listeners.items()):
            if ticket not in listeners:
                continue
            try:
                on_frame(frame)
            except Exception as fault:
                told = {"message": f"a listener of {frame.stream} failed", "exception": fault}
                asyncio.get_running_loop().call_exception_handler(told)

    def __contains__(self, stream: object) -> bool:
        return stream in self._by_stream

    def _leave(self, stream: str, ticket: object) -> None:
        listeners = self._by_stream.get(stream, {})
        listeners.pop(ticket, None)
        if not listeners:
            self._by_stream.pop(stream, None)


async def no_likes(stream: str, ids: Sequence[int]) -> Mapping[int, frozenset[str]]:
    """Nobody liked anything before."""
    return {}


class MemoryTimeline:
    """Lines by stream. A stream that left memory begins again from nothing, in a new epoch."""

    def __init__(self, clock: Clock, load_likes: LoadLikes = no_likes) -> None:
        self._clock = clock
        self._load_likes = load_likes
        self._lines: OrderedDict[str, Line] = OrderedDict()
        self._listeners = Listeners()

    async def top(self, stream: str) -> Top:
        """The end of the chain; makes an epoch with number 0 where there is none."""
        return (await self._line(stream)).top

    async def extend(self, frame: Frame) -> bool:
        """Keep and announce the frame; False when it does not fit."""
        line = await self._line(frame.stream)
        if not line.fits(frame):
            return False
        self._take(line, frame)
        return True

    async def renew(self, stream: str, epoch: str) -> Top:
        """Begin a new epoch if `epoch` is still the one; the top either way."""
        line = await self._line(stream)
        if line.top.epoch == epoch:
            line.begin(new_epoch())
        return line.top

    async def since(self, stream: str, position: Position) -> Sequence[Frame] | None:
        """Every frame above the position, without what is gone; None when they are not all kept any more."""
        line = await self._line(stream)
        return line.since(position.number) if position.epoch == line.top.epoch else None

    async def snapshot(self, stream: str, limit: int) -> Snapshot:
        """The newest `limit` comments, pins, totals and rules, as of their position."""
        return (await self._line(stream)).snapshot(limit)

    async def gone(self, stream: str) -> Gone:
        """What must not be shown."""
        line = await self._line(stream)
        return line.gone._replace(epoch=line.top.epoch)

    async def take_down(self, stream: str, ids: Sequence[int], users: Mapping[str, int]) -> None:
        """These are gone from now on; users up to an id."""
        (await self._line(stream)).take_down(ids, users, self._clock.now_ms())

    async def put_back(self, stream: str, comment_id: int) -> None:
        """A removal was undone."""
        (await self._line(stream)).put_back(comment_id, self._clock.now_ms())

    async def cut(self, stream: str, user: str, upto: int) -> None:
        """An erasure: drop all kept frames, and what the user wrote."""
        (await self._line(stream)).cut(user, upto, self._clock.now_ms())

    async def like(self, stream: str, likings: Sequence[Liking]) -> dict[int, int]:
        """Apply likes in order; the totals of the comments named."""
        loaded: dict[int, frozenset[str]] = {}
        line = await self._line(stream)
        while missing := [unknown for unknown in line.likes.unknown(likings) if unknown not in loaded]:
            found = await self._load_likes(stream, missing)
            loaded |= {comment_id: found.get(comment_id, frozenset()) for comment_id in missing}
            line = await self._line(stream)
        return line.likes.apply(likings, loaded)

    async def counted(self, stream: str) -> Mapping[str, int]:
        """The last number of each gateway run whose reactions the chain has added up."""
        return dict((await self._line(stream)).counted)

    async def shown(self, stream: str, ids: Sequence[int]) -> frozenset[int]:
        """Which of these ids a frame of the last ten minutes has shown."""
        return (await self._line(stream)).shown(ids)

    def subscribe(self, stream: str, on_frame: OnFrame) -> Callable[[], None]:
        """Call `on_frame` for new frames, until the returned call."""
        return self._listeners.add(stream, on_frame)

    async def trim(self, now_ms: int) -> int:
        """Let go of frames whose time is over; how many."""
        return sum(line.prune(now_ms) for line in self._lines.values())

    async def close(self) -> None:
        """Nothing is under way here."""

    # -- inside

    async def _line(self, stream: str) -> Line:
        line = self._lines.get(stream)
        return self._use(line or Line(stream, new_epoch()))

    def _use(self, line: Line) -> Line:
        """The line is in use: among all it leaves memory last."""
        self._lines[line.stream] = line
        self._lines.move_to_end(line.stream)
        if len(self._lines) > LINES:
            idle = next((stream for stream in self._lines if stream not in self._listeners), line.stream)
            if idle != line.stream:
                del self._lines[idle]
        return line

    def _take(self, line: Line, frame: Frame) -> None:
        line.extend(frame)
        self._listeners.announce(frame)


def new_epoch() -> str:
    """A name that no other epoch has."""
    return secrets.token_hex(6)
