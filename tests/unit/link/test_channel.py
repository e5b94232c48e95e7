"""Both ends of a link: order, bounds, and what is left when it breaks."""

import asyncio
import socket

import pytest

from tests.links import End, linked
from tests.tools import run
from uproar.core.errors import Overloaded, Unavailable, Unconfirmed
from uproar.link import Link, channel


async def echo(word):
    return word


def test_notes_come_in_order_and_questions_are_answered():
    async def story():
        async with linked() as (here, there):
            heard = []
            there.on("said", tuple[str, int], lambda *told: heard.append(told))
            there.answers("echo", tuple[str], echo)
            for number in range(100):
                here.note("said", "n", number)
            assert await here.ask("echo", str, "hello") == "hello"
            assert heard == [("n", number) for number in range(100)]

    run(story())


def test_answers_find_who_asked_whatever_the_order_in_which_they_come():
    async def story():
        gates = {name: asyncio.Event() for name in "abc"}

        async def when_open(name):
            await gates[name].wait()
            return name

        async with linked() as (here, there):
            there.answers("wait", tuple[str], when_open)
            asking = {name: asyncio.ensure_future(here.ask("wait", str, name)) for name in gates}
            for name in "cab":
                gates[name].set()
                assert await asking[name] == name

    run(story())


def test_whoever_left_is_not_answered():
    async def story():
        gate = asyncio.Event()

        async def slow():
            await gate.wait()

        async with linked() as (here, there):
            there.answers("slow", tuple[()], slow)
            there.answers("echo", tuple[str], echo)
            asking = asyncio.ensure_future(here.ask("slow", None))
            await asyncio.sleep(0)
            asking.cancel()
            gate.set()
            assert await here.ask("echo", str, "still here") == "still here"

    run(story())


@pytest.mark.parametrize("family", [Unavailable, Overloaded, Unconfirmed])
def test_an_outage_there_is_an_outage_here(family):
    async def down():
        raise family("down", 77)

    async def story():
        async with linked() as (here, there):
            there.answers("down", tuple[()], down)
            with pytest.raises(family, match="down") as fault:
                await here.ask("down", None)
            assert (type(fault.value), fault.value.retry_after_ms) == (family, 77)

    run(story())


def test_a_bug_there_is_loud_there_and_an_outage_here():
    async def wrong():
        raise KeyError("x")

    async def story():
        told = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["exception"]))
        async with linked() as (here, there):
            there.answers("wrong", tuple[()], wrong)
            with pytest.raises(Unavailable):
                await here.ask("wrong", None)
        assert [type(bug) for bug in told] == [KeyError]

    run(story())


def test_questions_that_wait_when_the_link_breaks_are_unconfirmed_and_later_ones_refused():
    async def story():
        async def never():
            await asyncio.Event().wait()

        async with linked() as (here, there):
            there.answers("never", tuple[()], never)
            asking = asyncio.ensure_future(here.ask("never", None))
            await asyncio.sleep(0.01)
            there.close()
            with pytest.raises(Unconfirmed):
                await asking
            assert here.lost.is_set()
            with pytest.raises(Unavailable):
                await here.ask("never", None)
            assert here.offer("frame") is False
            here.note("nobody", "hears")

    run(story())


async def one_end():
    """An end whose other end reads nothing."""
    ours, theirs = socket.socketpair()
    end = End()
    await asyncio.get_running_loop().create_unix_connection(lambda: end, sock=ours)
    return end, theirs


def test_when_too_much_waits_what_may_be_lost_is_dropped_and_questions_are_refused(monkeypatch):
    monkeypatch.setattr(channel, "FULL_BYTES", 100_000)

    async def story():
        end, theirs = await one_end()
        offered = [end.offer("frame", bytes(10_000)) for _ in range(200)]
        assert offered[0]
        assert not offered[-1]
        assert offered == sorted(offered, reverse=True)
        with pytest.raises(Overloaded):
            await end.ask("post", None, "text")
        end.note("left", 7)  # what must not be lost goes all the same
        theirs.close()
        await end.lost.wait()

    run(story())


def test_no_more_questions_wait_than_may(monkeypatch):
    monkeypatch.setattr(channel, "QUESTIONS", 3)

    async def story():
        end, theirs = await one_end()
        asking = [asyncio.ensure_future(end.ask("post", None)) for _ in range(4)]
        await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        assert [one.done() for one in asking] == [False, False, False, True]
        assert isinstance(asking[3].exception(), Overloaded)
        theirs.close()
        for one in asking[:3]:
            with pytest.raises(Unconfirmed):
                await one

    run(story())


def test_what_is_no_message_ends_the_link():
    async def story():
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        end, theirs = await one_end()
        theirs.sendall(b"\xff\xff\xff\xff")
        await end.lost.wait()
        theirs.close()

    run(story())


def test_whatever_comes_is_heard():
    async def story():
        ends, heard = socket.socketpair(), []
        here, there = Link(list, lambda: heard.append(1)), End()
        for end, one in zip((here, there), ends, strict=True):
            await asyncio.get_running_loop().create_unix_connection(lambda end=end: end, sock=one)
        here.on("said", tuple[()], list)
        there.note("said")
        while not heard:
            await asyncio.sleep(0)
        here.close()
        await there.lost.wait()

    run(story())
