"""Frames over a link that is full: some are missing, none comes twice or late, and all can be read."""

from tests.frames import frame_of, said, top_after
from tests.links import linked
from tests.tools import TurnedClock, run
from uproar.core.position import Position
from uproar.link import channel
from uproar.timeline.linked import LinkedTimeline, Served
from uproar.timeline.memory import MemoryTimeline

FRAMES = 400
COMMENTS = [said(number) for number in range(20)]


async def told(timeline, top):
    """So many frames on the chain, without a pause."""
    frames = []
    for _ in range(FRAMES):
        frames.append(frame_of(top, *COMMENTS))
        assert await timeline.extend(frames[-1])
        top = top_after(frames[-1])
    return frames


def test_frames_for_which_a_link_has_no_place_are_missing_and_can_be_read(monkeypatch):
    monkeypatch.setattr(channel, "FULL_BYTES", 50_000)

    async def story():
        async with linked() as (here, there):
            kept, heard = MemoryTimeline(TurnedClock()), []
            Served(there, kept)
            timeline = LinkedTimeline(here)
            timeline.subscribe("s", heard.append)
            top = await timeline.top("s")
            sent = await told(kept, top)
            assert await timeline.since("s", Position(top.epoch, 0)) == tuple(sent)
            assert 0 < len(heard) < FRAMES
            assert heard == sent[: len(heard)]

    run(story())


def test_whoever_left_hears_no_more_and_the_other_side_stops_telling():
    async def story():
        async with linked() as (here, there):
            kept, heard = MemoryTimeline(TurnedClock()), []
            Served(there, kept)
            timeline = LinkedTimeline(here)
            leave = timeline.subscribe("s", heard.append)
            leave_too = timeline.subscribe("s", heard.append)
            top = await timeline.top("s")
            leave()
            assert "s" in kept._listeners
            leave_too()
            leave_too()
            await timeline.top("s")
            assert "s" not in kept._listeners
            await kept.extend(frame_of(top, *COMMENTS))
            assert await timeline.since("s", Position(top.epoch, 0))
            assert heard == []

    run(story())


def test_with_the_link_all_subscriptions_end():
    async def story():
        kept = MemoryTimeline(TurnedClock())
        async with linked() as (here, there):
            served = Served(there, kept)
            timeline = LinkedTimeline(here)
            for stream in "abc":
                timeline.subscribe(stream, print)
            await timeline.top("a")
        assert "a" in kept._listeners
        served.close()
        assert [stream for stream in "abc" if stream in kept._listeners] == []

    run(story())
