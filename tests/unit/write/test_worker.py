"""What the write role does unasked."""

import asyncio

import pytest

from tests.tools import TurnedClock, run
from uproar.core.errors import Unavailable
from uproar.core.ids import at_ms
from uproar.store.memory import MemoryStore
from uproar.write.worker import LEASE_MS, LeasedIds, upkeep


def test_without_a_lease_there_are_no_ids():
    clock = TurnedClock()
    with pytest.raises(Unavailable):
        LeasedIds(MemoryStore(), clock, "me").next(clock.now_ms())


def test_ids_go_on_as_long_as_the_lease_is_renewed():
    async def main():
        clock, made = TurnedClock(), []
        ids = LeasedIds(MemoryStore(), clock, "me")
        for _ in range(20):
            await ids.renew()
            made.append(ids.next(clock.now_ms()))
            clock.turn(19)
        return made

    made = run(main())
    assert made == sorted(set(made))


def test_a_lease_that_is_not_renewed_ends():
    async def main():
        clock = TurnedClock()
        ids = LeasedIds(MemoryStore(), clock, "me")
        await ids.renew()
        clock.turn(LEASE_MS / 1000)
        with pytest.raises(Unavailable):
            ids.next(clock.now_ms())
        await ids.renew()
        assert at_ms(ids.next(clock.now_ms())) == clock.now_ms()

    run(main())


def test_a_store_that_is_away_for_half_a_minute_is_not_missed():
    async def main():
        clock, store = TurnedClock(), MemoryStore()
        ids = LeasedIds(store, clock, "me")
        await ids.renew()
        clock.turn(20)
        await ids.renew()
        clock.turn(19)
        await ids.renew()
        clock.turn(40)
        ids.next(clock.now_ms())

    run(main())


def test_who_lost_the_number_to_another_goes_on_under_a_new_one():
    async def main():
        clock, store = TurnedClock(), MemoryStore()
        slow, quick = (LeasedIds(store, clock, name) for name in ("slow", "quick"))
        await slow.renew()
        clock.turn(90)
        await quick.renew()
        await slow.renew()
        return slow.next(clock.now_ms()), quick.next(clock.now_ms())

    slow, quick = run(main())
    assert slow != quick


def test_a_chore_that_an_outage_keeps_from_being_done_keeps_no_other_and_is_tried_again():
    async def main():
        done = []

        async def fails():
            done.append("tried")
            raise Unavailable("down")

        async def works():
            done.append("done")
            if len(done) == 4:
                task.cancel()

        task = asyncio.create_task(upkeep([fails, works], pause_s=0))
        await asyncio.gather(task, return_exceptions=True)
        return done

    assert run(main()) == ["tried", "done", "tried", "done"]
