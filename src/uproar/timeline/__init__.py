"""The timeline: a stream's newest frames and comments, kept for who comes back, announced to who is watching.

A stream's frames are a chain numbered 1, 2, 3, … within an epoch. A new kind of timeline is one file here, one line in
`assembly/parts.py`, and a green run of `tests/contract/test_timeline.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from uproar.core.position import Position
from uproar.wire.frames import Frame, PosterRules, Shown


class Top(NamedTuple):
    """The end of a stream's chain: the next frame is `number` + 1 and names `checksum` as its predecessor's."""

    epoch: str
    number: int
    checksum: int
    upto: int


class Gone(NamedTuple):
    """What nobody may be shown any more: comment ids, and users' comments up to an id.

    `spared` were put back, each from losses of its user up to the id named; a later loss takes it again. What users
    wrote up to the ids in `erased` is never put back. `version` grows with every change, and is 0 only while nothing
    is gone; `epoch` is that of the chain, since with a timeline that lost everything versions begin again.
    """

    version: int = 0
    ids: frozenset[int] = frozenset()
    users: Mapping[str, int] = {}
    spared: Mapping[int, int] = {}
    erased: Mapping[str, int] = {}
    epoch: str = ""

    def covers(self, comment_id: int, user: str) -> bool:
        """Whether the comment `comment_id` by `user` is gone."""
        if comment_id in self.ids or comment_id <= self.erased.get(user, -1):
            return True
        upto = self.users.get(user, -1)
        return comment_id <= upto and self.spared.get(comment_id, -1) < upto


class Snapshot(NamedTuple):
    """What a newcomer is shown: all of it as of `position`, comments oldest first."""

    position: Position
    comments: Sequence[Shown]
    pinned: Sequence[Shown]
    reactions: Mapping[str, int]
    rules: PosterRules | None


class Liking(NamedTuple):
    """One user likes a comment, or no longer does."""

    comment_id: int
    user: str
    on: bool


OnFrame = Callable[[Frame], None]


class Timeline(Protocol):
    """Everything raises `Unavailable` when the outside is down."""

    async def top(self, stream: str) -> Top:
        """The end of the chain; makes an epoch with number 0 where there is none."""

    async def extend(self, frame: Frame) -> bool:
        """Keep and announce the frame in one atomic step, and add what it removes to what is gone.

        False, and nothing done, unless epoch, number and `before` fit the top, and nothing that it shows, pins or
        previews is gone by now (but what it restores): then whoever made it reads `top` and `gone` anew, and makes
        another.
        """

    async def renew(self, stream: str, epoch: str) -> Top:
        """Begin a new epoch if `epoch` is still the one; the top either way."""

    async def since(self, stream: str, position: Position) -> Sequence[Frame] | None:
        """Every frame above the position, without what is gone; None when they are not all kept any more."""

    async def snapshot(self, stream: str, limit: int) -> Snapshot:
        """The newest `limit` comments (at most 1,000), pins, totals and rules, read with their position in one step."""

    async def gone(self, stream: str) -> Gone:
        """What must not be shown."""

    async def take_down(self, stream: str, ids: Sequence[int], users: Mapping[str, int]) -> None:
        """These are gone from now on, before any frame says so; users up to an id."""

    async def put_back(self, stream: str, comment_id: int) -> None:
        """A removal was undone: the id is gone no more."""

    async def cut(self, stream: str, user: str, upto: int) -> None:
        """An erasure: drop all kept frames, and the user's comments and previews; positions below no longer resume."""

    async def like(self, stream: str, likings: Sequence[Liking]) -> dict[int, int]:
        """Apply likes to the comments' sets in order; the totals of those named. A repeat changes nothing."""

    async def shown(self, stream: str, ids: Sequence[int]) -> frozenset[int]:
        """Which of these ids a frame of the last ten minutes has shown."""

    async def counted(self, stream: str) -> Mapping[str, int]:
        """The last number of each gateway run whose reactions the chain has added up."""

    def subscribe(self, stream: str, on_frame: OnFrame) -> Callable[[], None]:
        """Call `on_frame` for new frames, each at most once, in order, possibly with holes, until the returned call.

        What it raises goes to the loop's exception handler, and hurts neither other listeners nor who extends.
        """

    async def trim(self, now_ms: int) -> int:
        """Let go of frames whose time is over, in streams that went quiet too; how many. To be called every minute."""

    async def close(self) -> None:
        """Finish what is under way and let go of the files."""
