"""Posts for many users through one connection."""

import asyncio

import msgspec
import pytest
from websockets.asyncio.server import serve

from tests.tools import run
from uproar.cli.client import Address
from uproar.cli.poster import Way
from uproar.core.comment import User
from uproar.wire.codec import encode
from uproar.wire.frames import Ack, Bye, Post, RefusedMessage, Shown


def ack(ref, id="1"):
    return Ack(ref, Shown(id, User("ann", "Ann"), "hi", 0))


def refused(ref, code, reason):
    return RefusedMessage(code, reason, "no", True, ref=ref, retry_after_ms=1)


async def posted(answers, posts):
    """What a server hears on each of its connections, and what is told; `answers` are lists of messages by `ref`."""
    heard, told, enough = [], [], asyncio.Event()

    async def handler(socket):
        mine = []
        heard.append(mine)
        async for text in socket:
            op = msgspec.json.decode(text)
            mine.append(op.get("ref") or op["token"])
            for answer in answers[op["ref"]].pop(0) if "ref" in op else ():
                await socket.send(encode(answer).decode())
                if isinstance(answer, Bye):
                    return await socket.close(4000)
        return None

    def tell(answer):
        told.append(answer)
        if len(told) == len(posts):
            enough.set()

    async with serve(handler, "127.0.0.1", 0) as server:
        way = Way(Address(*server.sockets[0].getsockname()[:2]), "s", lambda user: f"token of {user}", tell)
        keeping = asyncio.ensure_future(way.keep())
        for user, ref in posts:
            await way.post(user, Post(ref, "hi"))
        await enough.wait()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    return heard, [(each.ref, each.id, each.reason) for each in told]


def test_each_user_signs_in_before_a_post_unless_signed_in_already():
    posts = [("ann", "1"), ("ann", "2"), ("bob", "3"), ("ann", "4")]
    heard, told = run(posted({ref: [[ack(ref, ref)]] for _, ref in posts}, posts))
    assert heard == [["token of ann", "1", "2", "token of bob", "3", "token of ann", "4"]]
    assert told == [(ref, ref, "") for _, ref in posts]


@pytest.mark.parametrize(("code", "reason"), [(501, "unavailable"), (502, "overloaded"), (503, "unconfirmed")])
def test_what_is_perhaps_or_not_yet_kept_is_sent_again_under_its_key(code, reason):
    heard, told = run(posted({"1": [[refused("1", code, reason)], [ack("1", "7")]]}, [("ann", "1")]))
    assert heard == [["token of ann", "1", "1"]]
    assert told == [("1", "7", "")]


def test_a_refusal_is_told_with_its_reason():
    _, told = run(posted({"1": [[refused("1", 210, "language")]]}, [("ann", "1")]))
    assert told == [("1", "", "language")]


def test_what_was_under_way_is_sent_again_when_the_connection_is_back():
    answers = {"1": [[], [ack("1")]], "2": [[Bye(4000, "shutdown", 1)], [ack("2")]]}
    heard, told = run(posted(answers, [("ann", "1"), ("ann", "2")]))
    assert heard == [["token of ann", "1", "2"]] * 2
    assert sorted(told) == [("1", "1", ""), ("2", "1", "")]


def test_an_answer_is_told_once():
    _, told = run(posted({"1": [[ack("1"), ack("1")]], "2": [[ack("2")]]}, [("ann", "1"), ("ann", "2")]))
    assert told == [("1", "1", ""), ("2", "1", "")]
