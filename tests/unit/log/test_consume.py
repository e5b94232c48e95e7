"""The one loop, on the log in memory and in time that jumps."""

import asyncio
import selectors
from random import Random

import pytest

from uproar.core.errors import Unavailable
from uproar.core.events import Removed
from uproar.log.consume import POISON_RUN, consume
from uproar.log.memory import MemoryLog

GROUP = "g"


class _Jumping(selectors.DefaultSelector):
    time = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everyone waits, and nothing is due")
        if not ready:
            self.time += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """Waiting takes no time here."""

    def __init__(self):
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self):
        return self._jumping.time


class LoopClock:
    """Tells the loop's time."""

    def now(self):
        return asyncio.get_running_loop().time()

    def now_ms(self):
        return 1_790_000_000_000 + round(self.now() * 1000)


class Recording:
    """Notes what it applies, and fails as it is told to."""

    group = GROUP

    def __init__(self, poison=(), limit=5, span_s=0.1):
        self.applied = []
        self.batches = []
        self.poison = frozenset(poison)
        self.down_until = 0.0
        self.slow_s = {}
        self.busy = self.most_busy = 0
        self._limit = limit
        self._span_s = span_s

    def key(self, event):
        return event.stream

    def span_s(self, key):
        return self._span_s

    def limit(self, key):
        return self._limit

    async def apply(self, key, records):
        self.busy += 1
        self.most_busy = max(self.busy, self.most_busy)
        await asyncio.sleep(self.slow_s.get(key, 0.001))
        self.busy -= 1
        if asyncio.get_running_loop().time() < self.down_until:
            raise Unavailable("down")
        ids = [record.event.comment_id for record in records]
        if not self.poison.isdisjoint(ids):
            raise ValueError("cannot be applied")
        self.batches.append((key, ids))
        self.applied += ids


class Day:
    """A log, a worker on it, and what to do with them."""

    def __init__(self, worker):
        self.clock = LoopClock()
        self.log = MemoryLog(self.clock)
        self.worker = worker
        self.stop = asyncio.Event()
        self.buried = []

    async def consume(self):
        await consume(self.log, self.worker, self.clock, self.stop, Random(7), self.buried.append)

    async def append(self, ids, stream="s"):
        for number in ids:
            await self.log.append(Removed(stream, number, "mod"))

    async def after(self, seconds):
        """Let the worker work for so long, then stop it and let it end."""
        consuming = asyncio.create_task(self.consume())
        await asyncio.sleep(seconds)
        self.stop.set()
        await consuming


def run(coroutine):
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(coroutine)


def test_everything_is_applied_in_order_and_committed():
    async def main():
        day = Day(Recording())
        await day.append(range(23))
        await day.after(5)
        assert day.worker.applied == list(range(23))
        assert max(len(ids) for _, ids in day.worker.batches) == 5
        assert await day.log.lag(GROUP) == 0

    run(main())


def test_what_comes_while_it_waits_is_applied_after_its_span():
    async def main():
        day = Day(Recording(span_s=0.5))
        consuming = asyncio.create_task(day.consume())
        await asyncio.sleep(10)
        await day.append([1])
        await asyncio.sleep(0.4)
        assert day.worker.applied == []
        await asyncio.sleep(0.2)
        assert day.worker.applied == [1]
        day.stop.set()
        await consuming

    run(main())


def test_a_batch_that_fills_up_leaves_at_once_and_few_reads_lead_there():
    async def main():
        day = Day(Recording(span_s=0.5, limit=5))
        consuming = asyncio.create_task(day.consume())
        await asyncio.sleep(10)
        reader, reads = day.log.above, []

        async def counted(offset, limit):
            reads.append(offset)
            return await reader(offset, limit)

        day.log.above = counted
        for number in range(4):
            await day.append([number])
            await asyncio.sleep(0.002)
        assert day.worker.applied == []
        assert len(reads) == 1
        await day.append([4])
        await asyncio.sleep(0.002)
        assert day.worker.applied == [0, 1, 2, 3, 4]
        assert len(reads) == 2
        day.stop.set()
        await consuming

    run(main())


def test_what_comes_while_others_wait_begins_to_wait_soon():
    async def main():
        day = Day(Recording(span_s=0.5))
        consuming = asyncio.create_task(day.consume())
        await day.append([1])
        await asyncio.sleep(0.1)
        await day.append([2], stream="t")
        await asyncio.sleep(0.44)
        assert day.worker.applied == [1]
        await asyncio.sleep(0.1)
        assert day.worker.applied == [1, 2]
        day.stop.set()
        await consuming

    run(main())


def test_it_commits_without_being_stopped():
    async def main():
        day = Day(Recording())
        consuming = asyncio.create_task(day.consume())
        await day.append([1, 2])
        await asyncio.sleep(2)
        assert await day.log.lag(GROUP) == 0
        day.stop.set()
        await consuming

    run(main())


def test_a_stop_applies_and_commits_what_was_read():
    async def main():
        day = Day(Recording(span_s=3600))
        await day.append(range(3))
        await day.after(1)
        assert day.worker.applied == [0, 1, 2]
        assert await day.log.lag(GROUP) == 0

    run(main())


def test_an_outage_is_waited_out_and_nothing_is_lost_or_out_of_order():
    async def main():
        day = Day(Recording())
        day.worker.down_until = 60
        await day.append(range(12))
        await day.after(120)
        assert day.worker.applied == list(range(12))
        assert day.buried == []

    run(main())


def test_a_stop_in_an_outage_ends_and_leaves_the_rest_for_the_next_start():
    async def main():
        day = Day(Recording())
        day.worker.down_until = 3600
        await day.append(range(12))
        await day.after(60)
        assert await day.log.lag(GROUP) == 12
        day.stop.clear()
        day.worker.down_until = 0
        await day.after(5)
        assert day.worker.applied == list(range(12))
        assert await day.log.lag(GROUP) == 0

    run(main())


def test_a_record_that_cannot_be_applied_is_buried_once_and_the_rest_goes_on():
    async def main():
        day = Day(Recording(poison=[3, 17], limit=10))
        await day.append(range(20))
        await day.after(5)
        assert day.worker.applied == [n for n in range(20) if n not in (3, 17)]
        assert [letter.offset for letter in await day.log.dead_letters()] == [4, 18]
        assert day.buried == [GROUP, GROUP]
        assert await day.log.lag(GROUP) == 0

    run(main())


def test_a_worker_that_fails_on_every_record_ends_loudly_and_commits_none_of_them():
    async def main():
        count = POISON_RUN * 2
        day = Day(Recording(poison=range(count), limit=count))
        await day.append(range(count))
        with pytest.raises(ExceptionGroup) as raised:
            await day.after(5)
        assert raised.group_contains(ValueError)
        assert await day.log.lag(GROUP) == count

    run(main())


def test_a_slow_key_holds_no_other_up_and_none_is_committed_past_it():
    async def main():
        day = Day(Recording())
        day.worker.slow_s["slow"] = 100
        await day.append([1], "slow")
        await day.append([2], "quick")
        consuming = asyncio.create_task(day.consume())
        await asyncio.sleep(2)
        assert day.worker.applied == [2]
        assert await day.log.lag(GROUP) == 2
        day.stop.set()
        await consuming
        assert day.worker.applied == [2, 1]
        assert await day.log.lag(GROUP) == 0

    run(main())


def test_so_many_keys_at_once_and_no_more(monkeypatch):
    monkeypatch.setattr("uproar.log.consume.SIDE_BY_SIDE", 4)

    async def main():
        day = Day(Recording())
        for number in range(20):
            await day.append([number], f"s{number}")
        await day.after(5)
        assert sorted(day.worker.applied) == list(range(20))
        assert day.worker.most_busy == 4

    run(main())


def test_it_stops_reading_while_too_much_is_open(monkeypatch):
    monkeypatch.setattr("uproar.log.consume.READ_LIMIT", 10)
    monkeypatch.setattr("uproar.log.consume.OPEN_RECORDS", 20)

    async def main():
        day = Day(Recording(limit=1000, span_s=50))
        await day.append(range(100))
        consuming = asyncio.create_task(day.consume())
        await asyncio.sleep(60)
        assert day.worker.applied == list(range(20))
        await asyncio.sleep(1000)
        assert day.worker.applied == list(range(100))
        day.stop.set()
        await consuming

    run(main())


def test_an_end_at_any_moment_repeats_some_and_loses_none():
    async def main(seed):
        dice = Random(seed)
        day = Day(Recording())
        await day.append(range(40))
        for _ in range(5):
            consuming = asyncio.create_task(day.consume())
            await asyncio.sleep(dice.random() * 0.5)
            consuming.cancel()
            await asyncio.gather(consuming, return_exceptions=True)
        await day.after(5)
        assert set(day.worker.applied) == set(range(40))
        assert await day.log.lag(GROUP) == 0

    for seed in range(20):
        run(main(seed))
