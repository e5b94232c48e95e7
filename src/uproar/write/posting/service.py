"""Posting: judge, number, ask, append; and what a retry gets."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

from uproar.auth import Identity
from uproar.core.aging import Aging
from uproar.core.clock import Clock
from uproar.core.comment import Comment, Parent
from uproar.core.errors import Unavailable, Unconfirmed
from uproar.core.events import Posted
from uproar.core.refusal import Refusal, Refused
from uproar.core.stream import Stream
from uproar.core.text import normalize, preview
from uproar.ledger import Ask, Known, Ledger
from uproar.log import Log
from uproar.store import Store
from uproar.write.checks import NEW_REPUTATION, Draft, digest, judge, question, speaker
from uproar.write.comments.service import Comments
from uproar.write.streams.service import Streams

REPUTATIONS = 100_000
REPUTATION_S = 60.0
"""A reputation is read anew after a minute; so many users' are remembered."""

_T = TypeVar("_T")


class Ids(Protocol):
    """Makes comment ids."""

    def next(self, now_ms: int) -> int:
        """An id above all before it; raises `Unavailable`."""


class Posting:
    """Takes comments; everything raises `Unavailable` when a part is down."""

    def __init__(
        self, log: Log, store: Store, ledger: Ledger, clock: Clock, ids: Ids, streams: Streams, comments: Comments
    ) -> None:
        self._log = log
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._ids = ids
        self._streams = streams
        self._comments = comments
        self._reputations: Aging[str, float] = Aging(REPUTATIONS)
        self._under_way: dict[tuple[str, str, str], asyncio.Event] = {}

    async def post(
        self, who: Identity | None, stream: str, text: str, reply_to: int | None, key: str, address: str
    ) -> Comment | Refused:
        """The comment once the log has it; a retry under the same `key` (empty: none) gives the first one."""
        author = speaker(who, self._clock.now_ms())
        if isinstance(author, Refused):
            return author
        home = await self._streams.opened(stream, address)
        if not isinstance(home, Stream):
            return home or Refused(Refusal.NO_SUCH_STREAM)
        draft = Draft(author, home, normalize(text))
        if not key:
            return await self._post(draft, reply_to, key)
        return await self._one_by_one((stream, author.id, key), partial(self._post, draft, reply_to, key))

    async def _one_by_one(self, key: tuple[str, str, str], post: Callable[[], Awaitable[_T]]) -> _T:
        """A retry waits for the attempt before it: else it could be kept while that one gives the key up."""
        while key in self._under_way:
            await self._under_way[key].wait()
        done = self._under_way[key] = asyncio.Event()
        try:
            return await post()
        finally:
            del self._under_way[key]
            done.set()

    async def _post(self, draft: Draft, reply_to: int | None, key: str) -> Comment | Refused:
        parent = await self._parent(draft, reply_to)
        refusal = judge(draft)
        if refusal is None and reply_to is not None and parent is None:
            refusal = Refusal.NO_SUCH_COMMENT
        if refusal is None:
            return await self._number(draft, parent, key)
        known = await self._ledger.known(draft.stream.id, draft.who.id, key)
        return await self._repeat(draft, parent, known, key) if known else Refused(refusal)

    async def _parent(self, draft: Draft, reply_to: int | None) -> Comment | None:
        return None if reply_to is None else await self._comments.standing(draft.stream.id, reply_to)

    async def _number(self, draft: Draft, parent: Comment | None, key: str) -> Comment | Refused:
        reputation = await self._reputation(draft.who.id)
        await self._ledger.recall(draft.stream.id, draft.who.id, key)
        now_ms = self._clock.now_ms()
        ask = question(draft, self._ids.next(now_ms), key, reputation, now_ms)
        standing = await self._ledger.standing(ask)
        if isinstance(standing, Known):
            return await self._repeat(draft, parent, standing, key)
        return standing or await self._say(_comment(draft, parent, ask.id), ask)

    async def _say(self, comment: Comment, ask: Ask) -> Comment:
        try:
            return await self._keep(Posted(comment.stream, comment, ask.key))
        except Unconfirmed:
            raise  # perhaps kept: the key stays, so that a retry gets the same id
        except Unavailable:
            await self._ledger.release(ask)
            raise

    async def _repeat(self, draft: Draft, parent: Comment | None, known: Known, key: str) -> Comment | Refused:
        """A retry gives the first comment; where nobody has that it was perhaps not kept, and is appended again."""
        if known.digest != digest(draft.text):
            return Refused(Refusal.BAD_MESSAGE, detail="Another text came with this key before.")
        found = await self._comments.look(draft.stream.id, known.id, draft.who.id)
        if found.removed:
            return Refused(Refusal.NO_SUCH_COMMENT)
        return found.comment or await self._keep(
            Posted(draft.stream.id, _comment(draft, parent, known.id), key, again=True)
        )

    async def _keep(self, posted: Posted) -> Comment:
        await self._log.append(posted)
        self._comments.remember(posted.comment)
        return posted.comment

    async def _reputation(self, user: str) -> float:
        """0 to 1. While the store is down posting goes on, and who is not remembered counts as new."""
        now = self._clock.now()
        remembered = self._reputations.get(user, now)
        if remembered is not None:
            return remembered
        try:
            found = await self._store.reputation(user)
        except Unavailable:
            return NEW_REPUTATION
        reputation = NEW_REPUTATION if found is None else found
        self._reputations.put(user, reputation, now, now + REPUTATION_S)
        return reputation


def _comment(draft: Draft, parent: Comment | None, comment_id: int) -> Comment:
    stream = draft.stream
    author = draft.who.user_in(stream.id, stream.creator)
    answers = Parent(parent.id, parent.user.id, preview(parent.text)) if parent else None
    return Comment(comment_id, stream.id, author, draft.text, answers)
