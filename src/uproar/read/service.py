"""What REST reads: a stream's facts, pages of comments, and the replay; nothing that is gone."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from uproar.core.clock import Clock
from uproar.core.heat import heat
from uproar.core.ids import first_id_at
from uproar.core.single_flight import SingleFlight
from uproar.core.stream import Rules, Stream
from uproar.presence import Presence
from uproar.read.replay import COMMENTS, Span, by_second, cut, is_over, part, span
from uproar.read.showing import RATE_COMMENTS, rate, standing
from uproar.store import PAGE_LIMIT, Kept, Store
from uproar.timeline import Timeline
from uproar.wire.frames import Shown


class StreamFacts(Struct, frozen=True):
    """A stream and how it is doing; `comments_per_s` is the mean of the last ten seconds."""

    id: str
    title: str
    creator: str
    started_at: int
    state: str
    rules: Rules
    viewers: int
    comments: int
    comments_per_s: float
    reactions: dict[str, int]
    heat: str


class Page(Struct, frozen=True):
    """Comments, and the id to pass on in the same direction (None: there are no more)."""

    comments: list[Shown]
    next: str | None


class Replay(Struct, frozen=True):
    """A span of a stream's time in milliseconds since it started; `next_ms` is where to go on when it was cut."""

    from_ms: int
    to_ms: int
    comments: list[Shown]
    reactions: dict[str, dict[str, int]]
    next_ms: int | None


class ReplayPart(NamedTuple):
    """One part; once `over` it changes by removals alone, and may be cached."""

    replay: Replay
    over: bool


class ReadService:
    """Reads the store, and leaves out what the timeline says is gone; raises `Unavailable` when one is down."""

    def __init__(self, store: Store, timeline: Timeline, presence: Presence, clock: Clock) -> None:
        self._store = store
        self._timeline = timeline
        self._presence = presence
        self._clock = clock
        self._flights = SingleFlight()

    async def stream(self, stream: str) -> StreamFacts | None:
        """The stream's facts; None where there is none."""
        return await self._flights.do(("stream", stream), lambda: self._facts(stream))

    async def page(self, stream: str, *, before: int | None, after: int | None, limit: int) -> Page:
        """Standing comments, newest first: nearest below `before`, or nearest above `after`."""

        async def fetch() -> Sequence[Kept]:
            return await self._store.page(stream, before=before, after=after, limit=limit + 1)

        kept = await self._flights.do(("page", stream, before, after, limit), fetch)
        return await self._page(kept, limit, upwards=after is not None)

    async def comment(self, stream: str, comment_id: int) -> Shown | None:
        """One comment that stands."""
        kept = await self.kept(stream, comment_id)
        found = await self._standing([kept] if kept else [])
        return found[0] if found else None

    async def kept(self, stream: str, comment_id: int) -> Kept | None:
        """One comment as the store holds it, also a removed one: for its author and moderators."""
        return await self._store.comment(stream, comment_id)

    async def replies(self, stream: str, parent_id: int, *, after: int | None, limit: int) -> Page:
        """Standing replies, oldest first, above `after`."""

        async def fetch() -> Sequence[Kept]:
            return await self._store.replies(stream, parent_id, after=after, limit=limit + 1)

        kept = await self._flights.do(("replies", stream, parent_id, after, limit), fetch)
        return await self._page(kept, limit)

    async def by_user(self, user: str, *, before: int | None, after: int | None, limit: int) -> Page:
        """What the user wrote anywhere and stands, newest first."""
        kept = await self._store.by_user(user, before=before, after=after, limit=limit + 1)
        return await self._page(kept, limit, upwards=after is not None)

    async def replay(self, stream: str, from_ms: int, to_ms: int) -> Replay | None:
        """What happened from `from_ms` to below `to_ms` since the stream started; None where there is no stream."""
        known = await self._known(stream)
        return await self._replay(known, span(from_ms, to_ms)) if known else None

    async def replay_part(self, stream: str, number: int) -> ReplayPart | None:
        """The `number`-th ten seconds, from 0; None where there is no stream."""
        known = await self._known(stream)
        if known is None:
            return None
        asked = part(number)
        over = is_over(asked, known.started_at, self._clock.now_ms())  # before the reading, not after
        return ReplayPart(await self._replay(known, asked), over)

    # -- facts

    async def _known(self, stream: str) -> Stream | None:
        async def fetch() -> Stream | None:
            return await self._store.stream(stream)

        return await self._flights.do(("known", stream), fetch)

    async def _facts(self, stream: str) -> StreamFacts | None:
        known = await self._store.stream(stream)
        if known is None:
            return None
        viewers = await self._presence.viewers(stream)
        now = await self._timeline.snapshot(stream, RATE_COMMENTS)
        per_s = rate([comment.at for comment in now.comments], self._clock.now_ms())
        return StreamFacts(
            id=known.id,
            title=known.title,
            creator=known.creator,
            started_at=known.started_at,
            state=known.state,
            rules=known.rules,
            viewers=viewers,
            comments=await self._store.count(stream),
            comments_per_s=per_s,
            reactions=dict(now.reactions),
            heat=heat(viewers, per_s).value,
        )

    # -- comments

    async def _page(self, kept: Sequence[Kept], limit: int, *, upwards: bool = False) -> Page:
        """One comment more than the limit was asked for: it tells whether there are more, and is not shown."""
        more = len(kept) > limit
        if more:
            kept = kept[1:] if upwards else kept[:-1]
        edge = str(kept[0 if upwards else -1].comment.id) if more and kept else None
        return Page(await self._standing(kept), edge)

    async def _standing(self, kept: Sequence[Kept]) -> list[Shown]:
        """Asked after the store was read: what was removed meanwhile is gone as well."""
        gone = {stream: await self._timeline.gone(stream) for stream in {one.comment.stream for one in kept}}
        return list(standing(kept, gone))

    # -- replay

    async def _replay(self, stream: Stream, asked: Span) -> Replay:
        kept = await self._flights.do(("span", stream.id, stream.started_at, asked), lambda: self._span(stream, asked))
        told = cut(asked, [one.comment.at - stream.started_at for one in kept])
        seconds = told.since(stream.started_at).seconds()
        counts = await self._flights.do(("seconds", stream.id, seconds), lambda: self._reactions(stream.id, seconds))
        within = [one for one in kept if one.comment.at - stream.started_at < told.to_ms]
        return Replay(
            from_ms=told.from_ms,
            to_ms=told.to_ms,
            comments=await self._standing(within),
            reactions=by_second(counts, stream.started_at),
            next_ms=told.to_ms if told.to_ms < asked.to_ms else None,
        )

    async def _reactions(self, stream: str, seconds: Span) -> dict[int, dict[str, int]]:
        return await self._store.reactions_by_second(stream, seconds.from_ms, seconds.to_ms)

    async def _span(self, stream: Stream, asked: Span) -> Sequence[Kept]:
        """One comment more than an answer holds, when there are more."""
        real = asked.since(stream.started_at)
        at, end = first_id_at(real.from_ms), first_id_at(real.to_ms)
        found: list[Kept] = []
        while len(found) <= COMMENTS:
            some = await self._store.span(stream.id, at, end, PAGE_LIMIT)
            found += some
            if len(some) < PAGE_LIMIT:
                break
            at = some[-1].comment.id + 1
        return found[: COMMENTS + 1]
