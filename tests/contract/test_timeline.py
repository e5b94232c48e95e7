"""What every timeline promises. A new timeline joins by one line in TIMELINES."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.frames import aside, frame_of, said, top_after
from tests.links import linked
from tests.tools import TurnedClock, run
from tests.unit.wire.histories import WINDOWS, Server
from uproar.core.position import Position, parse
from uproar.sqlite import Database
from uproar.timeline import Liking, Timeline
from uproar.timeline.counts import GATEWAYS
from uproar.timeline.line import FRAMES_S, SHOWN_S
from uproar.timeline.linked import LinkedTimeline, Served
from uproar.timeline.losses import LOSS_S
from uproar.timeline.memory import MemoryTimeline
from uproar.timeline.sqlite import STATE_FRAMES, SqliteTimeline
from uproar.wire.codec import encode, read_batch
from uproar.wire.frames import Joined, PosterRules
from uproar.wire.picture import Picture

RULES = PosterRules(500, 0, ("x",), "live")
ANN, BOB, CAT = said(1, "ann"), said(2, "bob"), said(3, "cat")


class MemoryKind:
    """Its timeline ends with the process."""

    outlives = False

    def __init__(self, path, clock, load_likes):
        self._timeline = MemoryTimeline(clock, load_likes)

    @asynccontextmanager
    async def opened(self):
        yield self._timeline
        await self._timeline.close()


class SqliteKind:
    """Its timeline lives in a file."""

    outlives = True

    def __init__(self, path, clock, load_likes):
        self._path = path / "uproar.db"
        self._clock = clock
        self._load_likes = load_likes

    @asynccontextmanager
    async def opened(self):
        database = Database(self._path)
        timeline = SqliteTimeline(database, self._clock, self._load_likes)
        try:
            yield timeline
        finally:
            await timeline.close()
            await database.close()


class LinkedKind(MemoryKind):
    """Its timeline is another process's, at the other end of a link."""

    @asynccontextmanager
    async def opened(self):
        async with linked() as (here, there):
            served = Served(there, self._timeline)
            yield LinkedTimeline(here)
            served.close()


TIMELINES = {"memory": MemoryKind, "sqlite": SqliteKind, "linked": LinkedKind}

Promise = Callable[[Timeline], Awaitable[None]]


@pytest.fixture
def clock():
    return TurnedClock()


@pytest.fixture
def stored():
    """Who liked what, as the store knows it."""
    return {}


@pytest.fixture
def make(tmp_path, clock, stored):
    async def load_likes(stream, ids):
        await asyncio.sleep(0)
        return {comment_id: stored[comment_id] for comment_id in ids if comment_id in stored}

    return lambda name: TIMELINES[name](tmp_path, clock, load_likes)


@pytest.fixture(params=TIMELINES)
def check(request, make):
    kind = make(request.param)
    return lambda *promises: checked(kind, *promises)


@pytest.fixture(params=[name for name, kind in TIMELINES.items() if kind.outlives])
def outliving(request, make):
    kind = make(request.param)
    return lambda *promises: checked(kind, *promises)


def checked(kind, *promises: Promise) -> None:
    """Run `async` checks one after another, each on the timeline closed and opened again."""

    async def main():
        for promise in promises:
            async with kind.opened() as timeline:
                await promise(timeline)

    run(main())


async def extended(timeline, *comments, stream="s", **fields):
    """Put a frame on the chain."""
    frame = frame_of(await timeline.top(stream), *comments, stream=stream, **fields)
    assert await timeline.extend(frame)
    return frame


async def start(timeline, stream="s"):
    """The position before the first frame."""
    return Position((await timeline.top(stream)).epoch, 0)


def texts(frames):
    return [[comment.text for comment in read_batch(frame.plain).comments] for frame in frames]


def ids(comments):
    return [int(comment.id) for comment in comments]


# ---- the chain


def test_a_stream_nobody_knew_has_an_epoch_and_number_0(check):
    async def promise(timeline):
        top = await timeline.top("s")
        assert (top.number, top.checksum, top.upto) == (0, 0, 0)
        assert parse(str(Position(top.epoch, 0)))
        assert await timeline.top("s") == top
        assert (await timeline.top("t")).epoch != top.epoch

    check(promise)


def test_the_top_is_that_of_the_last_frame(check):
    async def promise(timeline):
        for number in range(1, 4):
            frame = await extended(timeline, said(number))
            assert await timeline.top("s") == top_after(frame)

    check(promise)


@pytest.mark.parametrize("change", [{"epoch": "other"}, {"number": 1}, {"number": 3}, {"before": 0}])
def test_a_frame_that_does_not_fit_is_refused_and_changes_nothing(check, change):
    async def promise(timeline):
        first = await extended(timeline, ANN)
        heard = []
        timeline.subscribe("s", heard.append)
        assert not await timeline.extend(replace(frame_of(top_after(first), BOB), **change))
        assert await timeline.top("s") == top_after(first)
        assert ids((await timeline.snapshot("s", 9)).comments) == [1]
        assert heard == []
        assert await timeline.extend(frame_of(top_after(first), BOB))

    check(promise)


def test_of_two_owners_exactly_one_wins_each_number(check):
    async def owner(timeline, comments, won):
        for comment in comments:
            while not await timeline.extend(frame := frame_of(await timeline.top("s"), comment)):
                await asyncio.sleep(0)
            won.append(frame)

    async def promise(timeline):
        won = []
        await asyncio.gather(*(owner(timeline, map(said, range(n, n + 50, 5)), won) for n in range(1, 6)))
        frames = await timeline.since("s", await start(timeline))
        assert [frame.number for frame in frames] == list(range(1, 51))
        assert sorted(won, key=lambda frame: frame.number) == list(frames)
        assert all(after.before == before.checksum for before, after in zip(frames, frames[1:], strict=False))

    check(promise)


def test_a_frame_that_shows_what_was_taken_down_meanwhile_is_refused(check):
    async def promise(timeline):
        late = frame_of(await timeline.top("s"), ANN, BOB)
        pins = frame_of(await timeline.top("s"), BOB, pinned=[ANN])
        await timeline.take_down("s", [1], {})
        assert not await timeline.extend(late)
        assert not await timeline.extend(pins)
        assert await timeline.extend(frame_of(await timeline.top("s"), BOB))

    check(promise)


def test_a_frame_that_previews_what_was_taken_down_meanwhile_is_refused(check):
    async def promise(timeline):
        await extended(timeline, ANN)
        replies = frame_of(await timeline.top("s"), said(4, "bob", to=ANN))
        pins = frame_of(await timeline.top("s"), pinned=[said(4, "bob", to=ANN)])
        await timeline.take_down("s", [1], {})
        assert not await timeline.extend(replies)
        assert not await timeline.extend(pins)

    check(promise)


def test_what_was_erased_is_never_put_back(check):
    async def promise(timeline):
        await extended(timeline, ANN, said(9, "ann"))
        await timeline.cut("s", "ann", 5)
        await timeline.put_back("s", 1)
        await extended(timeline, restored=[ANN])
        gone = await timeline.gone("s")
        assert (gone.covers(1, "ann"), gone.covers(9, "ann"), gone.erased) == (True, False, {"ann": 5})

    check(promise)


def test_what_a_frame_says_is_erased_is_never_put_back_though_nobody_cut_the_chain(check):
    async def promise(timeline):
        await extended(timeline, lost={"ann": 5}, erased={"ann": 5})
        await timeline.put_back("s", 1)
        assert (await timeline.gone("s")).erased == {"ann": 5}
        assert (await timeline.gone("s")).covers(1, "ann")

    check(promise)


def test_a_frame_that_restores_and_pins_what_was_taken_down_again_is_taken_since_its_removal_follows(check):
    async def promise(timeline):
        late = frame_of(await timeline.top("s"), restored=[ANN], pinned=[ANN])
        await timeline.take_down("s", [1], {})
        assert await timeline.extend(late)

    check(promise)


def test_streams_are_strangers(check):
    async def promise(timeline):
        await extended(timeline, ANN, stream="s")
        await timeline.take_down("s", [1], {})
        assert (await timeline.top("t")).number == 0
        assert (await timeline.snapshot("t", 9)).comments == []
        assert (await timeline.gone("t")).version == 0
        assert await timeline.shown("t", [1]) == frozenset()

    check(promise)


def test_an_extend_whose_caller_leaves_is_done_whole_or_not_at_all(check):
    async def promise(timeline):
        heard = []
        timeline.subscribe("s", heard.append)
        for number in range(1, 30):
            frame = frame_of(await timeline.top("s"), said(number))
            leaving = asyncio.ensure_future(timeline.extend(frame))
            for _ in range(number % 5):
                await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
            await timeline.extend(frame_of(await timeline.top("s"), said(100 + number)))
        frames = await timeline.since("s", await start(timeline))
        assert heard == list(frames)
        assert [frame.number for frame in frames] == list(range(1, len(frames) + 1))
        assert (await timeline.top("s")).number == len(frames)

    check(promise)


# ---- renew


def test_a_new_epoch_begins_at_0_where_the_old_one_is_still_the_one(check):
    async def promise(timeline):
        await extended(timeline, ANN)
        old = await timeline.top("s")
        fresh = await timeline.renew("s", old.epoch)
        assert (fresh.number, fresh.checksum, fresh.upto) == (0, 0, old.upto)
        assert fresh.epoch != old.epoch
        assert await timeline.renew("s", old.epoch) == fresh == await timeline.top("s")

    check(promise)


def test_nothing_of_an_old_epoch_resumes_or_extends(check):
    async def promise(timeline):
        await extended(timeline, ANN)
        old = await timeline.top("s")
        await timeline.renew("s", old.epoch)
        assert not await timeline.extend(frame_of(old, BOB))
        assert await timeline.since("s", Position(old.epoch, 0)) is None
        assert await timeline.since("s", Position(old.epoch, 1)) is None

    check(promise)


def test_a_new_epoch_keeps_the_picture_and_what_is_gone(check):
    async def promise(timeline):
        await extended(timeline, ANN, BOB)
        await timeline.take_down("s", [1], {})
        fresh = await timeline.renew("s", (await timeline.top("s")).epoch)
        snapshot = await timeline.snapshot("s", 9)
        assert (snapshot.position, ids(snapshot.comments)) == (Position(fresh.epoch, 0), [2])
        assert (await timeline.gone("s")).covers(1, "ann")
        await extended(timeline, CAT)
        assert ids((await timeline.snapshot("s", 9)).comments) == [2, 3]

    check(promise)


# ---- since


def test_since_gives_every_frame_above_the_position_as_it_was_announced(check):
    async def promise(timeline):
        frames = [await extended(timeline, said(n), asides=(aside("bob", said(90 + n)),)) for n in range(1, 6)]
        epoch = frames[0].epoch
        for number in range(6):
            assert list(await timeline.since("s", Position(epoch, number))) == frames[number:]

    check(promise)


@pytest.mark.parametrize("position", [Position("other", 1), Position("", 3), Position("", 99)])
def test_since_is_none_for_what_was_never_made(check, position):
    async def promise(timeline):
        frame = await extended(timeline, ANN)
        assert await timeline.since("s", Position(position.epoch or frame.epoch, position.number)) is None

    check(promise)


def test_frames_stand_for_five_minutes_and_then_a_position_below_is_not_resumed(check, clock):
    async def promise(timeline):
        before = await start(timeline)
        await extended(timeline, ANN, at_ms=clock.now_ms())
        clock.turn(FRAMES_S)
        await extended(timeline, BOB, at_ms=clock.now_ms())
        assert len(await timeline.since("s", before)) == 2
        clock.turn(0.001)
        await extended(timeline, CAT, at_ms=clock.now_ms())
        assert await timeline.since("s", before) is None
        assert len(await timeline.since("s", before._replace(number=1))) == 2

    check(promise)


def test_trim_lets_old_frames_go_in_streams_that_went_quiet(check, clock):
    async def promise(timeline):
        before = await start(timeline)
        for number in range(1, 4):
            await extended(timeline, said(number), at_ms=clock.now_ms())
        assert await timeline.trim(clock.now_ms()) == 0
        clock.turn(2 * FRAMES_S)
        assert await timeline.trim(clock.now_ms()) == 3
        assert await timeline.trim(clock.now_ms()) == 0
        assert await timeline.since("s", before) is None
        assert await timeline.since("s", before._replace(number=3)) == ()
        assert ids((await timeline.snapshot("s", 9)).comments) == [1, 2, 3]
        await extended(timeline, said(4), at_ms=clock.now_ms())
        assert texts(await timeline.since("s", before._replace(number=3))) == [["text 4"]]

    check(promise)


# ---- snapshot


def test_a_snapshot_holds_the_newest_comments_oldest_first(check):
    async def promise(timeline):
        await extended(timeline, BOB, ANN)
        await extended(timeline, CAT)
        for limit, expected in ((0, []), (1, [3]), (2, [2, 3]), (200, [1, 2, 3])):
            assert ids((await timeline.snapshot("s", limit)).comments) == expected

    check(promise)


def test_a_snapshot_holds_pins_totals_likes_and_rules_as_of_its_position(check):
    async def promise(timeline):
        await extended(timeline, ANN, BOB, pinned=[BOB], reactions={"x": 2}, rules=RULES)
        frame = await extended(timeline, liked={"1": 4}, reactions={"x": 1, "y": 5}, pinned=[ANN], unpinned=["2"])
        snapshot = await timeline.snapshot("s", 9)
        assert snapshot.position == Position(frame.epoch, 2)
        assert [comment.likes for comment in snapshot.comments] == [4, 0]
        assert ids(snapshot.pinned) == [1]
        assert (snapshot.reactions, snapshot.rules) == ({"x": 3, "y": 5}, RULES)

    check(promise)


def test_a_snapshot_holds_at_most_1000_comments(check):
    async def promise(timeline):
        for first in range(1, 1200, 100):
            await extended(timeline, *map(said, range(first, first + 100)))
        assert ids((await timeline.snapshot("s", 5000)).comments) == list(range(201, 1201))

    check(promise)


@pytest.mark.parametrize("name", TIMELINES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(windows=WINDOWS, data=st.data())
def test_a_snapshot_and_the_frames_since_give_a_fresh_snapshot(tmp_path_factory, name, windows, data):
    joined_at = data.draw(st.integers(0, len(windows)))

    async def promise(timeline):
        server, viewer = Server(), Picture()
        for number, deeds in enumerate(windows):
            if number == joined_at:
                position = await join(timeline, viewer)
            frame = frame_of(await timeline.top("s"))
            assert await timeline.extend(replace(frame, plain=encode(server.batch(deeds))))
        if joined_at < len(windows):
            for frame in await timeline.since("s", position):
                viewer.apply(read_batch(frame.plain))
            fresh = Picture()
            await join(timeline, fresh)
            for field in ("comments", "pinned", "reactions"):
                assert getattr(viewer, field) == getattr(fresh, field)
            assert (viewer.rules or RULES) == fresh.rules

    checked(TIMELINES[name](tmp_path_factory.mktemp("timeline"), TurnedClock(), None), promise)


async def join(timeline, viewer):
    position, comments, pinned, reactions, rules = await timeline.snapshot("s", 1000)
    viewer.begin(Joined("s", str(position), False, list(comments), list(pinned), 1, dict(reactions), rules or RULES))
    return position


# ---- what is gone


@pytest.mark.parametrize(("gone", "users"), [([1], {}), ([], {"ann": 1}), ([1, 9], {"ann": 5, "dan": 9})])
def test_what_is_taken_down_leaves_every_answer_at_once(check, gone, users):
    async def promise(timeline):
        before = await start(timeline)
        reply = said(4, "bob", to=ANN)
        frame = await extended(timeline, ANN, reply, BOB, pinned=[ANN], asides=(aside("cat", reply),))
        await timeline.take_down("s", gone, users)
        snapshot = await timeline.snapshot("s", 9)
        assert ids(snapshot.comments) == [2, 4]
        assert snapshot.pinned == []
        (answered,) = await timeline.since("s", before)
        assert texts([answered]) == [["text 4", "text 2"]]
        everything = b"".join([answered.plain, answered.asides[0].message, encode(snapshot)])
        assert b"text 1" not in everything
        assert (answered.number, answered.epoch, answered.upto) == (frame.number, frame.epoch, frame.upto)
        assert (await timeline.gone("s")).covers(1, "ann")
        assert not (await timeline.gone("s")).covers(2, "bob")
        assert await timeline.top("s") == top_after(frame)

    check(promise)


def test_what_a_frame_removes_is_gone_in_the_same_step(check):
    async def promise(timeline):
        before = await start(timeline)
        await extended(timeline, ANN, BOB, CAT)
        await extended(timeline, removed=["1"], lost={"cat": 3})
        assert texts(await timeline.since("s", before))[0] == ["text 2"]
        gone = await timeline.gone("s")
        assert (gone.covers(1, "ann"), gone.covers(2, "bob"), gone.covers(3, "cat")) == (True, False, True)

    check(promise)


def test_what_is_put_back_is_gone_no_more_also_of_a_user_whose_other_comments_are(check):
    async def promise(timeline):
        before = await start(timeline)
        await extended(timeline, ANN, said(2, "ann"))
        await timeline.take_down("s", [1], {"ann": 2})
        await timeline.put_back("s", 1)
        assert texts(await timeline.since("s", before)) == [["text 1"]]
        gone = await timeline.gone("s")
        assert (gone.covers(1, "ann"), gone.covers(2, "ann")) == (False, True)
        await extended(timeline, restored=[ANN])
        assert ids((await timeline.snapshot("s", 9)).comments) == [1]

    check(promise)


def test_what_was_removed_again_stays_gone_when_the_frame_of_its_restoring_comes(check):
    async def promise(timeline):
        before = await start(timeline)
        await extended(timeline, ANN)
        await timeline.take_down("s", [1], {})
        await timeline.put_back("s", 1)
        await timeline.take_down("s", [1], {})
        await extended(timeline, removed=["1"])
        await extended(timeline, restored=[ANN])
        assert (await timeline.gone("s")).covers(1, "ann")
        assert (await timeline.snapshot("s", 9)).comments == []
        assert not any(b"text 1" in frame.plain for frame in await timeline.since("s", before))
        await extended(timeline, removed=["1"])
        assert (await timeline.gone("s")).covers(1, "ann")

    check(promise)


def test_the_version_of_what_is_gone_tells_every_change(check):
    async def promise(timeline):
        versions = [(await timeline.gone("s")).version]
        for change in (
            timeline.take_down("s", [1], {}),
            timeline.take_down("s", [], {"ann": 5}),
            timeline.put_back("s", 1),
            timeline.cut("s", "bob", 9),
        ):
            await change
            versions.append((await timeline.gone("s")).version)
        assert versions[0] == 0
        assert versions == sorted(set(versions))

    check(promise)


def test_a_loss_is_forgotten_only_when_no_frame_can_hold_the_text(check, clock):
    async def promise(timeline):
        await timeline.take_down("s", [1], {"ann": 1})
        clock.turn(LOSS_S)
        await extended(timeline, BOB, at_ms=clock.now_ms())
        assert (await timeline.gone("s")).covers(1, "ann")
        clock.turn(0.001)
        await extended(timeline, CAT, at_ms=clock.now_ms())
        assert (await timeline.gone("s")).version == 0

    check(promise)


def test_losses_live_longer_than_frames_and_rings():
    assert LOSS_S > 2 * FRAMES_S + 60


# ---- an erasure


def test_a_cut_leaves_no_text_of_the_user_and_no_position_below_it(check):
    async def promise(timeline):
        before = await start(timeline)
        await extended(timeline, ANN, said(4, "bob", to=ANN), pinned=[ANN])
        await extended(timeline, BOB)
        await timeline.cut("s", "ann", 9)
        assert await timeline.since("s", before) is None
        assert await timeline.since("s", before._replace(number=1)) is None
        assert await timeline.since("s", before._replace(number=2)) == ()
        snapshot = await timeline.snapshot("s", 9)
        assert ids(snapshot.comments) == [2, 4]
        assert b"text 1" not in encode(snapshot)

    check(promise)


def test_after_a_cut_the_chain_goes_on_without_what_was_still_on_its_way(check):
    async def promise(timeline):
        before = await start(timeline)
        frame = await extended(timeline, BOB)
        await timeline.cut("s", "ann", 9)
        assert await timeline.top("s") == top_after(frame)
        assert not await timeline.extend(frame_of(top_after(frame), said(8, "ann")))
        await extended(timeline, said(10, "ann"))
        assert texts(await timeline.since("s", before._replace(number=1))) == [["text 10"]]

    check(promise)


def test_after_a_cut_the_disk_holds_no_text_of_the_user(tmp_path, outliving):
    async def promise(timeline):
        secret = replace(said(1, "ann"), text="canary-7f31")
        for number in range(2, 2 * STATE_FRAMES):
            await extended(timeline, *([secret] if number == 2 else []), said(number, "bob", to=secret))
        assert any(b"canary-7f31" in file.read_bytes() for file in tmp_path.iterdir())
        await timeline.cut("s", "ann", 1)
        assert not any(b"canary-7f31" in file.read_bytes() for file in tmp_path.iterdir())

    outliving(promise)


# ---- likes


def test_likes_are_counted_once_a_user(check):
    async def promise(timeline):
        assert await timeline.like("s", [Liking(1, "ann", True), Liking(1, "bob", True)]) == {1: 2}
        assert await timeline.like("s", [Liking(1, "ann", True), Liking(2, "ann", True)]) == {1: 2, 2: 1}
        assert await timeline.like("s", [Liking(1, "ann", False), Liking(1, "ann", False)]) == {1: 1}
        assert await timeline.like("s", [Liking(1, "ann", True), Liking(1, "ann", False)]) == {1: 1}
        assert await timeline.like("s", []) == {}

    check(promise)


def test_likers_are_read_from_the_store_when_first_asked_for(check, stored):
    stored[1] = frozenset({"ann", "bob"})

    async def promise(timeline):
        assert await timeline.like("s", [Liking(1, "ann", True), Liking(2, "ann", True)]) == {1: 2, 2: 1}
        stored[1] = frozenset()
        assert await timeline.like("s", [Liking(1, "cat", True)]) == {1: 3}

    check(promise)


def test_likes_at_the_same_time_all_count(check, stored):
    stored[1] = frozenset({"zoe"})

    async def promise(timeline):
        await asyncio.gather(*(timeline.like("s", [Liking(1, f"u{n}", True)]) for n in range(20)))
        assert await timeline.like("s", [Liking(1, "zoe", True)]) == {1: 21}

    check(promise)


# ---- shown


def test_ids_that_a_frame_showed_are_known_for_ten_minutes(check, clock):
    async def promise(timeline):
        await extended(timeline, ANN, at_ms=clock.now_ms())
        clock.turn(SHOWN_S)
        await extended(timeline, BOB, at_ms=clock.now_ms())
        assert await timeline.shown("s", [1, 2, 3]) == {1, 2}
        clock.turn(0.001)
        await extended(timeline, at_ms=clock.now_ms())
        assert await timeline.shown("s", [1, 2, 3]) == {2}

    check(promise)


# ---- reactions counted


def test_the_last_number_of_each_gateway_is_known_also_in_a_new_epoch(check):
    async def promise(timeline):
        assert await timeline.counted("s") == {}
        await extended(timeline, counted={"g": 1, "h": 7})
        await extended(timeline, counted={"g": 2})
        await timeline.renew("s", (await timeline.top("s")).epoch)
        assert await timeline.counted("s") == {"g": 2, "h": 7}

    check(promise)


def test_of_too_many_gateways_the_one_silent_for_longest_is_forgotten(check):
    async def promise(timeline):
        await extended(timeline, counted={f"g{number}": 1 for number in range(GATEWAYS)})
        await extended(timeline, counted={"g0": 2, "new": 1})
        known = await timeline.counted("s")
        assert len(known) == GATEWAYS
        assert (known.get("g0"), known.get("g1"), known.get("new")) == (2, None, 1)

    check(promise)


# ---- listeners


def test_listeners_get_each_frame_once_in_order_with_the_frame_kept_already(check):
    async def promise(timeline):
        heard = []
        timeline.subscribe("s", lambda frame: heard.append(frame))
        timeline.subscribe("t", lambda frame: heard.append(frame))
        frames = [await extended(timeline, said(number)) for number in range(1, 6)]
        assert heard == frames

    check(promise)


def test_who_left_hears_nothing_more_and_may_leave_twice(check):
    async def promise(timeline):
        heard, also = [], []
        leave = timeline.subscribe("s", heard.append)
        timeline.subscribe("s", also.append)
        await extended(timeline, ANN)
        leave()
        leave()
        await extended(timeline, BOB)
        assert (len(heard), len(also)) == (1, 2)

    check(promise)


def test_one_who_leaves_while_a_frame_is_announced_is_not_called_for_it_any_more(check):
    async def promise(timeline):
        heard, leave = [], []
        timeline.subscribe("s", lambda frame: leave[0]())
        leave.append(timeline.subscribe("s", heard.append))
        await extended(timeline, ANN)
        assert heard == []

    check(promise)


def test_a_listener_that_fails_hurts_no_other_and_is_told_to_the_loop(check):
    async def promise(timeline):
        heard, told = [], []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["exception"]))
        timeline.subscribe("s", lambda frame: 1 // 0)
        timeline.subscribe("s", heard.append)
        await extended(timeline, ANN)
        await extended(timeline, BOB)
        assert len(heard) == 2
        assert [type(fault) for fault in told] == [ZeroDivisionError, ZeroDivisionError]

    check(promise)


# ---- over a restart


@pytest.mark.parametrize("frames", [1, STATE_FRAMES, STATE_FRAMES + 7])
def test_a_restart_keeps_epoch_frames_picture_and_ids_shown(outliving, frames):
    seen = {}

    async def live(timeline):
        seen["start"] = await start(timeline)
        for number in range(1, frames + 1):
            extra = {"pinned": [said(number)], "reactions": {"x": 1}, "rules": RULES} if number % 50 == 1 else {}
            told = (aside("bob", said(9000 + number)),)
            await extended(timeline, said(number), asides=told, counted={f"g{number % 7}": number}, **extra)
        await remember(timeline)

    async def remember(timeline):
        seen["top"] = await timeline.top("s")
        seen["snapshot"] = await timeline.snapshot("s", 1000)
        seen["since"] = list(await timeline.since("s", seen["start"]))
        seen["shown"] = await timeline.shown("s", range(frames + 2))
        seen["counted"] = list((await timeline.counted("s")).items())

    async def back(timeline):
        before = dict(seen)
        await remember(timeline)
        assert seen == before
        assert len(seen["since"]) == frames
        await extended(timeline, said(5000))

    outliving(live, back)


def test_a_restart_keeps_what_is_gone_and_what_was_put_back(outliving):
    seen = {}

    async def live(timeline):
        seen["start"] = await start(timeline)
        await extended(timeline, ANN, BOB, said(4, "bob", to=ANN), said(5, "bob"))
        await timeline.take_down("s", [1], {"bob": 5})
        await timeline.put_back("s", 4)
        await extended(timeline, restored=[said(4, "bob", to=ANN)], removed=["3"])
        await remember(timeline)

    async def remember(timeline):
        seen["gone"] = (await timeline.gone("s"))._replace(version=0)
        seen["snapshot"] = await timeline.snapshot("s", 9)
        seen["since"] = texts(await timeline.since("s", seen["start"]))

    async def back(timeline):
        before = dict(seen)
        await remember(timeline)
        assert seen == before
        assert seen["since"] == [["text 4"], []]
        assert ids(seen["snapshot"].comments) == [4]

    outliving(live, back)


def test_a_restart_keeps_a_new_epoch_and_nothing_of_the_old(outliving):
    seen = {}

    async def live(timeline):
        for number in range(1, 6):
            await extended(timeline, said(number))
        seen["old"] = await timeline.top("s")
        await timeline.renew("s", seen["old"].epoch)
        await extended(timeline, said(7))
        seen["top"] = await timeline.top("s")

    async def back(timeline):
        assert await timeline.top("s") == seen["top"]
        assert await timeline.since("s", Position(seen["old"].epoch, 5)) is None
        assert texts(await timeline.since("s", await start(timeline))) == [["text 7"]]
        assert ids((await timeline.snapshot("s", 9)).comments) == [1, 2, 3, 4, 5, 7]

    outliving(live, back)


def test_a_restart_keeps_a_cut(outliving):
    async def live(timeline):
        await extended(timeline, ANN, said(4, "bob", to=ANN))
        await timeline.cut("s", "ann", 9)
        await extended(timeline, CAT)

    async def back(timeline):
        before = await start(timeline)
        assert await timeline.since("s", before) is None
        assert texts(await timeline.since("s", before._replace(number=1))) == [["text 3"]]
        assert b"text 1" not in encode(await timeline.snapshot("s", 9))
        assert (await timeline.gone("s")).covers(9, "ann")

    outliving(live, back)


def test_a_restart_keeps_what_was_trimmed_away(outliving, clock):
    async def live(timeline):
        for number in range(1, 6):
            await extended(timeline, said(number), at_ms=clock.now_ms())
        clock.turn(2 * FRAMES_S)
        await extended(timeline, said(6), at_ms=clock.now_ms())
        await timeline.trim(clock.now_ms())

    async def back(timeline):
        before = await start(timeline)
        assert await timeline.since("s", before._replace(number=4)) is None
        assert texts(await timeline.since("s", before._replace(number=5))) == [["text 6"]]
        assert ids((await timeline.snapshot("s", 9)).comments) == [1, 2, 3, 4, 5, 6]

    outliving(live, back)
