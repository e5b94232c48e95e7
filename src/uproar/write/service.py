"""The write service: whatever anyone asks to say or do, and no answer before the log has it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from msgspec.structs import replace

from uproar.auth import Identity
from uproar.core import events as ev
from uproar.core.clock import Clock
from uproar.core.comment import Comment
from uproar.core.errors import Overloaded, Unavailable, Unconfirmed
from uproar.core.outage import refused
from uproar.core.refusal import Refusal, Refused
from uproar.core.stream import Stream
from uproar.core.text import is_id, normalize
from uproar.ledger import Ledger
from uproar.log import Log
from uproar.observe.counters import Metrics
from uproar.store import Ban, Deed, Store
from uproar.timeline import Timeline
from uproar.write.change import StreamChange
from uproar.write.checks import speaker
from uproar.write.comments.service import Comments
from uproar.write.outage import logged
from uproar.write.posting.service import Ids, Posting
from uproar.write.streams.service import Streams

UNDER_WAY = 10_000
"""Deeds under way at once; one more is refused with 502."""

PINS = 50

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Deed = Callable[Concatenate["WriteService", _P], Coroutine[Any, Any, _T]]


def answered(deed: _Deed[_P, _T]) -> _Deed[_P, _T | Refused]:
    """The one place where an outage becomes a refusal; a deed goes to its end, also when its asker leaves."""

    @wraps(deed)
    async def answer(self: "WriteService", /, *args: _P.args, **kwargs: _P.kwargs) -> _T | Refused:
        try:
            return await self.to_the_end(deed(self, *args, **kwargs))
        except Unavailable as fault:
            return refused(fault)

    return answer


class WriteService:
    """Whatever anyone asks to say or do. Deeds return their value or a `Refused`, and raise nothing but bugs.

    `log_kept_ms` is how long the log may still hold an event that everyone has read.
    """

    def __init__(
        self,
        log: Log,
        store: Store,
        timeline: Timeline,
        ledger: Ledger,
        clock: Clock,
        ids: Ids,
        metrics: Metrics,
        *,
        open_streams: bool = False,
        streams_per_min: int = 10,
        log_kept_ms: int = 25 * 3_600_000,
    ) -> None:
        self._log = log
        self._store = store
        self._timeline = timeline
        self._ledger = ledger
        self._clock = clock
        self._ids = ids
        self._metrics = metrics
        self._log_kept_ms = log_kept_ms
        self._streams = Streams(log, store, clock, open_streams=open_streams, streams_per_min=streams_per_min)
        self._comments = Comments(store, timeline, clock)
        self._posting = Posting(log, store, ledger, clock, ids, self._streams, self._comments)
        self._under_way: set[asyncio.Task[Any]] = set()

    async def to_the_end(self, deed: Coroutine[Any, Any, _T]) -> _T:
        """Do it in a task of its own; raises `Overloaded` when too many are under way."""
        if len(self._under_way) >= UNDER_WAY:
            deed.close()
            raise Overloaded("too many deeds are under way")
        task = asyncio.ensure_future(deed)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """An outage that no asker waited for is nobody's news; a bug is loud either way."""
        self._under_way.discard(task)
        fault = None if task.cancelled() else task.exception()
        if fault is not None and not isinstance(fault, Unavailable):
            asyncio.get_running_loop().call_exception_handler({"message": "a deed failed", "exception": fault})

    async def drain(self) -> None:
        """Wait for all that is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    # -- posting

    async def post(
        self,
        who: Identity | None,
        stream: str,
        text: str,
        reply_to: int | None = None,
        key: str = "",
        address: str = "",
    ) -> Comment | Refused:
        """Say something. A comment that is returned is kept; a `key` (empty: none) sees to it that it is kept once.

        `address` is where it comes from (empty: this machine): a stream that it opens counts there.
        """
        began = self._clock.now()
        answer = await self._answer_post(who, stream, text, reply_to, key, address)
        if isinstance(answer, Refused):
            outcome = "unknown" if answer.refusal is Refusal.UNCONFIRMED else "refused"
            self._metrics.posts.labels(outcome).inc()
            self._metrics.refusals.labels(answer.refusal.reason).inc()
        else:
            self._metrics.posts.labels("ok").inc()
            self._metrics.ack_seconds.observe(self._clock.now() - began)
        return answer

    @answered
    async def _answer_post(
        self, who: Identity | None, stream: str, text: str, reply_to: int | None, key: str, address: str
    ) -> Comment | Refused:
        return await self._posting.post(who, stream, text, reply_to, key, address)

    # -- everyone's deeds

    @answered
    async def like(self, who: Identity | None, stream: str, comment_id: int, on: bool = True) -> Refused | None:
        """Like a comment, or take it back; ids that nobody knows are ignored."""
        fan = await self._present(who, stream)
        if isinstance(fan, Refused):
            return fan
        if await self._comments.standing(stream, comment_id) is not None:
            await self._log.append(ev.Liked(stream, fan.id, comment_id, on))
        return None

    @answered
    async def report(self, who: Identity | None, stream: str, comment_id: int, why: str = "") -> Refused | None:
        """Ask moderators to look at a comment."""
        reporter = await self._present(who, stream)
        if isinstance(reporter, Refused):
            return reporter
        if await self._comments.standing(stream, comment_id) is None:
            return Refused(Refusal.NO_SUCH_COMMENT)
        await self._log.append(ev.Reported(stream, reporter.id, comment_id, normalize(why), self._clock.now_ms()))
        return None

    @answered
    async def remove(self, who: Identity | None, stream: str, comment_id: int, why: str = "") -> Refused | None:
        """Take a comment down: its author or a moderator. Gone from every read once this is answered."""
        remover = await self._present(who, stream)
        if isinstance(remover, Refused):
            return remover
        comment = (await self._comments.look(stream, comment_id)).comment
        if comment is None:
            return Refused(Refusal.NO_SUCH_COMMENT)
        if comment.user.id != remover.id and not await self._moderates(remover, stream):
            return Refused(Refusal.NOT_ALLOWED)
        await self._log.append(ev.Removed(stream, comment_id, remover.id, why))
        with logged():
            await self._store.remove(stream, [comment_id], remover.id)
            await self._timeline.take_down(stream, [comment_id], {})
            if comment.user.id != remover.id:
                await self._note(stream, remover, "remove", str(comment_id), why)
        return None

    @answered
    async def erase(self, who: Identity | None, user: str) -> int | Refused:
        """Forget all that the user wrote: that user or an admin. Until when (ms since 1970) the log may hold it."""
        eraser = speaker(who, self._clock.now_ms())
        if isinstance(eraser, Refused):
            return eraser
        if eraser.id != user and not eraser.is_admin:
            return Refused(Refusal.NOT_ALLOWED)
        now_ms = self._clock.now_ms()
        async with self._all_by(user) as upto:
            streams = sorted({*await self._store.wrote_in(user), *await self._ledger.forget(user)})
            with logged():
                for stream in streams:
                    await self._log.append(ev.Erased(stream, user, upto))
                await self._store.erase(user, upto)
                self._comments.forget(user)
                for stream in streams:
                    await self._timeline.cut(stream, user, upto)
        return now_ms + self._log_kept_ms

    # -- moderators' deeds

    @answered
    async def restore(self, who: Identity | None, stream: str, comment_id: int) -> Refused | None:
        """Undo a removal."""
        chair = await self._chair(who, stream)
        if isinstance(chair, Refused):
            return chair
        comment, was_removed = await self._comments.look(stream, comment_id)
        if comment is None or comment_id <= await self._store.erased_upto(comment.user.id):
            return Refused(Refusal.NO_SUCH_COMMENT)
        await self._timeline.put_back(stream, comment_id)  # before any frame restores it: else some get that without it
        try:
            await self._log.append(ev.Restored(stream, comment, chair.id))
        except Unconfirmed:
            raise
        except Unavailable:
            if was_removed:
                await self._timeline.take_down(stream, [comment_id], {})
            raise
        with logged():
            await self._store.restore(stream, comment_id)
            await self._note(stream, chair, "restore", str(comment_id))
        return None

    @answered
    async def pin(
        self, who: Identity | None, stream: str, comment_id: int, until_ms: int | None = None
    ) -> Refused | None:
        """Let a comment stand at the top until `until_ms` since 1970 (None: until it is unpinned)."""
        chair = await self._chair(who, stream)
        if isinstance(chair, Refused):
            return chair
        if until_ms is not None and until_ms <= self._clock.now_ms():
            return Refused(Refusal.BAD_MESSAGE, detail="The pin would have ended by now.")
        comment = await self._comments.standing(stream, comment_id)
        if comment is None:
            return Refused(Refusal.NO_SUCH_COMMENT)
        if len({*await self._store.pinned(stream), comment_id}) > PINS:
            return Refused(Refusal.BAD_MESSAGE, detail=f"A stream has at most {PINS} pins.")
        await self._log.append(ev.Pinned(stream, comment, chair.id, until_ms))
        with logged():
            await self._store.pin(stream, comment_id, until_ms)
            await self._note(stream, chair, "pin", str(comment_id))
        return None

    @answered
    async def unpin(self, who: Identity | None, stream: str, comment_id: int) -> Refused | None:
        """Take a pin down."""
        chair = await self._chair(who, stream)
        if isinstance(chair, Refused):
            return chair
        await self._unpin(stream, comment_id, chair.id)
        with logged():
            await self._note(stream, chair, "unpin", str(comment_id))
        return None

    async def sweep(self) -> None:
        """Let go of what is remembered for a while only; to be called every few seconds."""
        self._comments.sweep()

    async def unpin_expired(self) -> None:
        """Take down the pins whose end has come; raises `Unavailable`."""
        for stream, comment_id in await self._store.pins_over(self._clock.now_ms()):
            await self._unpin(stream, comment_id, "")

    async def _unpin(self, stream: str, comment_id: int, by: str) -> None:
        await self._log.append(ev.Unpinned(stream, comment_id, by))
        with logged():
            await self._store.unpin(stream, comment_id)

    @answered
    async def ban(
        self,
        who: Identity | None,
        stream: str,
        user: str,
        seconds: int | None = None,
        why: str = "",
        remove: bool = False,
    ) -> Refused | None:
        """Ban for so many seconds (None: for good), and take down what the user wrote here if asked to."""
        chair = await self._chair(who, stream)
        if isinstance(chair, Refused):
            return chair
        home = await self._streams.known(stream)
        if home and user == home.creator:
            return Refused(Refusal.NOT_ALLOWED, detail="Nobody bans a stream's creator.")
        if not is_id(user) or (seconds is not None and seconds < 1):
            return Refused(Refusal.BAD_MESSAGE, detail="A ban names a user id and, if it ends, a second or more.")
        until_ms = None if seconds is None else self._clock.now_ms() + seconds * 1000
        banned = ev.Banned(stream, user, 0, chair.id, until_ms, why, remove)
        if remove:
            async with self._all_by(user) as upto:
                banned = replace(banned, upto=upto)
                offset = await self._log.append(banned)
        else:
            offset = await self._log.append(banned)
        with logged():
            await self._apply_ban(banned, offset)
            await self._note(stream, chair, "ban", user, why)
        return None

    async def _apply_ban(self, banned: ev.Banned, offset: int) -> None:
        stream, user = banned.stream, banned.user
        await self._store.ban(stream, Ban(user, banned.until_ms, banned.why), offset)
        await self._ledger.ban(stream, user, banned.until_ms)
        if banned.remove:
            await self._store.remove_user(stream, user, banned.upto, banned.by)
            await self._timeline.take_down(stream, [], {user: banned.upto})

    @answered
    async def unban(self, who: Identity | None, stream: str, user: str) -> Refused | None:
        """Lift a ban."""
        chair = await self._chair(who, stream)
        if isinstance(chair, Refused):
            return chair
        offset = await self._log.append(ev.Unbanned(stream, user, chair.id))
        with logged():
            await self._store.unban(stream, user, offset)
            await self._ledger.unban(stream, user)
            await self._note(stream, chair, "unban", user)
        return None

    # -- streams

    @answered
    async def put_stream(
        self, who: Identity | None, stream: str, change: StreamChange
    ) -> tuple[Stream, bool] | Refused:
        """Make or change a stream; the stream, and whether it is new. What is absent in `change` stays."""
        owner = speaker(who, self._clock.now_ms())
        return owner if isinstance(owner, Refused) else await self._streams.put(owner, stream, change)

    @answered
    async def open_stream(self, stream: str, address: str = "") -> Stream | Refused | None:
        """The stream, made where whoever comes first may open streams; None where there is none.

        `address` is where whoever asks comes from (empty: this machine): it opens only so many a minute.
        """
        return await self._streams.opened(stream, address)

    @answered
    async def stream(self, stream: str) -> Stream | None:
        """The stream, as of a second ago at most; None where there is none."""
        return await self._streams.known(stream)

    @asynccontextmanager
    async def _all_by(self, user: str) -> AsyncIterator[int]:
        """An id that no accepted comment of the user is above, and every later one is, whatever the clocks do.

        Inside nothing by the user is accepted, so that all of it stands in the log before what is appended here.
        """
        written = await self._store.by_user(user, before=None, after=None, limit=1)
        newest = max((kept.comment.id for kept in written), default=0)
        floor = await self._ledger.lift(user, max(newest, self._ids.next(self._clock.now_ms())))
        try:
            yield floor
        finally:
            with suppress(Unavailable):  # then it ends by itself
                await self._ledger.settle(user, floor)

    # -- who may what

    async def _present(self, who: Identity | None, stream: str) -> Identity | Refused:
        """Somebody signed in, in a stream that there is."""
        someone = speaker(who, self._clock.now_ms())
        if isinstance(someone, Refused):
            return someone
        return someone if await self._streams.known(stream) else Refused(Refusal.NO_SUCH_STREAM)

    async def _chair(self, who: Identity | None, stream: str) -> Identity | Refused:
        """Somebody who keeps order in the stream."""
        someone = await self._present(who, stream)
        if isinstance(someone, Refused) or await self._moderates(someone, stream):
            return someone
        return Refused(Refusal.NOT_ALLOWED)

    async def _moderates(self, who: Identity, stream: str) -> bool:
        home = await self._streams.known(stream)
        return home is not None and who.moderates(stream, home.creator)

    async def _note(self, stream: str, by: Identity, deed: str, target: str, why: str = "") -> None:
        await self._store.note(stream, Deed(self._clock.now_ms(), by.id, deed, target, why))
