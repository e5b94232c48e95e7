"""What every timeline promises. A new timeline joins by one line in TIMELINES."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.tools import TurnedClock, run
from tests.unit.fanout import events as said
from uproar.core.position import Position
from uproar.fanout.gather import gather
from uproar.sqlite import Database
from uproar.timeline import Liking, Timeline
from uproar.timeline.memory import MemoryTimeline
from uproar.timeline.sqlite import SqliteTimeline
from uproar.wire.codec import encode, read_batch
from uproar.wire.deflate import deflate_alone
from uproar.wire.frames import Batch, Frame, Joined, PosterRules, shown
from uproar.wire.picture import Picture

STREAM = said.STREAM
RULES = PosterRules(500, 0, (), "live")
LIKED_BEFORE = {7: frozenset({"ann", "bob"})}


async def likes_before(stream, ids):
    """What the store knows of likes."""
    return {comment_id: LIKED_BEFORE.get(comment_id, frozenset()) for comment_id in ids}


class MemoryKind:
    """It ends with the process."""

    outlives = False

    def __init__(self, path, clock):
        self._timeline = MemoryTimeline(clock, likes_before)

    @asynccontextmanager
    async def opened(self):
        yield self._timeline
        await self._timeline.close()


class SqliteKind:
    """It lives in a file, and every opening is a restart."""

    outlives = True

    def __init__(self, path, clock):
        self._path = path / "uproar.db"
        self._clock = clock

    @asynccontextmanager
    async def opened(self):
        database = Database(self._path)
        timeline = SqliteTimeline(database, self._clock, likes_before)
        try:
            yield timeline
        finally:
            await timeline.close()
            await database.close()


TIMELINES = {"memory": MemoryKind, "sqlite": SqliteKind}
Promise = Callable[[Timeline], Awaitable[None]]


@pytest.fixture
def clock():
    return TurnedClock()


@pytest.fixture(params=TIMELINES)
def kind(request, tmp_path, clock):
    return TIMELINES[request.param](tmp_path, clock)


@pytest.fixture
def check(kind):
    """Runs `async` checks one after another, each on the timeline closed and opened again."""

    def checked(*promises: Promise) -> None:
        async def main():
            for promise in promises:
                async with kind.opened() as timeline:
                    await promise(timeline)

        run(main())

    return checked


@pytest.fixture
def check_restarts(kind, check):
    """The same, for what only kinds that outlive their process can promise."""
    if not kind.outlives:
        pytest.skip("this kind ends with its process")
    return check


def frame_of(top, at_ms=TurnedClock().now_ms(), upto=None, **fields):
    """The frame that fits the top, with these fields in its batch."""
    number = top.number + 1
    plain = encode(Batch(f"{top.epoch}.{number}", **fields))
    upto = top.upto + 1 if upto is None else upto
    return Frame(STREAM, top.epoch, number, top.checksum, upto, at_ms, plain, deflate_alone(plain))


async def add(timeline, at_ms=TurnedClock().now_ms(), **fields):
    """Extend the chain by a batch of these fields; the frame."""
    frame = frame_of(await timeline.top(STREAM), at_ms, **fields)
    assert await timeline.extend(frame)
    return frame


async def add_events(timeline, *events):
    """Extend the chain by one window of these events; the batch."""
    net = gather(events, await timeline.gone(STREAM), range(1000))
    liked = await timeline.like(STREAM, net.likings)
    top = await timeline.top(STREAM)
    batch = net.batch(f"{top.epoch}.{top.number + 1}", liked)
    plain = encode(batch)
    frame = Frame(STREAM, top.epoch, top.number + 1, top.checksum, top.upto + 1, 0, plain, b"")
    assert await timeline.extend(replace(frame, at_ms=TurnedClock().now_ms(), alone=deflate_alone(plain)))
    return batch


def see(number, user="ann", text="hello", to=None):
    return shown(said.comment(number, user, text, to))


A, B = said.comment(1, "ann"), said.comment(2, "bob")
REPLY = said.comment(3, "bob", "hi Ann", A)


async def snapshot_ids(timeline, limit=1000):
    return [int(comment.id) for comment in (await timeline.snapshot(STREAM, limit)).comments]


async def batches_since(timeline, position):
    frames = await timeline.since(STREAM, position)
    return None if frames is None else [read_batch(frame.plain) for frame in frames]


# -- the chain


def test_a_chain_begins_with_an_epoch_and_nothing(check):
    async def promise(timeline):
        top = await timeline.top(STREAM)
        assert top.epoch
        assert top[1:] == (0, 0, 0)
        assert await timeline.top(STREAM) == top
        assert (await timeline.top("other")).epoch != top.epoch
        assert await timeline.since(STREAM, Position(top.epoch, 0)) == ()

    check(promise)


def test_a_frame_that_fits_is_the_new_top(check):
    async def promise(timeline):
        frame = await add(timeline, upto=42)
        assert await timeline.top(STREAM) == (frame.epoch, 1, frame.checksum, 42)

    check(promise)


@pytest.mark.parametrize(
    "change", [{"epoch": "another"}, {"number": 1}, {"number": 3}, {"before": 1}], ids=lambda change: str(change)
)
def test_a_frame_that_does_not_fit_is_refused_and_changes_nothing(check, change):
    async def promise(timeline):
        await add(timeline, comments=[see(1)])
        heard = []
        timeline.subscribe(STREAM, heard.append)
        top = await timeline.top(STREAM)
        assert not await timeline.extend(replace(frame_of(top, comments=[see(2)], removed=["1"]), **change))
        assert await timeline.top(STREAM) == top
        assert await snapshot_ids(timeline) == [1]
        assert (await timeline.gone(STREAM)).version == 0
        assert heard == []

    check(promise)


def test_of_two_owners_that_race_one_wins(check):
    async def promise(timeline):
        for _ in range(5):
            top = await timeline.top(STREAM)
            frames = [frame_of(top, comments=[see(10 * top.number + number)]) for number in range(1, 5)]
            outcomes = await asyncio.gather(*(timeline.extend(frame) for frame in frames))
            assert sorted(outcomes) == [False, False, False, True]
            assert (await timeline.top(STREAM)).checksum == frames[outcomes.index(True)].checksum

    check(promise)


@pytest.mark.parametrize("turns", range(6))
def test_an_extend_that_is_cancelled_is_wholly_in_or_wholly_out(check, turns):
    async def cancelled(timeline):
        await add(timeline)
        top = await timeline.top(STREAM)
        first, second = frame_of(top, comments=[see(1)]), frame_of(top, comments=[see(2)])
        task = asyncio.ensure_future(timeline.extend(first))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        is_in = await timeline.extend(second)
        await asyncio.gather(task, return_exceptions=True)
        top = await timeline.top(STREAM)
        assert top.number == 2
        assert top.checksum == (second if is_in else first).checksum
        assert await snapshot_ids(timeline) == [2 if is_in else 1]
        await add(timeline)

    async def afterwards(timeline):
        top = await timeline.top(STREAM)
        assert top.number in (0, 3)  # a kind that ends with its process may have begun anew

    check(cancelled, afterwards)


# -- reading it


def test_since_gives_every_frame_above_in_order(check):
    async def promise(timeline):
        epoch = (await timeline.top(STREAM)).epoch
        frames = [await add(timeline, comments=[see(number)]) for number in range(1, 6)]
        for number in range(6):
            assert list(await timeline.since(STREAM, Position(epoch, number))) == frames[number:]

    check(promise)


@pytest.mark.parametrize("number", [3, 99])
def test_since_a_position_above_the_top_is_none(check, number):
    async def promise(timeline):
        frame = await add(timeline)
        assert await timeline.since(STREAM, Position(frame.epoch, number)) is None

    check(promise)


def test_since_a_position_of_another_epoch_is_none(check):
    async def promise(timeline):
        await add(timeline)
        assert await timeline.since(STREAM, Position("another", 1)) is None

    check(promise)


def test_since_is_none_once_a_frame_of_it_left(check, clock):
    async def promise(timeline):
        first = await add(timeline, at_ms=clock.now_ms())
        clock.turn(400)
        await add(timeline, at_ms=clock.now_ms())
        last = await add(timeline, at_ms=clock.now_ms())
        assert await timeline.since(STREAM, Position(first.epoch, 0)) is None
        assert list(await timeline.since(STREAM, Position(first.epoch, 2))) == [last]

    check(promise)


def test_a_snapshot_is_all_as_of_its_position(check):
    async def promise(timeline):
        await add(timeline, comments=[see(1), see(2)], reactions={"x": 2}, rules=RULES)
        frame = await add(timeline, comments=[see(3)], pinned=[see(1)], reactions={"x": 1})
        snapshot = await timeline.snapshot(STREAM, 2)
        assert snapshot.position == Position(frame.epoch, 2)
        assert list(snapshot.comments) == [see(2), see(3)]
        assert list(snapshot.pinned) == [see(1)]
        assert snapshot.reactions == {"x": 3}
        assert snapshot.rules == RULES

    check(promise)


def test_a_snapshot_of_none_has_no_comments(check):
    async def promise(timeline):
        await add(timeline, comments=[see(1)])
        assert await snapshot_ids(timeline, 0) == []

    check(promise)


def to_events(codes):
    """Events from pairs of small numbers: posts, replies, removals, restorations, pins, likes, reactions, bans."""
    posted: list = []
    for what, which in codes:
        of = posted[which % len(posted)] if posted else None
        user = f"u{which % 3}"
        if what == 0 or of is None:
            posted.append(said.comment(len(posted) + 1, user))
            yield said.posted(posted[-1])
        elif what == 1:
            posted.append(said.comment(len(posted) + 1, user, "indeed", of))
            yield said.posted(posted[-1])
        else:
            yield (
                lambda: said.removed(of.id),
                lambda: said.restored(of),
                lambda: said.pinned(of),
                lambda: said.unpinned(of.id),
                lambda: said.liked(user, of.id, which % 2 == 0),
                lambda: said.reacted(len(codes) + which, user, x=1),
                lambda: said.banned(user, len(posted), remove=which % 2 == 0),
            )[what - 2]()


CODES = st.lists(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 30)), min_size=1, max_size=6), max_size=8)


@pytest.mark.parametrize("name", TIMELINES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(windows=CODES, joins=st.integers(0, 8))
def test_a_snapshot_and_the_batches_after_it_are_a_fresh_snapshot(tmp_path_factory, name, windows, joins):
    async def main():
        async with TIMELINES[name](tmp_path_factory.mktemp("timeline"), TurnedClock()).opened() as timeline:
            events = to_events([code for window in windows for code in window])
            viewer = Picture()
            for number, window in enumerate(windows):
                if number <= joins:
                    viewer.begin(joined(await timeline.snapshot(STREAM, 1000)))
                batch = await add_events(timeline, *[next(events) for _ in window])
                viewer.apply(batch)
            assert not windows or held(viewer) == held(picture_of(await timeline.snapshot(STREAM, 1000)))

    run(main())


def joined(snapshot):
    lists = [list(snapshot.comments), list(snapshot.pinned)]
    return Joined(STREAM, str(snapshot.position), False, *lists, 0, dict(snapshot.reactions), RULES)


def picture_of(snapshot):
    picture = Picture()
    picture.begin(joined(snapshot))
    return picture


def held(picture):
    return picture.position, picture.newest(1000), picture.pinned, picture.reactions


# -- what is gone


@pytest.mark.parametrize(("ids", "users"), [([1], {}), ([], {"ann": 2})], ids=["by id", "by user"])
def test_what_is_taken_down_leaves_since_and_snapshot_at_once(check, ids, users):
    async def promise(timeline):
        epoch = (await timeline.top(STREAM)).epoch
        await add(timeline, comments=[see(1, "ann", "secret"), see(2, "bob")], pinned=[see(1, "ann", "secret")])
        await add(timeline, comments=[shown(REPLY), see(4, "ann", "later")])
        await timeline.take_down(STREAM, ids, users)
        snapshot = await timeline.snapshot(STREAM, 1000)
        assert [comment.id for comment in snapshot.comments] == ["2", "3", "4"]
        assert list(snapshot.pinned) == []
        first, second = await batches_since(timeline, Position(epoch, 0))
        assert [comment.id for comment in (*first.comments, *first.pinned)] == ["2"]
        for reply in (snapshot.comments[1], second.comments[0]):
            assert (reply.reply_to.id, reply.reply_to.text) == ("1", "")
        frames = await timeline.since(STREAM, Position(epoch, 0))
        assert not any(b"secret" in frame.plain for frame in frames)
        assert [frame.number for frame in frames] == [1, 2]

    check(promise)


def test_what_a_frame_removes_is_gone(check):
    async def promise(timeline):
        epoch = (await timeline.top(STREAM)).epoch
        await add(timeline, comments=[see(1), see(2, "bob"), see(3, "eve")])
        await add(timeline, removed=["1"], removed_users=["bob"])
        gone = await timeline.gone(STREAM)
        assert gone.covers(1, "ann")
        assert gone.covers(2, "bob")
        assert not gone.covers(3, "eve")
        first, _ = await batches_since(timeline, Position(epoch, 0))
        assert first.comments == [see(3, "eve")]

    check(promise)


def test_every_change_of_what_is_gone_has_another_version(check):
    async def promise(timeline):
        versions = [(await timeline.gone(STREAM)).version]
        assert versions == [0]
        for deed in (
            lambda: timeline.take_down(STREAM, [1], {}),
            lambda: timeline.take_down(STREAM, [], {"ann": 3}),
            lambda: timeline.put_back(STREAM, 1),
            lambda: add(timeline, removed=["9"]),
        ):
            await deed()
            versions.append((await timeline.gone(STREAM)).version)
        assert versions == sorted(set(versions))

    check(promise)


def test_what_is_put_back_is_gone_no_more(check):
    async def promise(timeline):
        await timeline.take_down(STREAM, [1, 2], {})
        await timeline.put_back(STREAM, 1)
        gone = await timeline.gone(STREAM)
        assert (gone.covers(1, "ann"), gone.covers(2, "ann")) == (False, True)

    check(promise)


def test_what_is_put_back_stands_also_where_its_user_was_taken_down(check):
    async def promise(timeline):
        await timeline.take_down(STREAM, [], {"ann": 5})
        await timeline.put_back(STREAM, 1)
        gone = await timeline.gone(STREAM)
        assert (gone.covers(1, "ann"), gone.covers(2, "ann")) == (False, True)
        await timeline.take_down(STREAM, [1], {})
        assert (await timeline.gone(STREAM)).covers(1, "ann")

    check(promise)


def test_taking_a_user_down_again_takes_what_was_put_back_too(check):
    async def promise(timeline):
        await timeline.take_down(STREAM, [], {"ann": 5})
        await timeline.put_back(STREAM, 1)
        await timeline.put_back(STREAM, 20)
        await timeline.take_down(STREAM, [], {"ann": 9})
        gone = await timeline.gone(STREAM)
        assert gone.covers(1, "ann")
        assert not gone.covers(20, "ann")

    check(promise)


def test_a_cut_drops_frames_and_all_text_of_the_user(check):
    async def cut(timeline):
        epoch = (await timeline.top(STREAM)).epoch
        await add(timeline, comments=[see(1, "ann", "secret"), see(2, "bob")])
        await add(timeline, comments=[shown(REPLY)])
        await timeline.cut(STREAM, "ann", 1)
        assert await timeline.since(STREAM, Position(epoch, 0)) is None
        assert await timeline.since(STREAM, Position(epoch, 1)) is None
        assert await timeline.since(STREAM, Position(epoch, 2)) == ()
        comments = (await timeline.snapshot(STREAM, 10)).comments
        assert [comment.id for comment in comments] == ["2", "3"]
        assert comments[1].reply_to.text == ""
        frame = await add(timeline)
        assert list(await timeline.since(STREAM, Position(epoch, 2))) == [frame]

    check(cut)


# -- likes, and what was shown


def test_likes_are_totals_of_sets_and_a_repeat_changes_nothing(check):
    async def promise(timeline):
        likings = [Liking(1, "ann", True), Liking(1, "bob", True), Liking(1, "ann", True), Liking(2, "bob", False)]
        assert await timeline.like(STREAM, likings) == {1: 2, 2: 0}
        assert await timeline.like(STREAM, likings) == {1: 2, 2: 0}
        assert await timeline.like(STREAM, [Liking(1, "bob", False)]) == {1: 1}
        assert await timeline.like(STREAM, []) == {}

    check(promise)


def test_likes_go_on_from_what_the_store_knows(check):
    async def promise(timeline):
        likings = [Liking(7, "eve", True), Liking(7, "ann", True)]
        assert await asyncio.gather(*[timeline.like(STREAM, [liking]) for liking in likings]) == [{7: 3}, {7: 3}]

    check(promise)


def test_what_a_frame_has_shown_is_known_for_ten_minutes(check, clock):
    async def promise(timeline):
        await add(timeline, at_ms=clock.now_ms(), comments=[see(1)])
        clock.turn(500)
        await add(timeline, at_ms=clock.now_ms(), comments=[see(2)])
        assert await timeline.shown(STREAM, [1, 2, 3]) == {1, 2}
        clock.turn(200)
        await add(timeline, at_ms=clock.now_ms())
        assert await timeline.shown(STREAM, [1, 2, 3]) == {2}

    check(promise)


# -- a new epoch


def test_a_new_epoch_begins_at_nothing_and_resumes_nothing(check):
    async def promise(timeline):
        old = await add(timeline, upto=7, comments=[see(1)])
        top = await timeline.renew(STREAM, old.epoch)
        assert top == (top.epoch, 0, 0, 7)
        assert top.epoch != old.epoch
        assert await timeline.since(STREAM, Position(old.epoch, 0)) is None
        assert await snapshot_ids(timeline) == [1]
        frame = await add(timeline, comments=[see(2)])
        assert list(await timeline.since(STREAM, Position(top.epoch, 0))) == [frame]

    check(promise)


def test_an_epoch_is_renewed_once(check):
    async def promise(timeline):
        old = await timeline.top(STREAM)
        new = await timeline.renew(STREAM, old.epoch)
        assert await timeline.renew(STREAM, old.epoch) == new == await timeline.top(STREAM)

    check(promise)


# -- who listens


def test_who_listens_is_called_for_every_frame_in_order_once_until_it_leaves(check):
    async def promise(timeline):
        heard, others = [], []
        await add(timeline)
        leave = timeline.subscribe(STREAM, heard.append)
        timeline.subscribe("other", others.append)
        frames = [await add(timeline) for _ in range(3)]
        leave()
        leave()
        await add(timeline)
        assert heard == frames
        assert others == []

    check(promise)


def test_two_listen_and_one_may_leave(check):
    async def promise(timeline):
        first, second = [], []
        leave = timeline.subscribe(STREAM, first.append)
        timeline.subscribe(STREAM, second.append)
        leave()
        frame = await add(timeline)
        assert (first, second) == ([], [frame])

    check(promise)


# -- kinds that outlive their process


def test_a_restart_keeps_epoch_frames_picture_and_what_is_gone(check_restarts):
    before = {}

    async def all_of(timeline):
        top = await timeline.top(STREAM)
        frames = await timeline.since(STREAM, Position(top.epoch, 0))
        gone = await timeline.gone(STREAM)
        shown_ids = await timeline.shown(STREAM, range(1, 9))
        return top, frames, await timeline.snapshot(STREAM, 99), gone._replace(version=1), shown_ids

    async def live(timeline):
        await add(timeline, comments=[see(1), see(2, "bob")], reactions={"x": 2}, rules=RULES)
        await timeline.take_down(STREAM, [2], {"eve": 9})
        await add(timeline, pinned=[see(1)], comments=[shown(REPLY)], liked={"1": 4})
        before["all"] = await all_of(timeline)

    async def again(timeline):
        assert await all_of(timeline) == before["all"]
        await add(timeline)

    check_restarts(live, again)


def test_a_restart_keeps_what_was_taken_down_and_restored_in_its_order(check_restarts):
    async def live(timeline):
        await add(timeline, comments=[see(1), see(2, "bob")])
        await timeline.take_down(STREAM, [1], {})
        await timeline.put_back(STREAM, 1)
        await add(timeline, removed=["1"])
        await add(timeline, restored=[see(1)])

    async def again(timeline):
        assert await snapshot_ids(timeline) == [1, 2]
        assert not (await timeline.gone(STREAM)).covers(1, "ann")

    check_restarts(live, again)


def test_a_restart_keeps_a_renewed_epoch(check_restarts):
    renewed = {}

    async def live(timeline):
        old = await add(timeline, comments=[see(1)])
        await add(timeline)
        renewed["top"] = await timeline.renew(STREAM, old.epoch)
        renewed["frame"] = await add(timeline, comments=[see(2)])

    async def again(timeline):
        top = renewed["top"]
        assert list(await timeline.since(STREAM, Position(top.epoch, 0))) == [renewed["frame"]]
        assert await snapshot_ids(timeline) == [1, 2]

    check_restarts(live, again)


def test_a_restart_keeps_a_cut(check_restarts, kind):
    async def live(timeline):
        await add(timeline, comments=[see(1, "ann", "secret"), see(2, "bob")])
        await timeline.cut(STREAM, "ann", 1)

    async def again(timeline):
        top = await timeline.top(STREAM)
        assert top.number == 1
        assert await timeline.since(STREAM, Position(top.epoch, 0)) is None
        assert await snapshot_ids(timeline) == [2]

    check_restarts(live, again)
