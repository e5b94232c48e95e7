"""The timeline in this process's memory: it ends with the process."""

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence

from uproar.core.clock import Clock
from uproar.core.position import Position
from uproar.timeline import Gone, Liking, OnFrame, Snapshot, Top
from uproar.timeline.line import Line
from uproar.wire.frames import Frame

LoadLikes = Callable[[str, Sequence[int]], Awaitable[Mapping[int, frozenset[str]]]]


class Listeners:
    """Who is called for a stream's frames, each at most once, in order. One that fails is a bug, and loud."""

    def __init__(self) -> None:
        self._by_stream: dict[str, list[OnFrame]] = {}

    def add(self, stream: str, on_frame: OnFrame) -> Callable[[], None]:
        """Call `on_frame` from now on, until the returned call."""
        self._by_stream.setdefault(stream, []).append(on_frame)

        def leave() -> None:
            listeners = self._by_stream.get(stream, [])
            if on_frame in listeners:
                listeners.remove(on_frame)
            if not listeners:
                self._by_stream.pop(stream, None)

        return leave

    def announce(self, frame: Frame) -> None:
        """Hand the frame to everyone."""
        for on_frame in tuple(self._by_stream.get(frame.stream, ())):
            on_frame(frame)

    def __contains__(self, stream: object) -> bool:
        return stream in self._by_stream


async def no_likes(stream: str, ids: Sequence[int]) -> Mapping[int, frozenset[str]]:
    """Nobody liked anything before."""
    return {}


class MemoryTimeline:
    """Lines by stream. Streams are never dropped: a process that must not grow takes another kind."""

    def __init__(self, clock: Clock, load_likes: LoadLikes = no_likes) -> None:
        self._clock = clock
        self._load_likes = load_likes
        self._lines: OrderedDict[str, Line] = OrderedDict()
        self._listeners = Listeners()

    async def top(self, stream: str) -> Top:
        """The end of the chain."""
        return (await self._line(stream)).top

    async def extend(self, frame: Frame) -> bool:
        """Keep and announce."""
        line = await self._line(frame.stream)
        if not line.fits(frame):
            return False
        self._take(line, frame)
        return True

    async def renew(self, stream: str, epoch: str) -> Top:
        """Begin a new epoch, if `epoch` is still the one."""
        line = await self._line(stream)
        if line.top.epoch == epoch:
            line.begin(new_epoch())
        return line.top

    async def since(self, stream: str, position: Position) -> Sequence[Frame] | None:
        """The frames above the position."""
        line = await self._line(stream)
        return line.since(position.number) if position.epoch == line.top.epoch else None

    async def snapshot(self, stream: str, limit: int) -> Snapshot:
        """What a newcomer is shown."""
        return (await self._line(stream)).snapshot(limit)

    async def gone(self, stream: str) -> Gone:
        """What must not be shown."""
        return (await self._line(stream)).gone

    async def take_down(self, stream: str, ids: Sequence[int], users: Mapping[str, int]) -> None:
        """Gone from now on."""
        (await self._line(stream)).take_down(ids, users, self._clock.now_ms())

    async def put_back(self, stream: str, comment_id: int) -> None:
        """Gone no more."""
        (await self._line(stream)).put_back(comment_id)

    async def cut(self, stream: str, user: str, upto: int) -> None:
        """An erasure."""
        (await self._line(stream)).cut(user, upto, self._clock.now_ms())

    async def like(self, stream: str, likings: Sequence[Liking]) -> dict[int, int]:
        """Apply likes."""
        line = await self._line(stream)
        unknown = line.unknown_likes(likings)
        loaded = await self._load_likes(stream, unknown) if unknown else {}
        return line.like(likings, loaded)

    async def shown(self, stream: str, ids: Sequence[int]) -> frozenset[int]:
        """Which ids were shown."""
        return (await self._line(stream)).shown(ids)

    def subscribe(self, stream: str, on_frame: OnFrame) -> Callable[[], None]:
        """Listen to new frames."""
        return self._listeners.add(stream, on_frame)

    async def close(self) -> None:
        """Nothing to let go of."""

    async def _line(self, stream: str) -> Line:
        line = self._lines.get(stream)
        if line is None:
            line = self._lines[stream] = Line(stream, new_epoch())
        return line

    def _take(self, line: Line, frame: Frame) -> None:
        line.extend(frame)
        self._listeners.announce(frame)


def new_epoch() -> str:
    """A name that no other epoch has."""
    return secrets.token_hex(6)
