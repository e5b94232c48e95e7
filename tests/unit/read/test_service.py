"""What REST reads."""

import asyncio
from types import SimpleNamespace

import pytest

from tests.tools import TurnedClock, run
from uproar.core.comment import Comment, Parent, User
from uproar.core.ids import IdMaker, first_id_at
from uproar.core.stream import Stream
from uproar.read.replay import COMMENTS
from uproar.read.service import ReadService
from uproar.store.counting import counted
from uproar.store.memory import MemoryStore
from uproar.timeline import Gone, Snapshot
from uproar.wire.frames import shown


class Timeline:
    """What of the timeline is read here."""

    def __init__(self):
        self.away = {}
        self.comments = []

    async def gone(self, stream):
        return self.away.get(stream, Gone())

    async def snapshot(self, stream, limit):
        return Snapshot(None, self.comments[-limit:], [], {"❤": 4}, None)


class Presence:
    """Twelve thousand watch everything."""

    async def viewers(self, stream):
        return 12_000


def room():
    """A service over a fresh store, and how often that is read."""
    parts = SimpleNamespace(store=MemoryStore(), timeline=Timeline(), clock=TurnedClock(), reads=0)

    def count_read():
        parts.reads += 1

    store = counted(parts.store, count_read)
    parts.service = ReadService(store, parts.timeline, Presence(), parts.clock)
    return parts


def said(number, user="ann", stream="s", to=None):
    return Comment(number, stream, User(user, user), f"text {number}", to)


async def walk(ask, direction):
    """All pages' ids, following `next`."""
    pages, edge = [], "0" if direction == "after" else None
    while True:
        page = await ask(**{"before": None, "after": None, direction: edge and int(edge)})
        pages.append([int(one.id) for one in page.comments])
        edge = page.next
        if edge is None:
            return pages


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("before", [[7, 6, 5], [4, 3, 2], [1]]), ("after", [[3, 2, 1], [6, 5, 4], [7]])],
)
def test_next_goes_on_in_the_same_direction(direction, expected):
    async def main():
        parts = room()
        await parts.store.save([said(number) for number in range(1, 8)])
        assert await walk(lambda **asked: parts.service.page("s", limit=3, **asked), direction) == expected
        assert await walk(lambda **asked: parts.service.by_user("ann", limit=3, **asked), direction) == expected

    run(main())


def test_a_full_last_page_has_no_next():
    async def main():
        parts = room()
        await parts.store.save([said(number) for number in range(1, 4)])
        page = await parts.service.page("s", before=None, after=None, limit=3)
        assert [one.id for one in page.comments] == ["3", "2", "1"]
        assert page.next is None

    run(main())


def test_replies_go_on_upwards():
    async def main():
        parts = room()
        await parts.store.save([said(number, to=Parent(1, "ann", "text 1")) for number in (2, 3, 4)])
        first = await parts.service.replies("s", 1, after=None, limit=2)
        rest = await parts.service.replies("s", 1, after=int(first.next), limit=2)
        assert [one.id for one in first.comments] == ["2", "3"]
        assert ([one.id for one in rest.comments], rest.next) == (["4"], None)

    run(main())


def test_what_the_timeline_says_is_gone_is_gone_from_every_read():
    async def main():
        parts = room()
        await parts.store.put_stream(Stream("s", started_at=parts.clock.now_ms()))
        one = first_id_at(parts.clock.now_ms())
        parent = Parent(one, "ann", "text")
        await parts.store.save(
            [said(one), said(one + 1, "bob", to=parent), said(one + 2, "bob", to=Parent(9, "x", ""))]
        )
        parts.timeline.away["s"] = Gone(1, frozenset({one}), {})
        service = parts.service
        page = await service.page("s", before=None, after=None, limit=10)
        replay = await service.replay("s", 0, 1000)
        assert await service.comment("s", one) is None
        assert (await service.kept("s", one)).comment == said(one)
        assert [(c.id, c.reply_to.text) for c in page.comments] == [(str(one + 2), ""), (str(one + 1), "")]
        assert [c.id for c in replay.comments] == [str(one + 1), str(one + 2)]
        assert (await service.by_user("ann", before=None, after=None, limit=10)).comments == []
        assert (await service.replies("s", one, after=None, limit=10)).comments[0].reply_to.text == ""

    run(main())


def test_a_stream_s_facts():
    async def main():
        parts = room()
        assert await parts.service.stream("s") is None
        now = parts.clock.now_ms()
        await parts.store.put_stream(Stream("s", "Title", "ann", now))
        comments = [said(first_id_at(now - 1000) + number) for number in range(5)]
        await parts.store.save(comments)
        parts.timeline.comments = [shown(comment) for comment in comments]
        facts = await parts.service.stream("s")
        assert (facts.title, facts.viewers, facts.comments, facts.comments_per_s) == ("Title", 12_000, 5, 0.5)
        assert (facts.reactions, facts.heat) == ({"❤": 4}, "busy")

    run(main())


def test_a_part_holds_its_ten_seconds_and_may_be_kept_once_over():
    async def main():
        parts = room()
        start = parts.clock.now_ms()
        await parts.store.put_stream(Stream("s", started_at=start))
        await parts.store.save([said(first_id_at(start + at)) for at in (9_999, 10_000, 19_999, 20_000)])
        await parts.store.react("s", "g", 1, start + 12_000, {"❤": 3})
        replay, over = await parts.service.replay_part("s", 1)
        assert [one.at - start for one in replay.comments] == [10_000, 19_999]
        assert list(replay.reactions.values()) == [{"❤": 3}]
        assert (replay.from_ms, replay.to_ms, replay.next_ms, over) == (10_000, 20_000, None, False)
        parts.clock.turn(60)
        assert (await parts.service.replay_part("s", 1)).over
        assert await parts.service.replay_part("nowhere", 1) is None
        assert await parts.service.replay("nowhere", 0, 1) is None

    run(main())


def test_a_crowded_span_is_told_in_several_answers_each_comment_once():
    async def main():
        parts = room()
        start = parts.clock.now_ms()
        await parts.store.put_stream(Stream("s", started_at=start))
        ids = IdMaker(1)
        made = [ids.next(start + number // 7) for number in range(COMMENTS + 50)]
        await parts.store.save([said(number) for number in made])
        told, at = [], 0
        while at is not None:
            replay = await parts.service.replay("s", at, 10_000)
            told += [int(one.id) for one in replay.comments]
            at = replay.next_ms
        assert told == made

    run(main())


def test_reads_that_are_alike_at_once_are_one_read_of_the_store():
    async def main():
        parts = room()
        await parts.store.save([said(1)])
        asked = [parts.service.page("s", before=None, after=None, limit=10) for _ in range(50)]
        pages = await asyncio.gather(*asked, parts.service.page("s", before=9, after=None, limit=10))
        assert {page.comments[0].id for page in pages} == {"1"}
        assert parts.reads == 2

    run(main())
