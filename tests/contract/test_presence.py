"""What every presence promises. A new kind joins by one line in KINDS."""

import pytest

from tests.links import linked
from tests.tools import TurnedClock, run
from uproar.presence.linked import LinkedPresence, Served
from uproar.presence.memory import MemoryPresence


class OverALink:
    """Each deed over a link of its own to one presence in memory."""

    def __init__(self, clock):
        self._there = MemoryPresence(clock)

    def __getattr__(self, deed):
        async def over(*told):
            async with linked() as (here, there):
                Served(there, self._there)
                return await getattr(LinkedPresence(here), deed)(*told)

        return over


KINDS = {"memory": MemoryPresence, "linked": OverALink}


@pytest.fixture
def clock():
    return TurnedClock()


@pytest.fixture(params=KINDS)
def presence(request, clock):
    return KINDS[request.param](clock)


def told(presence, *tellings):
    async def main():
        for gateway, viewers in tellings:
            await presence.tell(gateway, viewers)

    run(main())


def viewers(presence, stream="s"):
    return run(presence.viewers(stream))


def test_a_stream_that_nobody_told_of_has_no_viewers(presence):
    assert viewers(presence) == 0


def test_viewers_are_added_up_over_gateways(presence):
    told(presence, ("a", {"s": 3, "t": 1}), ("b", {"s": 4}))
    assert (viewers(presence, "s"), viewers(presence, "t")) == (7, 1)


def test_a_telling_replaces_the_one_before(presence):
    told(presence, ("a", {"s": 3, "t": 1}), ("a", {"s": 2}))
    assert (viewers(presence, "s"), viewers(presence, "t")) == (2, 0)


def test_what_is_told_is_told_by_value(presence):
    mine = {"s": 3}
    told(presence, ("a", mine))
    mine["s"] = 9
    assert viewers(presence) == 3


def test_a_gateway_that_tells_every_two_seconds_stays(presence, clock):
    for _ in range(10):
        told(presence, ("a", {"s": 3}))
        clock.turn(2)
    assert viewers(presence) == 3


def test_a_gateway_that_missed_two_tellings_still_counts(presence, clock):
    told(presence, ("a", {"s": 3}))
    clock.turn(5.9)
    assert viewers(presence) == 3


def test_a_dead_gateway_s_viewers_vanish_within_ten_seconds(presence, clock):
    told(presence, ("a", {"s": 3}))
    clock.turn(8)
    told(presence, ("b", {"s": 1}))
    clock.turn(2)
    assert viewers(presence) == 1


def test_a_gateway_that_leaves_is_gone_at_once(presence):
    told(presence, ("a", {"s": 3}), ("b", {"s": 1}))
    run(presence.leave("a"))
    run(presence.leave("never there"))
    assert viewers(presence) == 1
