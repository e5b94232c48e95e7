"""What every log promises. A new log joins by one line in LOGS."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.tools import TurnedClock, run
from uproar.core.comment import Comment, User
from uproar.core.errors import Overloaded, Unavailable
from uproar.core.events import Posted, Removed
from uproar.log import Log
from uproar.log.embedded import LOOK_S, keyed
from uproar.log.memory import MemoryLog
from uproar.log.sqlite import SqliteLog
from uproar.log.tail import Tail
from uproar.sqlite import Database

HOUR_S = 3600


class MemoryKind:
    """Its log lives as long as the kind: closing and opening it again finds it as it was."""

    def __init__(self, path, clock):
        self._log = MemoryLog(clock, retention_h=1)

    @asynccontextmanager
    async def opened(self):
        yield self._log
        await self._log.close()


class SqliteKind:
    """Its log lives in a file."""

    def __init__(self, path, clock):
        self._path = path / "uproar.db"
        self._clock = clock

    @asynccontextmanager
    async def opened(self):
        database = Database(self._path)
        log = await SqliteLog.open(database, self._clock, retention_h=1)
        try:
            yield log
        finally:
            await log.close()
            await database.close()


LOGS = {"memory": MemoryKind, "sqlite": SqliteKind}

Promise = Callable[[Log], Awaitable[None]]


@pytest.fixture
def clock():
    return TurnedClock()


@pytest.fixture(params=LOGS)
def kind(request, tmp_path, clock):
    return LOGS[request.param](tmp_path, clock)


@pytest.fixture
def check(kind):
    """Runs `async` checks one after another, each on the log closed and opened again."""

    def checked(*promises: Promise) -> None:
        async def main():
            for promise in promises:
                async with kind.opened() as log:
                    await promise(log)

        run(main())

    return checked


def posted(number, text="hello", key="", again=False, stream="s", user="ann"):
    return Posted(stream, Comment(number, stream, User(user, user), text), key, again)


async def ids(reader, limit=100, wait_s=0.0):
    return [record.event.comment.id for record in await reader.read(limit, wait_s)]


def test_events_come_back_whole_in_the_order_of_their_offsets(check):
    events = [posted(1), Removed("s", 1, "mod", "spam"), posted(2, "日本", stream="t")]

    async def promise(log):
        offsets = [await log.append(event) for event in events]
        records = await log.reader("g").read(10, 0)
        assert [(record.offset, record.event) for record in records] == list(zip(offsets, events, strict=True))
        assert offsets == sorted(set(offsets))

    check(promise)


def test_a_read_gives_at_most_the_limit_and_the_next_goes_on(check):
    async def promise(log):
        for number in range(5):
            await log.append(posted(number))
        reader = log.reader("g")
        assert [await ids(reader, 2) for _ in range(4)] == [[0, 1], [2, 3], [4], []]

    check(promise)


def test_nothing_appended_is_lost_when_it_is_opened_again(check):
    async def before(log):
        for number in range(100):
            await log.append(posted(number))

    async def after(log):
        assert await ids(log.reader("g")) == list(range(100))
        await log.append(posted(100))
        assert await ids(log.reader("h"), 1000) == list(range(101))

    check(before, after)


def test_the_next_reader_starts_above_the_commit(check):
    async def before(log):
        for number in range(4):
            await log.append(posted(number))
        first = log.reader("g")
        records = await first.read(3, 0)
        await first.commit(records[1].offset)
        assert await ids(log.reader("g")) == [2, 3]

    async def after(log):
        assert await ids(log.reader("g")) == [2, 3]

    check(before, after)


def test_a_commit_never_goes_back(check):
    async def promise(log):
        offsets = [await log.append(posted(number)) for number in range(3)]
        reader = log.reader("g")
        await reader.commit(offsets[1])
        await reader.commit(offsets[0])
        assert await ids(log.reader("g")) == [2]

    check(promise, lambda log: _reads(log, [2]))


async def _reads(log, expected):
    assert await ids(log.reader("g")) == expected


def test_groups_read_at_their_own_pace(check):
    async def promise(log):
        for number in range(3):
            await log.append(posted(number))
        one, other = log.reader("one"), log.reader("other")
        assert await ids(one, 2) == [0, 1]
        assert await ids(other) == [0, 1, 2]
        assert await ids(one) == [2]

    check(promise)


def test_offsets_grow_on_after_all_was_trimmed(check, clock):
    offsets = []

    async def before(log):
        offsets.append(await log.append(posted(1)))
        await log.reader("g").commit(offsets[0])
        clock.turn(2 * HOUR_S)
        assert await log.trim(clock.now_ms()) == 1

    async def after(log):
        assert await log.append(posted(2)) > offsets[0]
        assert await ids(log.reader("g")) == [2]

    check(before, after)


def test_trim_takes_only_what_is_old_and_what_every_group_committed(check, clock):
    async def promise(log):
        old = [await log.append(posted(number)) for number in range(3)]
        slow, fast = log.reader("slow"), log.reader("fast")
        assert await log.trim(clock.now_ms()) == 0, "young"
        clock.turn(2 * HOUR_S)
        await fast.commit(old[2])
        assert await log.trim(clock.now_ms()) == 0, "one group has not committed"
        await slow.commit(old[1])
        assert await log.trim(clock.now_ms()) == 2
        assert await ids(log.reader("new")) == [2]

    check(promise)


def test_lag_counts_what_a_group_has_yet_to_commit(check, clock):
    async def promise(log):
        assert await log.lag("g") == 0
        offsets = [await log.append(posted(number)) for number in range(5)]
        assert await log.lag("g") == 5
        await log.reader("g").commit(offsets[2])
        assert await log.lag("g") == 2
        clock.turn(2 * HOUR_S)
        await log.trim(clock.now_ms())
        assert await log.lag("g") == 2
        assert await log.lag("new") == 2, "what was trimmed is nobody's to commit"

    check(promise)


def test_a_waiting_reader_wakes_when_something_comes(check):
    async def promise(log):
        readers = [log.reader(group) for group in "abc"]
        waiting = [asyncio.create_task(ids(reader, 10, 3600)) for reader in readers]
        await asyncio.sleep(0)
        await log.append(posted(7))
        assert await asyncio.gather(*waiting) == [[7]] * 3

    check(promise)


def test_a_reader_waits_until_as_many_are_there_as_it_wants(check):
    async def promise(log):
        waiting = asyncio.create_task(log.reader("g").read(10, 3600, 3))
        for number in range(2):
            await log.append(posted(number))
            await asyncio.sleep(0)
        assert not waiting.done()
        await log.append(posted(2))
        assert [record.event.comment.id for record in await waiting] == [0, 1, 2]

    check(promise)


def test_a_reader_that_wants_more_than_come_gets_what_is_there_after_its_wait(check):
    async def promise(log):
        await log.append(posted(1))
        assert [record.event.comment.id for record in await log.reader("g").read(10, 0.001, 3)] == [1]

    check(promise)


def test_a_read_without_anything_ends_after_its_wait(check):
    async def promise(log):
        assert list(await log.reader("g").read(10, 0.001)) == []

    check(promise)


def test_a_cancelled_read_loses_nothing(check):
    async def promise(log):
        reader = log.reader("g")
        for number in range(50):
            reading = asyncio.create_task(reader.read(10, 3600))
            await asyncio.sleep(0)
            appending = asyncio.create_task(log.append(posted(number)))
            for _ in range(number % 7):
                await asyncio.sleep(0)
            reading.cancel()
            await appending
            (got,) = await asyncio.gather(reading, return_exceptions=True)
            if isinstance(got, asyncio.CancelledError):
                assert await ids(reader) == [number]
            else:
                assert [record.event.comment.id for record in got] == [number]

    check(promise)


def test_a_cancelled_append_leaves_no_hole_and_loses_no_other(check):
    async def promise(log):
        tasks = [asyncio.create_task(log.append(posted(number))) for number in range(200)]
        await asyncio.sleep(0)
        for task in tasks[::3]:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        answered = {number for number, end in enumerate(ends) if isinstance(end, int)}
        await log.append(posted(1000))
        seen = await ids(log.reader("g"), 1000)
        assert answered <= set(seen)
        assert len(seen) == len(set(seen))
        assert seen == sorted(seen)

    check(promise)


def test_appends_keep_their_order_also_while_the_log_looks_how_far_its_groups_are(check, clock):
    async def promise(log):
        log.reader("g")
        await log.append(posted(0))
        clock.turn(LOOK_S)
        offsets = await asyncio.gather(*(log.append(posted(number)) for number in range(1, 50)))
        assert offsets == sorted(offsets)

    check(promise)


def test_a_thousand_appends_at_once_are_all_kept_in_order(check):
    async def before(log):
        offsets = await asyncio.gather(*(log.append(posted(number)) for number in range(1000)))
        assert offsets == sorted(set(offsets))
        assert await ids(log.reader("g"), 2000) == list(range(1000))

    check(before, lambda log: _reads_all(log, 1000))


async def _reads_all(log, count):
    reader, seen = log.reader("g"), []
    while some := await ids(reader, 300):
        seen += some
    assert seen == list(range(count))


def test_a_reader_far_behind_gets_everything_while_more_comes(check, monkeypatch):
    monkeypatch.setattr("uproar.log.sqlite.Tail", partial(Tail, records=10))

    async def promise(log):
        reader, seen = log.reader("g"), []
        for number in range(0, 300, 30):
            await asyncio.gather(*(log.append(posted(n)) for n in range(number, number + 30)))
            seen += await ids(reader, 17)
        while some := await ids(reader, 17):
            seen += some
        assert seen == list(range(300))

    check(promise)


# -- keys


def test_a_retry_of_a_kept_key_appends_nothing_and_returns_the_first_offset(check):
    first = []

    async def before(log):
        first.append(await log.append(posted(1, key="k")))
        assert await log.append(posted(1, key="k", again=True)) == first[0]

    async def after(log):
        assert await log.append(posted(1, key="k", again=True)) == first[0]
        assert await ids(log.reader("g")) == [1]

    check(before, after)


def test_a_key_is_of_its_stream_and_user(check):
    async def promise(log):
        events = [posted(1, key="k"), posted(2, key="k", user="bob"), posted(3, key="k", stream="t"), posted(4)]
        assert len({await log.append(event) for event in events}) == 4

    check(promise)


def test_another_comment_under_a_kept_key_is_refused_and_not_kept(check):
    async def promise(log):
        await log.append(posted(1, key="k"))
        with pytest.raises(Unavailable):
            await log.append(posted(2, key="k"))
        assert await ids(log.reader("g")) == [1]

    check(promise)


def test_a_key_is_forgotten_after_ten_minutes(check, clock):
    async def promise(log):
        await log.append(posted(1, key="k"))
        clock.turn(599)
        assert await log.first("s", "ann", "k") is not None
        clock.turn(1)
        assert await log.first("s", "ann", "k") is None
        await log.append(posted(2, key="k"))
        assert (await log.first("s", "ann", "k"))[0] == 2
        await log.trim(clock.now_ms())
        assert (await log.first("s", "ann", "k"))[0] == 2

    check(promise)


def test_first_tells_the_comment_and_the_digest_of_its_text(check):
    texts = ["one", "two", "three", "four", "five"]  # digests with and without the highest bit

    async def before(log):
        for number, text in enumerate(texts):
            await log.append(posted(number, text, key=text))

    async def after(log):
        found = [await log.first("s", "ann", text) for text in texts]
        assert found == [(n, keyed(posted(n, text, "k")).digest) for n, text in enumerate(texts)]
        assert await log.first("s", "ann", "never") is None

    check(before, after)


def test_since_gives_what_was_kept_in_the_span_oldest_first(check, clock):
    async def before(log):
        await log.append(posted(1))
        clock.turn(60)
        await log.append(posted(2))
        await log.append(Removed("s", 1, "mod"))
        clock.turn(60)
        await log.append(posted(3))

    async def after(log):
        assert await log.since(clock.now_ms() - 60_000) == [posted(2), Removed("s", 1, "mod"), posted(3)]

    check(before, after)


# -- dead letters and groups far behind


def test_a_buried_record_is_kept_once_with_the_reason(check, clock):
    async def before(log):
        await log.append(posted(1))
        reader = log.reader("g")
        (record,) = await reader.read(1, 0)
        await reader.bury(record, "no such thing")
        await reader.bury(record, "no such thing")

    async def after(log):
        (letter,) = await log.dead_letters()
        assert (letter.group, letter.why, letter.at_ms) == ("g", "no such thing", clock.now_ms())
        clock.turn(2 * HOUR_S)
        await log.trim(clock.now_ms())
        assert await log.dead_letters() == []

    check(before, after)


def test_dead_letters_are_bounded_and_the_newest_stay(check, monkeypatch):
    for kind in ("memory", "sqlite"):
        monkeypatch.setattr(f"uproar.log.{kind}.DEAD_LETTERS", 3)

    async def promise(log):
        offsets = [await log.append(posted(number)) for number in range(5)]
        reader = log.reader("g")
        for record in await reader.read(5, 0):
            await reader.bury(record, "bad")
        assert [letter.offset for letter in await log.dead_letters()] == offsets[-3:]

    check(promise)


def test_appends_are_refused_while_a_group_is_three_quarters_of_the_retention_behind(check, clock):
    async def promise(log):
        reader = log.reader("g")
        offset = await log.append(posted(1))
        clock.turn(0.75 * HOUR_S)
        assert await log.append(posted(2)) > offset
        clock.turn(6)
        with pytest.raises(Overloaded):
            await log.append(posted(3))
        assert await log.behind_ms() == 0.75 * HOUR_S * 1000 + 6000
        await reader.commit(offset + 1)
        clock.turn(6)
        await log.append(posted(4))

    check(promise)
