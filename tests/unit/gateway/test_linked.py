"""The write path over a link: answers and refusals as they were given, and what becomes of outages."""

import asyncio

import pytest

from tests.links import linked
from tests.tools import TurnedClock, run
from tests.unit.link.test_channel import one_end
from uproar.auth import Identity
from uproar.core.comment import Comment, Parent, User
from uproar.core.errors import Overloaded, Unavailable, Unconfirmed
from uproar.core.events import Reacted
from uproar.core.refusal import Refusal, Refused
from uproar.core.stream import Rules, Stream
from uproar.gateway.linked import service
from uproar.gateway.linked.service import LinkedWrites, serve_writes
from uproar.link import channel

ANN = Identity("ann", "Ann", 1_900_000_000, ("moderator@s",), True, 5)
KEPT = Comment(7, "s", User("ann", "Ann", ("moderator",), True), "hello", Parent(3, "bob", "hi"))
STREAM = Stream("s", creator="ann", rules=Rules(slow_ms=7))
REFUSED = Refused(Refusal.TOO_FAST, 1500, "slower, please")


class Writes:
    """Gives what it is told to, and remembers what it was asked."""

    def __init__(self, gives):
        self.gives, self.asked = gives, []

    async def give(self, *told):
        self.asked.append(told)
        if isinstance(self.gives, Exception):
            raise self.gives
        return self.gives

    post = like = report = stream = append = give


async def over(gives, ask):
    """What comes over a link of `ask(writes)`, and what was asked on the other side."""
    async with linked() as (here, there):
        writes = Writes(gives)
        serve_writes(there, writes, writes.append)
        return await ask(LinkedWrites(here, TurnedClock())), writes.asked


@pytest.mark.parametrize(
    ("gives", "ask", "asked"),
    [
        (KEPT, lambda w: w.post(ANN, "s", "hello", 3, "key"), (ANN, "s", "hello", 3, "key")),
        (KEPT, lambda w: w.post(None, "s", "\x00 ' 字"), (None, "s", "\x00 ' 字", None, "")),
        (REFUSED, lambda w: w.post(ANN, "s", "hello"), (ANN, "s", "hello", None, "")),
        (None, lambda w: w.like(ANN, "s", 2**62, True), (ANN, "s", 2**62, True)),
        (REFUSED, lambda w: w.like(ANN, "s", 7, False), (ANN, "s", 7, False)),
        (None, lambda w: w.report(None, "s", 7, "spam"), (None, "s", 7, "spam")),
        (STREAM, lambda w: w.stream("s"), ("s",)),
        (None, lambda w: w.stream("t"), ("t",)),
        (41, lambda w: w.append(Reacted("s", "run", 3, {"🔥": 2}, 9)), (Reacted("s", "run", 3, {"🔥": 2}, 9),)),
    ],
)
def test_what_is_asked_and_given_is_the_same_on_both_sides(gives, ask, asked):
    assert run(over(gives, ask)) == (gives, [asked])


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_goes_over(refusal):
    assert run(over(Refused(refusal), lambda writes: writes.like(ANN, "s", 7, True)))[0] == Refused(refusal)


@pytest.mark.parametrize(
    ("fault", "refusal"),
    [
        (Unavailable("down", 7), Refusal.UNAVAILABLE),
        (Overloaded("full", 7), Refusal.OVERLOADED),
        (Unconfirmed("slow", 7), Refusal.UNCONFIRMED),
    ],
)
def test_an_outage_is_a_refusal_for_viewers_and_an_outage_for_what_is_tried_again(fault, refusal):
    assert run(over(fault, lambda writes: writes.post(ANN, "s", "hello")))[0] == Refused(refusal, 7)
    with pytest.raises(type(fault)):
        run(over(fault, lambda writes: writes.append(Reacted("s", "run", 3, {}, 9))))


def test_a_post_that_finds_the_link_full_is_overloaded_and_one_that_it_broke_over_unconfirmed(monkeypatch):
    monkeypatch.setattr(channel, "FULL_BYTES", 10_000)

    async def story():
        end, theirs = await one_end()
        writes = LinkedWrites(end, TurnedClock())
        posting = asyncio.ensure_future(writes.post(ANN, "s", "first"))
        while end.offer("frame", bytes(100_000)):
            await asyncio.sleep(0)
        assert (await writes.post(ANN, "s", "second")).refusal is Refusal.OVERLOADED
        theirs.close()
        assert (await posting).refusal is Refusal.UNCONFIRMED

    run(story())


def test_a_crowd_that_reacts_asks_for_its_stream_twice_a_second_at_most():
    async def story():
        async with linked() as (here, there):
            clock, writes = TurnedClock(), Writes(STREAM)
            serve_writes(there, writes, writes.append)
            crowd = LinkedWrites(here, clock)
            for second in range(1, 4):
                for _ in range(3):
                    assert await asyncio.gather(*(crowd.stream("s") for _ in range(1_000))) == [STREAM] * 1_000
                assert second <= len(writes.asked) <= 2 * second
                clock.turn(service.FRESH_S)

    run(story())


def test_a_stream_that_changed_is_known_as_it_is_within_a_second():
    async def story():
        async with linked() as (here, there):
            clock, writes = TurnedClock(), Writes(STREAM)
            serve_writes(there, writes, writes.append)
            linked_writes = LinkedWrites(here, clock)
            assert await linked_writes.stream("s") == STREAM
            writes.gives = Stream("s", creator="bob")
            clock.turn(service.FRESH_S)
            assert await linked_writes.stream("s") == writes.gives

    run(story())


@pytest.mark.parametrize("gives", [None, REFUSED])
def test_that_a_stream_is_not_known_is_asked_again(gives):
    async def story():
        async with linked() as (here, there):
            writes = Writes(gives)
            serve_writes(there, writes, writes.append)
            linked_writes = LinkedWrites(here, TurnedClock())
            assert await linked_writes.stream("s") == gives
            writes.gives = STREAM
            assert await linked_writes.stream("s") == STREAM

    run(story())


def test_more_streams_than_may_be_known_forget_the_first(monkeypatch):
    monkeypatch.setattr(service, "STREAMS", 2)

    async def story():
        async with linked() as (here, there):
            writes = Writes(STREAM)
            serve_writes(there, writes, writes.append)
            linked_writes = LinkedWrites(here, TurnedClock())
            for stream in ("a", "b", "c", "b", "c", "a"):
                await linked_writes.stream(stream)
            assert writes.asked == [("a",), ("b",), ("c",), ("a",)]

    run(story())
