"""From records to frames on a timeline."""

from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools import TurnedClock, run
from tests.unit.fanout.events import STREAM, banned, comment, pinned, posted, reacted, removed
from uproar.core import events as ev
from uproar.core.stream import Rules, Stream
from uproar.fanout.plan import Plan, Row
from uproar.fanout.worker import TAKEOVER_S, Fanout
from uproar.log import Record
from uproar.observe.counters import Metrics
from uproar.presence.memory import MemoryPresence
from uproar.timeline.memory import MemoryTimeline
from uproar.wire.codec import read_batch, read_message
from uproar.wire.frames import Frame

FRAME = 5
PLAN = Plan([Row(0.1, FRAME, 500, 1000), Row(0.5, FRAME, 0, 3)], viewers=[1000], comments_per_s=[500])


class House:
    """A timeline that is watched, and workers that own its stream, one after or beside the other."""

    def __init__(self, rules: Rules = Rules()) -> None:
        self.clock = TurnedClock()
        self.timeline = MemoryTimeline(self.clock)
        self.presence = MemoryPresence(self.clock)
        self.metrics = Metrics()
        self.stream = Stream(STREAM, rules=rules)
        self.frames: list[Frame] = []
        self.timeline.subscribe(STREAM, self.frames.append)

    def worker(self) -> Fanout:
        """One that remembers nothing."""
        return Fanout(self.timeline, self.presence, self._stream_of, PLAN, self.clock, self.metrics)

    async def _stream_of(self, stream: str) -> Stream | None:
        return self.stream

    @property
    def shown(self) -> list[list[int]]:
        """The comments of every frame."""
        return [[int(comment.id) for comment in read_batch(frame.plain).comments] for frame in self.frames]


def records(*events: ev.Event, first: int = 1) -> list[Record]:
    return [Record(first + at, event) for at, event in enumerate(events)]


def posts(first: int, last: int) -> list[Record]:
    """Comments whose ids are their offsets."""
    return records(*(posted(comment(number)) for number in range(first, last + 1)), first=first)


def lived(day: Callable[[House], Awaitable[None]], **rules) -> House:
    """The house after that day."""

    async def main() -> House:
        house = House(Rules(**rules))
        await day(house)
        return house

    return run(main())


def chained(frames: list[Frame]) -> bool:
    """Whether numbers, checksums and positions follow on each other."""
    befores = [0, *(frame.checksum for frame in frames)]
    numbered = [frame.number for frame in frames] == list(range(1, len(frames) + 1))
    positions = all(read_batch(frame.plain).position == f"{frame.epoch}.{frame.number}" for frame in frames)
    return numbered and positions and [frame.before for frame in frames] == befores[:-1]


@given(st.lists(st.integers(1, 12), max_size=6))
def test_frames_are_a_chain_that_shows_each_comment_once_in_order(windows):
    async def day(house):
        worker, at = house.worker(), 1
        for size in windows:
            await worker.apply(STREAM, posts(at, at + size - 1))
            at += size

    house = lived(day)
    assert chained(house.frames)
    assert [number for shown in house.shown for number in shown] == list(range(1, sum(windows) + 1))
    assert all(len(shown) <= FRAME for shown in house.shown)
    assert [frame.upto for frame in house.frames] == [shown[-1] for shown in house.shown]


def test_a_frame_tells_how_many_it_shows_and_how_old_the_oldest_is():
    async def day(house):
        await house.worker().apply(STREAM, posts(3, 5))

    [frame] = lived(day).frames
    assert (frame.comments, frame.posted_ms) == (3, comment(3).at)


def test_a_second_owner_is_refused_and_goes_on_where_the_chain_ends():
    async def day(house):
        one, two = house.worker(), house.worker()
        await one.apply(STREAM, posts(1, 2))
        await two.apply(STREAM, posts(3, 4))
        await one.apply(STREAM, posts(3, 6))
        await two.apply(STREAM, posts(5, 7))

    house = lived(day)
    assert chained(house.frames)
    assert house.shown == [[1, 2], [3, 4], [5, 6], [7]]


@pytest.mark.parametrize("kept", range(13))
def test_a_restart_after_any_frame_skips_what_is_in(kept):
    async def day(house):
        await house.worker().apply(STREAM, posts(1, kept))
        await house.worker().apply(STREAM, posts(1, 12))

    house = lived(day)
    assert chained(house.frames)
    assert [number for shown in house.shown for number in shown] == list(range(1, 13))


def test_a_new_epoch_is_gone_along_with():
    async def day(house):
        worker = house.worker()
        await worker.apply(STREAM, posts(1, 2))
        await house.timeline.renew(STREAM, house.frames[0].epoch)
        await worker.apply(STREAM, posts(3, 4))

    house = lived(day)
    assert [frame.number for frame in house.frames] == [1, 1]
    assert house.frames[0].epoch != house.frames[1].epoch
    assert house.shown == [[1, 2], [3, 4]]


@pytest.mark.parametrize("nothing", [[], [posted(comment(1))], [reacted(1, x=1)]])
def test_a_window_with_nothing_new_in_it_sends_nothing(nothing):
    async def day(house):
        worker = house.worker()
        await worker.apply(STREAM, records(posted(comment(1)), reacted(1, x=1)))
        await house.timeline.take_down(STREAM, [1], {})
        await worker.apply(STREAM, records(*nothing, first=10))

    assert len(lived(day).frames) == 1


@pytest.mark.parametrize("event", [ev.Reported(STREAM, "ann", 1, "", 0), ev.Unbanned(STREAM, "ann", "mod")])
def test_what_concerns_no_viewer_waits_for_no_window(event):
    assert House().worker().key(event) is None


def test_who_is_muted_is_told_by_a_frame_that_holds_nothing_else():
    async def day(house):
        worker = house.worker()
        assert worker.key(banned("ann")) == STREAM
        await worker.apply(STREAM, records(banned("ann")))

    [frame] = lived(day).frames
    [aside] = frame.asides
    assert (aside.user, read_message(aside.message).code) == ("ann", 110)


def test_what_one_run_removes_the_next_does_not_preview_or_pin():
    first = comment(1)
    window = [removed(1), *(posted(comment(number)) for number in range(2, 7))]
    window += [posted(comment(7, "bob", reply_to=first)), pinned(first)]

    async def day(house):
        worker = house.worker()
        await worker.apply(STREAM, records(posted(first)))
        await worker.apply(STREAM, records(*window, first=2))

    house = lived(day)
    last = read_batch(house.frames[-1].plain)
    assert house.shown == [[1], [2, 3, 4, 5, 6], [7]]
    assert (last.comments[0].reply_to.text, last.pinned) == ("", [])


# ---- retries


def test_a_retry_of_what_was_shown_is_passed_over_even_by_a_new_owner():
    async def day(house):
        await house.worker().apply(STREAM, records(posted(comment(1))))
        await house.worker().apply(STREAM, records(posted(comment(1), again=True), posted(comment(2)), first=2))

    assert lived(day).shown == [[1], [2]]


def test_a_first_attempt_that_comes_after_its_retry_is_passed_over():
    async def day(house):
        worker = house.worker()
        await worker.apply(STREAM, records(posted(comment(1), again=True)))
        await worker.apply(STREAM, records(posted(comment(1)), posted(comment(2)), first=2))

    assert lived(day).shown == [[1], [2]]


def test_a_first_attempt_that_comes_after_a_retry_that_an_owner_before_took_is_passed_over():
    async def day(house):
        await house.worker().apply(STREAM, records(posted(comment(1), again=True)))
        await house.worker().apply(STREAM, records(posted(comment(1)), posted(comment(2)), first=2))

    assert lived(day).shown == [[1], [2]]


def test_long_after_a_takeover_only_retries_are_asked_for():
    async def day(house):
        worker = house.worker()
        await worker.apply(STREAM, posts(1, 1))
        house.clock.turn(TAKEOVER_S + 1)
        house.timeline.shown = None
        await worker.apply(STREAM, posts(2, 2))

    assert lived(day).shown == [[1], [2]]


def test_reactions_that_are_sent_again_count_once_even_before_a_new_owner():
    async def day(house):
        await house.worker().apply(STREAM, records(reacted(1, x=2)))
        await house.worker().apply(STREAM, records(reacted(1, x=2), reacted(2, x=1), first=2))

    assert [read_batch(frame.plain).reactions for frame in lived(day).frames] == [{"x": 2}, {"x": 1}]


def test_a_frame_that_is_refused_counts_nothing_as_left_out():
    async def day(house):
        worker = await crowded(house)
        await worker.apply(STREAM, posts(1, 10))
        await house.worker().apply(STREAM, posts(1, 11))
        await worker.apply(STREAM, posts(1, 12))

    house = lived(day)
    told = sum(read_batch(frame.plain).left_out for frame in house.frames)
    assert house.metrics.registry.get_sample_value("uproar_left_out_total") == told


def test_reactions_that_are_sent_again_count_once():
    async def day(house):
        worker = house.worker()
        await worker.apply(STREAM, records(reacted(1, x=2)))
        await worker.apply(STREAM, records(reacted(1, x=2), reacted(2, x=1), first=2))

    assert [read_batch(frame.plain).reactions for frame in lived(day).frames] == [{"x": 2}, {"x": 1}]


# ---- sampling


async def crowded(house: House) -> Fanout:
    await house.presence.tell("g", {STREAM: 1000})
    return house.worker()


def test_a_sampled_stream_tells_how_many_were_left_out():
    async def day(house):
        worker = await crowded(house)
        await worker.apply(STREAM, posts(1, 10))
        assert worker.span_s(STREAM) == 0.5

    house = lived(day)
    [shown] = house.shown
    assert len(shown) == 3
    assert read_batch(house.frames[0].plain).left_out == 7
    assert house.metrics.registry.get_sample_value("uproar_left_out_total") == 7


def test_a_reply_that_is_left_out_goes_to_whom_it_answers():
    ann = comment(99, "ann")

    async def day(house):
        worker = await crowded(house)
        replies = [posted(comment(number, "bob", reply_to=ann)) for number in range(1, 11)]
        await worker.apply(STREAM, records(*replies))

    [frame] = lived(day).frames
    told = {read_message(aside.message).comment.id for aside in frame.asides}
    assert {aside.user for aside in frame.asides} == {"ann"}
    assert told | {shown.id for shown in read_batch(frame.plain).comments} == {str(n) for n in range(1, 11)}
    assert len(told) == 7


def test_creators_moderators_and_pins_are_shown_in_as_many_frames_as_they_fill():
    async def day(house):
        worker = await crowded(house)
        staff = [posted(comment(number, roles=("moderator",))) for number in range(1, 11)]
        await worker.apply(STREAM, records(*staff, *(record.event for record in posts(11, 30)), pinned(comment(30))))

    house = lived(day)
    shown = [number for numbers in house.shown for number in numbers]
    assert set(range(1, 11)) | {30} <= set(shown)
    assert len(shown) == 14
    assert all(len(numbers) <= FRAME for numbers in house.shown)


def test_a_stream_that_shows_all_is_never_sampled():
    async def day(house):
        await (await crowded(house)).apply(STREAM, posts(1, 10))

    assert lived(day, show="all").shown == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]
