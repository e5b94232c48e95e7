"""When our client comes back, and where it goes on."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.http11 import Response

from tests.tools import run
from tests.unit.cli.serving import served
from uproar.cli.client import Address, NotLetIn
from uproar.cli.returning import Return, comes_back, keep_watching, wait_s
from uproar.wire.codec import encode
from uproar.wire.frames import Batch, Bye, Joined, PosterRules, RefusedMessage

RULES = PosterRules(500, 0, (), "live")


def joined(position, recovered=False):
    return Joined("s", position, recovered, [], [], 1, {}, RULES)


@pytest.mark.parametrize(
    ("tries", "asked_ms", "luck", "wait"),
    [
        (0, None, 1.0, 0.5),
        (1, None, 1.0, 1.0),
        (5, None, 1.0, 16.0),
        (6, None, 1.0, 30.0),
        (9_999, None, 1.0, 30.0),
        (3, None, 0.5, 2.0),
        (3, None, 0.0, 0.0),
        (9, 1_234, 0.9, 1.234),
        (9, 0, 0.9, 0.0),
    ],
)
def test_the_wait_is_what_was_asked_else_random_up_to_a_bound_that_doubles(tries, asked_ms, luck, wait):
    assert wait_s(tries, asked_ms, luck) == wait


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_no_wait_is_longer_than_half_a_minute(tries, luck):
    assert 0 <= wait_s(tries, None, luck) <= 30


@pytest.mark.parametrize(
    ("code", "back"), [(1006, True), (1009, True), (4000, True), (4003, True), (4500, False), (4503, False)]
)
def test_45xx_does_not_come_back(code, back):
    assert comes_back(code) is back


class TestReturn:
    def test_the_position_is_that_of_the_newest_message(self):
        back = Return()
        for message in (joined("e.4"), Batch("e.5"), Bye(4000, "shutdown", 700)):
            back.heard(message)
        assert back.position == "e.5"

    def test_a_wish_holds_once(self):
        back = Return()
        back.heard(Bye(4000, "shutdown", 700))
        assert [back.wait_s(0.0), back.wait_s(0.0)] == [0.7, 0.0]

    def test_failing_waits_longer_until_a_join(self):
        back = Return()
        waits = [back.wait_s(1.0) for _ in range(3)]
        back.heard(joined("e.1"))
        assert [*waits, back.wait_s(1.0)] == [0.5, 1.0, 2.0, 0.5]


def test_whoever_is_not_let_in_is_told_the_status():
    async def use(address):
        with pytest.raises(NotLetIn) as refused:
            await keep_watching(address, "s", print, print)
        return refused.value.status

    async def handler(socket):
        raise AssertionError("nobody is let in")

    def deny(socket, request):
        return Response(404, "Not Found", socket.respond(404, "").headers, b"")

    assert run(served(handler, use, process_request=deny)) == 404


def test_a_server_that_is_too_busy_for_now_says_how_long_to_stay_away():
    waits = []

    async def use(address):
        watching = asyncio.ensure_future(
            keep_watching(address, "s", print, lambda state: waits.append(state.wait_s) if state.wait_s else None)
        )
        while not waits:
            await asyncio.sleep(0)
        watching.cancel()
        return waits[0]

    async def handler(socket):
        raise AssertionError("nobody is let in")

    def deny(socket, request):
        answer = socket.respond(503, "")
        answer.headers["Retry-After"] = "7"
        return answer

    assert 7 <= run(served(handler, use, process_request=deny)) < 7.5


def test_a_lost_viewer_comes_back_by_position_until_it_is_not_wanted():
    paths, heard, states = [], [], []

    async def handler(socket):
        paths.append(socket.request.path)
        if len(paths) == 1:
            await socket.send(encode(joined("e.1")).decode())
            await socket.send(encode(Batch("e.2")).decode())
            await socket.send(encode(Bye(4000, "shutdown", 1)).decode())
            await socket.close(4000)
        else:
            await socket.send(encode(joined("e.2", recovered=True)).decode())
            await socket.close(4503)

    async def use(address):
        return await keep_watching(address, "s", heard.append, lambda state: states.append(state.word), history=7)

    assert run(served(handler, use)) == 4503
    assert paths == ["/v1/streams/s/live?history=7", "/v1/streams/s/live?position=e.2"]
    assert [type(message) for message in heard] == [Joined, Batch, Bye, Joined]
    assert states == ["joining", "live", "away", "joining", "live"]


def test_a_token_is_presented_in_a_message_so_that_its_refusal_is_heard():
    heard = []

    async def handler(socket):
        assert socket.request.headers.get("Authorization") is None
        assert await socket.recv() == '{"op":"auth","token":"bad"}'
        await socket.send(encode(RefusedMessage(102, "bad_token", "Please sign in again.", True)).decode())
        await socket.close(4503)

    async def use(address):
        return await keep_watching(address, "s", heard.append, lambda state: None, "bad")

    assert run(served(handler, use)) == 4503
    assert [message.reason for message in heard] == ["bad_token"]


def test_a_server_that_is_not_there_is_told_while_it_is_tried_again():
    async def use():
        states = []
        told = asyncio.Event()

        def stand(state):
            states.append(state)
            if state.word == "away":
                told.set()

        watching = asyncio.ensure_future(keep_watching(Address("127.0.0.1", 1), "s", print, stand))
        await told.wait()
        watching.cancel()
        return states[-1].why

    assert "nobody answers" in run(use())


def test_a_lost_viewer_is_told_why():
    codes, states = [4001, 4503], []

    async def handler(socket):
        await socket.close(codes.pop(0))

    async def use(address):
        return await keep_watching(address, "s", print, states.append)

    run(served(handler, use))
    assert [state.why for state in states if state.word == "away"] == ["the server closed with 4001 too_slow"]
