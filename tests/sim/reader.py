"""Walks through pages while things happen: nothing that stands all the while is skipped, nothing comes twice."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from tests.sim.house import House
from tests.sim.record import Record
from uproar.core.errors import Unavailable
from uproar.read.service import Page, ReadService
from uproar.store import PAGE_LIMIT, Kept
from uproar.wire.codec import encode

ALL_DAY_MS = 86_400_000

Ask = Callable[[int | None], Coroutine[Any, Any, Page]]
Standing = Callable[[], Coroutine[Any, Any, list[Kept]]]


class Walk:
    """One reader's way through pages of `limit` comments, each asked for until it comes."""

    def __init__(self, record: Record, house: House, read: ReadService, limit: int, patience_s: float) -> None:
        self._record = record
        self._house = house
        self._store = house.store
        self._read = read
        self._limit = limit
        self._patience_s = patience_s

    async def page(self, stream: str, *, upwards: bool) -> list[int] | None:
        """The stream's history, from one end to the other; None when the reader gave up."""

        async def standing() -> list[Kept]:
            return list(await self._store.page(stream, before=None, after=None, limit=PAGE_LIMIT))

        def down(at: int | None) -> Coroutine[Any, Any, Page]:
            return self._read.page(stream, before=at, after=None, limit=self._limit)

        def up(at: int | None) -> Coroutine[Any, Any, Page]:
            return self._read.page(stream, before=None, after=at or 0, limit=self._limit)

        return await self._walk(f"pages of {stream}", up if upwards else down, standing, upwards, newest_first=True)

    async def replies(self, stream: str) -> list[int] | None:
        """All replies to one comment, oldest first."""
        kept = await self._store.page(stream, before=None, after=None, limit=PAGE_LIMIT)
        parents = [one.comment.reply_to.id for one in kept if one.comment.reply_to]
        if not parents:
            return []
        parent = self._house.dice.choice(parents)

        async def standing() -> list[Kept]:
            return list(await self._store.replies(stream, parent, after=None, limit=PAGE_LIMIT))

        def above(at: int | None) -> Coroutine[Any, Any, Page]:
            return self._read.replies(stream, parent, after=at, limit=self._limit)

        return await self._walk(f"replies to {parent}", above, standing, True, newest_first=False)

    async def by_user(self, user: str) -> list[int] | None:
        """All that a user wrote, newest first."""

        async def standing() -> list[Kept]:
            kept = await self._store.by_user(user, before=None, after=None, limit=PAGE_LIMIT)
            return [one for one in kept if not one.removed_by]

        def below(at: int | None) -> Coroutine[Any, Any, Page]:
            return self._read.by_user(user, before=at, after=None, limit=self._limit)

        return await self._walk(f"pages of {user}", below, standing, False, newest_first=True)

    async def replay(self, stream: str) -> None:
        """All that was said since the stream began: nothing in it may be gone."""
        asked_s = self._house.loop.time()
        replay = await self._patiently(lambda: self._read.replay(stream, 0, ALL_DAY_MS))
        for comment in _plain(replay.comments) if replay else ():
            self._record.saw(comment, asked_s, f"the replay of {stream}")

    async def _walk(
        self, name: str, ask: Ask, standing: Standing, upwards: bool, *, newest_first: bool
    ) -> list[int] | None:
        before = await standing()
        met: list[int] = []
        at: int | None = None
        while True:
            asked_s = self._house.loop.time()
            page = await self._patiently(lambda: ask(at))
            if page is None:
                return None
            comments = _plain(page.comments)
            for comment in comments:
                self._record.saw(comment, asked_s, name)
            ids = [int(comment["id"]) for comment in comments]
            met += reversed(ids) if upwards and newest_first else ids
            if page.next is None:
                break
            at = int(page.next)
        self._judge(name, met, before, await standing(), upwards)
        return met

    def _judge(self, name: str, met: list[int], before: list[Kept], after: list[Kept], upwards: bool) -> None:
        if met != sorted(set(met), reverse=not upwards):
            self._record.breaks("pages", f"{name} come out of order or twice: {met}")
        stayed = {one.comment.id for one in before}
        for comment in [one.comment for one in after if one.comment.id in stayed.difference(met)]:
            if not self._record.may_be_gone(comment.id, comment.user.id):
                self._record.breaks("pages", f"{name} skip {comment.id}")

    async def _patiently(self, ask: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """The answer, asked for again while it is refused; None when none comes."""
        for _ in range(20):
            asking = self._house.begin(_tried(ask))
            await asyncio.wait([asking], timeout=self._patience_s)
            if not asking.done():
                return None
            if asking.result() is not None:
                return asking.result()
            await asyncio.sleep(0.05)
        return None


async def _tried(ask: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    try:
        return await ask()
    except Unavailable:
        return None


def _plain(things: list[Any]) -> list[dict]:
    """As JSON has them."""
    return msgspec.json.decode(encode(things))
