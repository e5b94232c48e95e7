"""Those beside each other in a round: their order, and one that cannot."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.bench.installed import NotHere
from uproar.bench.turns import Turn, in_order, in_turn


def turns_of(names):
    return [Turn(name, "", None) for name in names]


def order(names, number):
    return "".join(turn.who for turn in in_order(turns_of(names), number))


def test_each_round_begins_with_the_next_one_and_every_other_goes_backwards():
    assert [order("abcd", number) for number in (1, 2, 3, 4, 5)] == ["abcd", "badc", "cdab", "dcba", "abcd"]


@given(count=st.integers(0, 9), number=st.integers(1, 40))
def test_everybody_has_one_turn_in_each_round(count, number):
    names = "abcdefghi"[:count]
    assert sorted(order(names, number)) == list(names)


@given(count=st.integers(3, 9))
def test_nobody_always_follows_the_same_one(count):
    names = "abcdefghi"[:count]
    before = {name: set() for name in names}
    for number in range(1, 2 * count + 1):
        for one, other in pairwise(order(names, number)):
            before[other].add(one)
    assert all(len(found) > 1 for found in before.values())


@pytest.mark.parametrize("fault", [NotHere("It is not here."), RuntimeError("It is not here.")])
def test_one_that_cannot_is_told_and_the_others_are_measured(fault):
    async def measure():
        return {"us": 1.0}

    async def fail():
        raise fault

    async def main():
        turns = [Turn("ws", "", fail), Turn("send", "deflated", measure)]
        return [shown async for shown in in_turn(turns, 1)]

    assert asyncio.run(main()) == [("ws", "", "It is not here."), ("send", "deflated", {"us": 1.0})]
