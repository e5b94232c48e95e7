"""The store in memory: for tests and a first try; what it holds ends with the process."""

from bisect import bisect_left, insort
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from msgspec.structs import replace

from uproar.core.comment import Comment, Parent
from uproar.core.errors import Unavailable
from uproar.core.ids import EPOCH_MS, WRITERS, at_ms
from uproar.core.stream import Stream
from uproar.store import GATEWAY_RUNS, PAGE_LIMIT, Ban, Deed, Kept, Lease


class _Shelf:
    """One stream's comments and what was done to them."""

    def __init__(self) -> None:
        self.comments: dict[int, Comment] = {}
        self.order: list[int] = []
        self.replies: dict[int, list[int]] = {}
        self.removed_by: dict[int, str] = {}
        self.removed_users: dict[str, tuple[int, str]] = {}
        self.likes: dict[int, set[str]] = {}
        self.counted: OrderedDict[str, int] = OrderedDict()
        self.reactions: dict[int, Counter[str]] = {}
        self.pins: dict[int, int | None] = {}
        self.bans: dict[str, tuple[Ban | None, int]] = {}
        self.reports: dict[int, dict[str, tuple[str, int]]] = {}
        self.audit: list[Deed] = []

    def add(self, comment: Comment) -> None:
        self.comments[comment.id] = comment
        insort(self.order, comment.id)
        if comment.reply_to:
            insort(self.replies.setdefault(comment.reply_to.id, []), comment.id)
        upto, by = self.removed_users.get(comment.user.id, (-1, ""))
        if comment.id <= upto:
            self.removed_by.setdefault(comment.id, by)

    def drop(self, comment_id: int) -> None:
        comment = self.comments.pop(comment_id)
        self.order.remove(comment_id)
        if comment.reply_to:
            self.replies[comment.reply_to.id].remove(comment_id)

    def kept(self, comment_id: int) -> Kept:
        comment = self.comments[comment_id]
        if comment.reply_to and self._is_gone(comment.reply_to):
            comment = _without_preview(comment)
        return Kept(comment, len(self.likes.get(comment_id, ())), self.removed_by.get(comment_id, ""))

    def _is_gone(self, parent: Parent) -> bool:
        if parent.id in self.comments:
            return parent.id in self.removed_by
        return parent.id in self.removed_by or parent.id <= self.removed_users.get(parent.user, (-1, ""))[0]

    def stands(self, comment_id: int) -> bool:
        return comment_id not in self.removed_by


class MemoryStore:
    """Keeps everything in dicts; see the port for what it promises."""

    def __init__(self) -> None:
        self._shelves: dict[str, _Shelf] = {}
        self._authors: dict[str, dict[int, str]] = {}
        self._erased: dict[str, int] = {}
        self._erased_in: dict[str, set[str]] = {}
        self._streams: dict[str, Stream] = {}
        self._reputations: dict[str, float] = {}
        self._leases: dict[int, tuple[str, Lease]] = {}

    # -- comments

    async def save(self, comments: Sequence[Comment]) -> None:
        """Keep comments."""
        for comment in comments:
            shelf = self._shelf(comment.stream)
            if comment.id in shelf.comments or self._is_erased(comment.user.id, comment.id):
                continue
            parent = comment.reply_to
            forgotten = parent is not None and self._is_erased(parent.user, parent.id)
            shelf.add(_without_preview(comment) if forgotten else comment)
            self._authors.setdefault(comment.user.id, {})[comment.id] = comment.stream

    async def remove(self, stream: str, comment_ids: Sequence[int], by: str) -> None:
        """Take comments out of every page."""
        for comment_id in comment_ids:
            self._shelf(stream).removed_by.setdefault(comment_id, by)

    async def remove_user(self, stream: str, user: str, upto: int, by: str) -> None:
        """Take out all that the user wrote in the stream up to an id."""
        shelf = self._shelf(stream)
        if upto > shelf.removed_users.get(user, (-1, ""))[0]:
            shelf.removed_users[user] = (upto, by)
        theirs = (i for i, where in self._authors.get(user, {}).items() if where == stream and i <= upto)
        await self.remove(stream, list(theirs), by)

    async def restore(self, stream: str, comment_id: int) -> None:
        """Undo `remove`."""
        self._shelf(stream).removed_by.pop(comment_id, None)

    async def comment(self, stream: str, comment_id: int) -> Kept | None:
        """One comment, removed ones included."""
        shelf = self._shelf(stream)
        return shelf.kept(comment_id) if comment_id in shelf.comments else None

    async def page(self, stream: str, *, before: int | None, after: int | None, limit: int) -> Sequence[Kept]:
        """Standing comments, newest first."""
        shelf = self._shelf(stream)
        return [shelf.kept(i) for i in _page(shelf.order, before, after, limit, shelf.stands)]

    async def replies(self, stream: str, parent_id: int, *, after: int | None, limit: int) -> Sequence[Kept]:
        """Standing replies to a comment, oldest first."""
        shelf = self._shelf(stream)
        ids = _page(shelf.replies.get(parent_id, []), None, -1 if after is None else after, limit, shelf.stands)
        return [shelf.kept(i) for i in reversed(ids)]

    async def by_user(self, user: str, *, before: int | None, after: int | None, limit: int) -> Sequence[Kept]:
        """What a user wrote anywhere, newest first."""
        wrote = self._authors.get(user, {})
        ids = _page(sorted(wrote), before, after, limit, lambda _: True)
        return [self._shelf(wrote[i]).kept(i) for i in ids]

    async def span(self, stream: str, from_id: int, to_id: int, limit: int) -> Sequence[Kept]:
        """Standing comments between two ids, oldest first."""
        shelf = self._shelf(stream)
        within = shelf.order[: bisect_left(shelf.order, to_id)]
        return [shelf.kept(i) for i in reversed(_page(within, None, from_id - 1, limit, shelf.stands))]

    async def count(self, stream: str) -> int:
        """How many comments stand in the stream."""
        shelf = self._shelf(stream)
        return sum(map(shelf.stands, shelf.order))

    async def wrote_in(self, user: str) -> Sequence[str]:
        """The streams in which the user wrote."""
        return sorted({*self._authors.get(user, {}).values(), *self._erased_in.get(user, ())})

    async def erase(self, user: str, upto: int) -> None:
        """Forget all text of the user up to an id."""
        self._erased[user] = max(upto, self._erased.get(user, -1))
        wrote = self._authors.get(user, {})
        gone = {i: stream for i, stream in wrote.items() if i <= upto}
        for comment_id, stream in gone.items():
            self._shelf(stream).drop(comment_id)
            del wrote[comment_id]
        for shelf in self._shelves.values():
            _forget_words(shelf, user, upto)
            _forget_likes(shelf, user)
        self._erased_in.setdefault(user, set()).update(gone.values())

    async def erased_upto(self, user: str) -> int:
        """The highest id up to which the user was erased."""
        return self._erased.get(user, 0)

    # -- likes and reactions

    async def like(self, stream: str, comment_id: int, user: str, on: bool) -> None:
        """Put the user into or out of the comment's set."""
        users = self._shelf(stream).likes.setdefault(comment_id, set())
        (users.add if on else users.discard)(user)

    async def likes(self, stream: str, comment_ids: Sequence[int]) -> dict[int, frozenset[str]]:
        """Who likes each of these comments."""
        shelf = self._shelf(stream)
        return {i: frozenset(shelf.likes.get(i, ())) for i in comment_ids}

    async def react(self, stream: str, gateway: str, number: int, at_ms: int, counts: dict[str, int]) -> None:
        """Add one count by a gateway's run."""
        shelf = self._shelf(stream)
        if number <= shelf.counted.get(gateway, -1):
            return
        shelf.counted[gateway] = number
        shelf.counted.move_to_end(gateway)
        if len(shelf.counted) > GATEWAY_RUNS:
            shelf.counted.popitem(last=False)
        shelf.reactions.setdefault(at_ms // 1000 * 1000, Counter()).update(counts)

    async def reactions(self, stream: str) -> dict[str, int]:
        """Totals by kind."""
        return dict(sum(self._shelf(stream).reactions.values(), Counter()))

    async def reactions_by_second(self, stream: str, from_ms: int, to_ms: int) -> dict[int, dict[str, int]]:
        """Counts by second and kind."""
        seconds = sorted(self._shelf(stream).reactions.items())
        return {second: dict(counts) for second, counts in seconds if from_ms <= second < to_ms}

    # -- pins

    async def pin(self, stream: str, comment_id: int, until_ms: int | None) -> None:
        """Note a pin and its end."""
        pins = self._shelf(stream).pins
        pins.pop(comment_id, None)
        pins[comment_id] = until_ms

    async def unpin(self, stream: str, comment_id: int) -> None:
        """Drop the note."""
        self._shelf(stream).pins.pop(comment_id, None)

    async def pinned(self, stream: str) -> Sequence[int]:
        """Ids pinned in the stream."""
        return list(self._shelf(stream).pins)

    async def pins_over(self, now_ms: int) -> Sequence[tuple[str, int]]:
        """(stream, comment id) of pins whose end has come."""
        pins = ((stream, i, until) for stream, shelf in self._shelves.items() for i, until in shelf.pins.items())
        return [(stream, i) for stream, i, until in pins if until is not None and until <= now_ms]

    # -- streams and people

    async def put_stream(self, stream: Stream) -> None:
        """Make or change a stream."""
        self._streams[stream.id] = stream

    async def stream(self, stream: str) -> Stream | None:
        """The stream, or None."""
        return self._streams.get(stream)

    async def ban(self, stream: str, ban: Ban, offset: int) -> None:
        """Ban or time out."""
        self._rule(stream, ban.user, ban, offset)

    async def unban(self, stream: str, user: str, offset: int) -> None:
        """Lift it."""
        self._rule(stream, user, None, offset)

    async def banned(self, stream: str, user: str) -> Ban | None:
        """The user's ban in the stream."""
        return self._shelf(stream).bans.get(user, (None, 0))[0]

    async def reputation(self, user: str) -> float | None:
        """0 to 1, or None."""
        return self._reputations.get(user)

    async def set_reputation(self, user: str, value: float) -> None:
        """Keep it."""
        self._reputations[user] = value

    async def report(self, stream: str, comment_id: int, user: str, why: str, at_ms: int) -> None:
        """Keep a report."""
        if at_ms > self._erased_until(user):
            self._shelf(stream).reports.setdefault(comment_id, {}).setdefault(user, (why, at_ms))

    async def reports(self, stream: str, comment_id: int) -> Sequence[tuple[str, str]]:
        """(user, why) of those who reported the comment."""
        found = self._shelf(stream).reports.get(comment_id, {})
        return [(user, why) for user, (why, _) in found.items()]

    async def note(self, stream: str, deed: Deed) -> None:
        """Add a line to the stream's audit."""
        said = deed if deed.at_ms > self._erased_until(deed.by) else deed._replace(why="")
        audit = self._shelf(stream).audit
        if all(said[:4] != line[:4] for line in audit):
            insort(audit, said, key=attrgetter("at_ms"))

    async def audit(self, stream: str, limit: int) -> Sequence[Deed]:
        """The newest lines, newest first."""
        return self._shelf(stream).audit[::-1][: _bounded(limit)]

    # -- writers

    async def lease(self, holder: str, now_ms: int, span_ms: int) -> Lease:
        """A free writer number for the holder, or its own, made longer."""
        writer = self._held(holder, now_ms)
        lease = self._leases[writer][1] if writer is not None else self._free(now_ms)
        lease = lease._replace(until_ms=max(lease.until_ms, max(now_ms, lease.from_ms) + span_ms))
        self._leases[lease.writer] = (holder, lease)
        return lease

    def _rule(self, stream: str, user: str, ban: Ban | None, offset: int) -> None:
        bans = self._shelf(stream).bans
        if offset >= bans.get(user, (None, offset))[1]:
            bans[user] = (ban, offset)

    def _held(self, holder: str, now_ms: int) -> int | None:
        held = (i for i, (who, lease) in self._leases.items() if who == holder and lease.until_ms > now_ms)
        return next(held, None)

    def _free(self, now_ms: int) -> Lease:
        for writer in range(WRITERS):
            over_ms = self._leases[writer][1].until_ms if writer in self._leases else now_ms
            if over_ms <= now_ms:
                from_ms = max(now_ms, self._highest_upto_ms() + 1)
                return Lease(writer, from_ms, from_ms)
        raise Unavailable("all writer numbers are out")

    def _highest_upto_ms(self) -> int:
        removed = (upto for shelf in self._shelves.values() for upto, _ in shelf.removed_users.values())
        return at_ms(max((*self._erased.values(), *removed), default=0))

    async def close(self) -> None:
        """Nothing is under way."""

    def _shelf(self, stream: str) -> _Shelf:
        if stream not in self._shelves:
            self._shelves[stream] = _Shelf()
        return self._shelves[stream]

    def _is_erased(self, user: str, comment_id: int) -> bool:
        return comment_id <= self._erased.get(user, -1)

    def _erased_until(self, user: str) -> int:
        return at_ms(self._erased[user]) if user in self._erased else EPOCH_MS - 1


def _bounded(limit: int) -> int:
    return max(0, min(limit, PAGE_LIMIT))


def _page(
    order: Sequence[int], before: int | None, after: int | None, limit: int, stands: Callable[[int], bool]
) -> list[int]:
    """At most `limit` standing ids of an ascending order, newest first, nearest to the bound that is given."""
    end = len(order) if before is None else bisect_left(order, before)
    if after is None:
        return _first(reversed(order[:end]), stands, limit)
    return _first(order[bisect_left(order, after + 1) : end], stands, limit)[::-1]


def _first(ids: Iterable[int], stands: Callable[[int], bool], limit: int) -> list[int]:
    found = filter(stands, ids)
    return [i for _, i in zip(range(_bounded(limit)), found, strict=False)]


def _forget_likes(shelf: _Shelf, user: str) -> None:
    for likers in shelf.likes.values():
        likers.discard(user)


def _forget_words(shelf: _Shelf, user: str, upto: int) -> None:
    for comment in list(shelf.comments.values()):
        parent = comment.reply_to
        if parent and parent.user == user and parent.id <= upto:
            shelf.comments[comment.id] = _without_preview(comment)
    until_ms = at_ms(upto)
    for reports in shelf.reports.values():
        if user in reports and reports[user][1] <= until_ms:
            del reports[user]
    shelf.audit = [d._replace(why="") if d.by == user and d.at_ms <= until_ms else d for d in shelf.audit]


def _without_preview(comment: Comment) -> Comment:
    parent = comment.reply_to
    return replace(comment, reply_to=Parent(parent.id, parent.user, "")) if parent else comment
