"""The persist role: every event of the log that must outlive it goes to the store."""

import asyncio
from collections.abc import Coroutine, Hashable, Iterable, Iterator, Sequence

from uproar.core import events as ev
from uproar.core.comment import Comment
from uproar.log import Record
from uproar.store import Ban, Store

SPAN_S = 0.1
LIMIT = 1000


class Persist:
    """Three answers for the one loop: all streams belong together, for a tenth of a second, and go to the store."""

    group = "persist"

    def __init__(self, store: Store) -> None:
        self._store = store

    def key(self, event: ev.Event) -> str | None:
        """One key for all: the store wants large batches."""
        return ""

    def span_s(self, key: str) -> float:
        """How long events wait for others."""
        return SPAN_S

    def limit(self, key: str) -> int:
        """How many events go to the store at once."""
        return LIMIT

    async def apply(self, key: str, records: Sequence[Record]) -> None:
        """Bring the records to the store; a repeat changes nothing.

        All comments are saved first. That comes to the same as the log's order: `save` changes nothing but ids it has
        not seen, and what is done to an id before it is saved holds for it as if it were done after. The rest goes wave
        by wave in the log's order; within a wave no two events concern the same, so any order gives the same.
        """
        events = [record.event for record in records]
        comments = list(_comments(events))
        if comments:
            await self._store.save(comments)
        for wave in waves(records):
            await _all(map(self._apply, wave))

    async def _apply(self, record: Record) -> None:
        store, event = self._store, record.event
        stream = event.stream
        match event:
            case ev.Removed(comment_id=comment_id, by=by):
                await store.remove(stream, [comment_id], by)
            case ev.Restored(comment=comment):
                await store.restore(stream, comment.id)
            case ev.Pinned(comment=comment, until_ms=until_ms):
                await store.pin(stream, comment.id, until_ms)
            case ev.Unpinned(comment_id=comment_id):
                await store.unpin(stream, comment_id)
            case ev.Reacted(gateway=gateway, number=number, counts=counts, at_ms=at_ms):
                await store.react(stream, gateway, number, at_ms, counts)
            case ev.Liked(user=user, comment_id=comment_id, on=on):
                await store.like(stream, comment_id, user, on)
            case ev.Reported(user=user, comment_id=comment_id, why=why, at_ms=at_ms):
                await store.report(stream, comment_id, user, why, at_ms)
            case ev.Banned():
                await self._ban(event, record.offset)
            case ev.Unbanned(user=user):
                await store.unban(stream, user, record.offset)
            case ev.Changed(now=now):
                await store.put_stream(now)
            case ev.Erased(user=user, upto=upto):
                await store.erase(user, upto)

    async def _ban(self, event: ev.Banned, offset: int) -> None:
        await self._store.ban(event.stream, Ban(event.user, event.until_ms, event.why), offset)
        if event.remove:
            await self._store.remove_user(event.stream, event.user, event.upto, event.by)


def waves(records: Iterable[Record]) -> Iterator[Sequence[Record]]:
    """What is not just a comment, in order, cut where one concerns what an earlier one of its wave does."""
    wave: dict[Hashable, Record] = {}
    for record in records:
        if isinstance(record.event, ev.Posted):
            continue
        what = _concern(record.event)
        if wave and (what is None or what in wave or None in wave):
            yield list(wave.values())
            wave = {}
        wave[what] = record
    if wave:
        yield list(wave.values())


def _concern(event: ev.Event) -> Hashable:
    """What the event changes and others of its stream might too; None for what may touch anything."""
    match event:
        case ev.Liked(user=user, comment_id=comment_id):
            return "like", event.stream, comment_id, user
        case ev.Reacted(gateway=gateway):
            return "reaction", event.stream, gateway
        case ev.Reported(user=user, comment_id=comment_id):
            return "report", event.stream, comment_id, user
        case ev.Removed(comment_id=comment_id):
            return "removal", event.stream, comment_id
        case ev.Restored(comment=comment):
            return "removal", event.stream, comment.id
    return None


def _comments(events: Iterable[ev.Event]) -> Iterator[Comment]:
    return (event.comment for event in events if isinstance(event, ev.Posted | ev.Restored))


async def _all(deeds: Iterable[Coroutine[None, None, None]]) -> None:
    """Do them side by side, so that they share a commit; the first failure once all have ended."""
    ends = await asyncio.gather(*deeds, return_exceptions=True)
    for end in ends:
        if end is not None:
            raise end
