"""Who shares which reading."""

import asyncio

import pytest

from tests.tools import run
from uproar.core.single_flight import SingleFlight


class Sea:
    """Readings that end when they are let, each telling which it was."""

    def __init__(self, rest_s=0.0):
        self.flights = SingleFlight(rest_s)
        self.ends = []

    async def read(self):
        end = asyncio.get_running_loop().create_future()
        self.ends.append(end)
        number = len(self.ends)
        await end
        return number

    async def ask(self, times=1, key="k"):
        """So many who ask at once; they are on their way when this returns."""
        asking = [asyncio.ensure_future(self.flights.do(key, self.read)) for _ in range(times)]
        await settle()
        return asyncio.gather(*asking, return_exceptions=True)

    async def let(self, number):
        self.ends[number - 1].set_result(None)
        await settle()


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


def test_who_asks_at_once_shares_a_reading():
    async def main():
        sea = Sea()
        asked = await sea.ask(1000)
        await sea.let(1)
        assert await asked == [1] * 1000

    run(main())


def test_who_comes_after_it_began_shares_the_next_which_begins_when_it_ends():
    async def main():
        sea = Sea()
        first, second, third = [await sea.ask(100) for _ in range(3)]
        assert len(sea.ends) == 1
        await sea.let(1)
        assert len(sea.ends) == 2
        fourth = await sea.ask()
        await sea.let(2)
        await sea.let(3)
        assert [await asked for asked in (first, second, third, fourth)] == [[1] * 100, [2] * 100, [2] * 100, [3]]

    run(main())


def test_keys_do_not_wait_for_one_another():
    async def main():
        sea = Sea()
        asked = [await sea.ask(key="a"), await sea.ask(key="b")]
        await sea.let(2)
        assert await asked[1] == [2]
        await sea.let(1)
        assert await asked[0] == [1]

    run(main())


def test_whoever_leaves_ends_it_for_nobody():
    async def main():
        sea = Sea()
        leaver = asyncio.ensure_future(sea.flights.do("k", sea.read))
        asked = await sea.ask()
        leaver.cancel()
        await settle()
        await sea.let(1)
        assert await asked == [1]
        with pytest.raises(asyncio.CancelledError):
            await leaver

    run(main())


def test_a_failure_is_for_those_on_it_and_the_next_goes_on():
    async def main():
        sea = Sea()
        first, second = await sea.ask(2), await sea.ask()
        sea.ends[0].set_exception(OSError("down"))
        await settle()
        await sea.let(2)
        assert [type(end) for end in await first] == [OSError, OSError]
        assert await second == [2]

    run(main())


def test_nothing_is_left_of_a_flight_that_landed():
    async def main():
        sea = Sea()
        asked = [await sea.ask(), await sea.ask()]
        await sea.let(1)
        await sea.let(2)
        await asyncio.gather(*asked)
        assert not sea.flights._next
        assert not sea.flights._under_way

    run(main())


def test_after_a_reading_the_next_rests_for_all_who_come_meanwhile():
    async def main():
        sea = Sea(rest_s=0.01)
        first = await sea.ask()
        later = [await sea.ask(10)]
        await sea.let(1)
        later += [await sea.ask(10) for _ in range(4)]
        assert len(sea.ends) == 1
        while len(sea.ends) == 1:
            await asyncio.sleep(0)
        await sea.let(2)
        assert await first == [1]
        assert await asyncio.gather(*later) == [[2] * 10] * 5

    run(main())
