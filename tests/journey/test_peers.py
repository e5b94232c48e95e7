"""Peers measured beside the floor: those that are on this machine already; a test installs none."""

import asyncio
import sys
from pathlib import Path

import pytest
from websockets.asyncio.server import serve

from uproar.bench import installed
from uproar.bench.compiled import compiler
from uproar.bench.installed import NotHere
from uproar.bench.peers import peer
from uproar.bench.programs import watching
from uproar.bench.registry import PEERS

VIEWERS, FRAME_BYTES, RATE, SECONDS = 5, 2048, 10, 1
PUBLISHED = RATE * SECONDS
COMMENTS = 20
WITHIN_S = 60

pytestmark = pytest.mark.skipif(compiler() is None, reason="this machine has no C compiler")


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """Nothing is installed; `websockets` is a package of the tests themselves."""

    def refuse(command, folder):
        raise NotHere("this peer was not installed before")

    monkeypatch.setattr(installed, "_run", refuse)
    here = PEERS["websockets"]._replace(made=lambda: Path(sys.executable))
    monkeypatch.setitem(PEERS, "websockets", here)


def measured(name, **more):
    async def in_time():
        async with asyncio.timeout(WITHIN_S):
            return await peer(name, VIEWERS, FRAME_BYTES, RATE, SECONDS, **more)

    try:
        PEERS[name].made()
    except NotHere as fault:
        pytest.skip(str(fault))
    return asyncio.run(in_time())


def is_whole(saw):
    return not any(saw[fault] for fault in ("holes", "repeats", "damaged", "closes", "refusals"))


@pytest.mark.parametrize("name", PEERS)
def test_every_batch_of_a_peer_reaches_every_viewer(name):
    cost, saw = measured(name)
    assert saw["batches"] == saw["latency_ms"]["count"] == VIEWERS * PUBLISHED
    assert saw["least_batches"] == saw["most_batches"] == PUBLISHED
    assert saw["batch_bytes"] >= saw["batches"] * FRAME_BYTES
    assert is_whole(saw)
    assert cost["cpu_us_per_frame"] >= 0


def test_every_comment_can_be_a_message_of_its_own():
    cost, saw = measured("websockets", comments=COMMENTS)
    assert saw["batches"] == VIEWERS * PUBLISHED * COMMENTS
    assert saw["batch_bytes"] == saw["batches"] * (FRAME_BYTES // COMMENTS)
    assert cost["cpu_us_per_comment"] == cost["cpu_us_per_frame"]


def test_a_message_has_room_for_its_time_stamp():
    with pytest.raises(ValueError, match="at least 96 bytes"):
        measured("websockets", comments=FRAME_BYTES)


def test_a_peer_that_ends_at_once_says_why(monkeypatch):
    broken = PEERS["websockets"]._replace(
        command=lambda made, start: [str(made), "-c", "raise SystemExit('no ports left')"]
    )
    monkeypatch.setitem(PEERS, "websockets", broken)
    with pytest.raises(NotHere, match="no ports left"):
        measured("websockets")


def test_a_server_with_a_protocol_of_its_own_is_understood():
    heard = []

    async def greet(viewer):
        heard.append(await viewer.recv())
        await viewer.send('INFO {"a":"server"}')
        heard.append(await viewer.recv())
        await viewer.send("PING")
        heard.append(await viewer.recv())
        batch = '{"type":"batch","position":"peer.%d","comments":[]}'
        await viewer.send("\n".join(["MSG 1", "push:" + batch % 1, "MSG 2", "push:" + batch % 2]))
        await viewer.send("push:" + batch % 3)
        await viewer.send(batch % 4)  # without what stands before each
        await viewer.wait_closed()

    async def main():
        speaks = {"hello": "hello\n" * 50, "answer": ("INFO =SUB live", "PING=PONG"), "prefix": "push:", "lines": True}
        async with asyncio.timeout(WITHIN_S), serve(greet, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with watching(port, "/", **speaks) as crowd:
                await crowd.until(lambda saw: saw["batches"] == 3 and saw["frames"] == 5)
                return await crowd.end()

    saw = asyncio.run(main())
    assert heard == ["hello\n" * 50, "SUB live", "PONG"]
    assert is_whole(saw)
