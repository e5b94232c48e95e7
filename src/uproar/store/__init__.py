"""The store: comments for good, and what must outlive every other part: streams, bans, likes, audit, writer numbers.

A new kind of store is one file here, one line in `assembly/parts.py`, and a green run of
`tests/contract/test_store.py`.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from uproar.core.comment import Comment
from uproar.core.stream import Stream

PAGE_LIMIT = 1000
"""A page holds at most this many comments, whatever its `limit` says."""

GATEWAY_RUNS = 1000
"""Of so many gateway runs a stream's last reaction number is remembered: a run that ended sends no repeats."""


class Kept(NamedTuple):
    """A comment as the store holds it; `removed_by` is empty while it stands."""

    comment: Comment
    likes: int = 0
    removed_by: str = ""


class Ban(NamedTuple):
    """A user may not post in a stream until `until_ms` (None: ever)."""

    user: str
    until_ms: int | None
    why: str = ""


class Lease(NamedTuple):
    """A writer's number: ids are minted from `from_ms` on and below `until_ms` only (milliseconds since 1970)."""

    writer: int
    from_ms: int
    until_ms: int


class Deed(NamedTuple):
    """One line of the audit: who did what to which comment or user, and why."""

    at_ms: int
    by: str
    deed: str
    target: str
    why: str


class Store(Protocol):
    """Everything raises `Unavailable` when the outside is down; every write is idempotent."""

    # -- comments

    async def save(self, comments: Sequence[Comment]) -> None:
        """Keep comments. Idempotent by id; never revives a removed or erased one."""

    async def remove(self, stream: str, comment_ids: Sequence[int], by: str) -> None:
        """Take comments out of every page, also those that are saved only later."""

    async def remove_user(self, stream: str, user: str, upto: int, by: str) -> None:
        """Take out all that the user wrote in the stream up to the id `upto`, also what is saved only later."""

    async def restore(self, stream: str, comment_id: int) -> None:
        """Undo `remove`."""

    async def comment(self, stream: str, comment_id: int) -> Kept | None:
        """One comment, removed ones included (`removed_by` tells); previews of removed parents have no text."""

    async def page(self, stream: str, *, before: int | None, after: int | None, limit: int) -> Sequence[Kept]:
        """Standing comments, newest first: the `limit` nearest below `before`, or nearest above `after` (exclusive)."""

    async def replies(self, stream: str, parent_id: int, *, after: int | None, limit: int) -> Sequence[Kept]:
        """Standing replies to a comment, oldest first, above `after`."""

    async def by_user(self, user: str, *, before: int | None, after: int | None, limit: int) -> Sequence[Kept]:
        """What a user wrote anywhere, removed ones included, newest first."""

    async def span(self, stream: str, from_id: int, to_id: int, limit: int) -> Sequence[Kept]:
        """Standing comments with `from_id` <= id < `to_id`, oldest first."""

    async def count(self, stream: str) -> int:
        """How many comments stand in the stream."""

    async def wrote_in(self, user: str) -> Sequence[str]:
        """The streams in which the user wrote, also what is erased by now."""

    async def erase(self, user: str, upto: int) -> None:
        """Forget all text of the user up to the id `upto`, previews too, now and when saved later.

        The user's likes are taken back.
        """

    async def erased_upto(self, user: str) -> int:
        """The highest id up to which the user was erased; 0 if never."""

    # -- likes and reactions

    async def like(self, stream: str, comment_id: int, user: str, on: bool) -> None:
        """Put the user into or out of the comment's set; unknown comments are ignored on reading."""

    async def likes(self, stream: str, comment_ids: Sequence[int]) -> dict[int, frozenset[str]]:
        """Who likes each of these comments."""

    async def react(self, stream: str, gateway: str, number: int, at_ms: int, counts: dict[str, int]) -> None:
        """Add one count by a gateway's run; a `number` not above that run's last for the stream changes nothing.

        The newest `GATEWAY_RUNS` runs of a stream are remembered.
        """

    async def reactions(self, stream: str) -> dict[str, int]:
        """Totals by kind."""

    async def reactions_by_second(self, stream: str, from_ms: int, to_ms: int) -> dict[int, dict[str, int]]:
        """Counts by second (milliseconds since 1970, rounded down to whole seconds) and kind; `to_ms` exclusive."""

    # -- pins

    async def pin(self, stream: str, comment_id: int, until_ms: int | None) -> None:
        """Note a pin and its end."""

    async def unpin(self, stream: str, comment_id: int) -> None:
        """Drop the note."""

    async def pinned(self, stream: str) -> Sequence[int]:
        """Ids pinned in the stream, in the order of pinning."""

    async def pins_over(self, now_ms: int) -> Sequence[tuple[str, int]]:
        """(stream, comment id) of pins whose end has come."""

    # -- streams and people

    async def put_stream(self, stream: Stream) -> None:
        """Make or change a stream."""

    async def stream(self, stream: str) -> Stream | None:
        """The stream, or None where there is none."""

    async def ban(self, stream: str, ban: Ban, offset: int) -> None:
        """Ban or time out, by the record at this offset of the log; what a later one said stands."""

    async def unban(self, stream: str, user: str, offset: int) -> None:
        """Lift it, by the record at this offset; what a later one said stands."""

    async def banned(self, stream: str, user: str) -> Ban | None:
        """The user's ban in the stream, over or not."""

    async def reputation(self, user: str) -> float | None:
        """0 to 1; None for a user without one."""

    async def set_reputation(self, user: str, value: float) -> None:
        """Keep it."""

    async def report(self, stream: str, comment_id: int, user: str, why: str, at_ms: int) -> None:
        """Keep a report; one a user and comment."""

    async def reports(self, stream: str, comment_id: int) -> Sequence[tuple[str, str]]:
        """(user, why) of those who reported the comment."""

    async def note(self, stream: str, deed: Deed) -> None:
        """Add a line to the stream's audit."""

    async def audit(self, stream: str, limit: int) -> Sequence[Deed]:
        """The newest lines, newest first."""

    # -- writers

    async def lease(self, holder: str, now_ms: int, span_ms: int) -> Lease:
        """A free writer number for `holder`, or the one that it holds, made longer.

        A number whose lease ended starts anew above its old `until_ms`, so that no two holders mint one id, and above
        all that was erased or removed by user, so that nothing said later is taken for what is gone.
        Raises `Unavailable` when all 1,024 are out.
        """

    async def close(self) -> None:
        """Finish what is under way and let go of the files."""
