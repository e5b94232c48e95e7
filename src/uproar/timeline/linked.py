"""The timeline of another process of this machine, over a link; and what that process answers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from uproar.core.position import Position
from uproar.link import Link
from uproar.timeline import Gone, Liking, OnFrame, Snapshot, Timeline, Top
from uproar.timeline.memory import Listeners
from uproar.wire.frames import Frame

TAKES: Final[Mapping[str, Any]] = {
    "top": tuple[str],
    "extend": tuple[Frame],
    "renew": tuple[str, str],
    "since": tuple[str, Position],
    "snapshot": tuple[str, int],
    "gone": tuple[str],
    "take_down": tuple[str, list[int], dict[str, int]],
    "put_back": tuple[str, int],
    "cut": tuple[str, str, int],
    "like": tuple[str, list[Liking]],
    "shown": tuple[str, list[int]],
    "counted": tuple[str],
    "trim": tuple[int],
}
"""The port's deeds by name, each with what it is told."""


class LinkedTimeline:
    """Asks the other side. Frames come without being asked for; those that the link has no place for are missing.

    A chain shows what is missing, as with every kind.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._listeners = Listeners()
        link.on("frame", tuple[Frame], self._listeners.announce)

    async def _ask(self, deed: str, gives: Any, *told: object) -> Any:
        return await self._link.ask(f"timeline.{deed}", gives, *told)

    async def top(self, stream: str) -> Top:
        """The end of the chain; makes an epoch with number 0 where there is none."""
        top: Top = await self._ask("top", Top, stream)
        return top

    async def extend(self, frame: Frame) -> bool:
        """Keep and announce the frame; False when it does not fit."""
        fits: bool = await self._ask("extend", bool, frame)
        return fits

    async def renew(self, stream: str, epoch: str) -> Top:
        """Begin a new epoch if `epoch` is still the one; the top either way."""
        top: Top = await self._ask("renew", Top, stream, epoch)
        return top

    async def since(self, stream: str, position: Position) -> Sequence[Frame] | None:
        """Every frame above the position, without what is gone; None when they are not all kept any more."""
        frames: tuple[Frame, ...] | None = await self._ask("since", tuple[Frame, ...] | None, stream, position)
        return frames

    async def snapshot(self, stream: str, limit: int) -> Snapshot:
        """The newest `limit` comments, pins, totals and rules, as of their position."""
        snapshot: Snapshot = await self._ask("snapshot", Snapshot, stream, limit)
        return snapshot

    async def gone(self, stream: str) -> Gone:
        """What must not be shown."""
        gone: Gone = await self._ask("gone", Gone, stream)
        return gone

    async def take_down(self, stream: str, ids: Sequence[int], users: Mapping[str, int]) -> None:
        """These are gone from now on; users up to an id."""
        await self._ask("take_down", None, stream, list(ids), dict(users))

    async def put_back(self, stream: str, comment_id: int) -> None:
        """A removal was undone."""
        await self._ask("put_back", None, stream, comment_id)

    async def cut(self, stream: str, user: str, upto: int) -> None:
        """An erasure: drop all kept frames, and what the user wrote."""
        await self._ask("cut", None, stream, user, upto)

    async def like(self, stream: str, likings: Sequence[Liking]) -> dict[int, int]:
        """Apply likes in order; the totals of the comments named."""
        totals: dict[int, int] = await self._ask("like", dict[int, int], stream, list(likings))
        return totals

    async def shown(self, stream: str, ids: Sequence[int]) -> frozenset[int]:
        """Which of these ids a frame of the last ten minutes has shown."""
        shown: frozenset[int] = await self._ask("shown", frozenset[int], stream, list(ids))
        return shown

    async def counted(self, stream: str) -> Mapping[str, int]:
        """The last number of each gateway run whose reactions the chain has added up."""
        counted: dict[str, int] = await self._ask("counted", dict[str, int], stream)
        return counted

    def subscribe(self, stream: str, on_frame: OnFrame) -> Callable[[], None]:
        """Call `on_frame` for new frames, until the returned call. The other side hears of first and last ones."""
        if stream not in self._listeners:
            self._link.note("subscribe", stream)
        leave = self._listeners.add(stream, on_frame)

        def unsubscribe() -> None:
            leave()
            if stream not in self._listeners:
                self._link.note("unsubscribe", stream)

        return unsubscribe

    async def trim(self, now_ms: int) -> int:
        """Let go of frames whose time is over; how many."""
        gone: int = await self._ask("trim", int, now_ms)
        return gone

    async def close(self) -> None:
        """The timeline is the other side's to close."""


class Served:
    """A timeline that the other side of the link asks, until `close`."""

    def __init__(self, link: Link, timeline: Timeline) -> None:
        self._link = link
        self._timeline = timeline
        self._subscribed: dict[str, Callable[[], None]] = {}
        for deed, takes in TAKES.items():
            link.answers(f"timeline.{deed}", takes, getattr(timeline, deed))
        link.on("subscribe", tuple[str], self._subscribe)
        link.on("unsubscribe", tuple[str], self._unsubscribe)

    def _subscribe(self, stream: str) -> None:
        self._unsubscribe(stream)
        self._subscribed[stream] = self._timeline.subscribe(stream, self._tell)

    def _unsubscribe(self, stream: str) -> None:
        self._subscribed.pop(stream, _nothing)()

    def _tell(self, frame: Frame) -> None:
        self._link.offer("frame", frame)

    def close(self) -> None:
        """Nobody listens any more."""
        for stream in tuple(self._subscribed):
            self._unsubscribe(stream)


def _nothing() -> None:
    """Nobody had subscribed."""
