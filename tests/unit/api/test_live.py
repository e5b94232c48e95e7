"""Followers: what comes of a stream for a reader over HTTP."""

import asyncio
from types import SimpleNamespace

from tests.frames import frame_of, said
from tests.tools import TurnedClock, run
from uproar.api.live import BUFFERED, Follower, close_all
from uproar.gateway.http.protocol import ABORT
from uproar.timeline.memory import MemoryTimeline


class Request:
    """A reader's, of which it is known how often its connection was ended."""

    def __init__(self):
        self.timeline, self.aborts, self.followers = MemoryTimeline(TurnedClock()), 0, set()
        self.scope = {"extensions": {ABORT: {"now": self._abort}}}
        services = SimpleNamespace(timeline=self.timeline)
        self.app = SimpleNamespace(state=SimpleNamespace(followers=self.followers, services=services))

    def _abort(self):
        self.aborts += 1

    async def frames(self, count):
        for _ in range(count):
            top = await self.timeline.top("s")
            assert await self.timeline.extend(frame_of(top, said(top.number + 1)))
        await asyncio.sleep(0)


def test_one_frame_more_than_a_reader_may_be_behind_ends_its_connection():
    async def main():
        request = Request()
        follower = Follower(request, "s")
        await request.frames(BUFFERED)
        assert request.aborts == 0
        await request.frames(1)
        assert request.aborts == 1
        assert len(await follower.next(0)) == BUFFERED

    run(main())


def test_a_stop_wakes_every_reader_and_who_left_is_not_asked():
    async def main():
        request = Request()
        one, other, gone = (Follower(request, "s") for _ in range(3))
        gone.leave()
        waiting = [asyncio.ensure_future(follower.next(60)) for follower in (one, other)]
        await asyncio.sleep(0)
        close_all(tuple(request.followers), 10)
        assert [len(frames) for frames in await asyncio.gather(*waiting)] == [0, 0]
        assert sorted(follower.wait_ms for follower in (one, other)) == [5_000, 10_000]
        assert not gone.closing

    run(main())
