"""Our own client: where it connects, what it hears, and why it was closed."""

import asyncio

import pytest

from tests.tools import run
from tests.unit.cli.serving import served
from uproar.cli.client import Address, connect, live_path, parse_server
from uproar.core.errors import Misconfigured
from uproar.wire.handshake import accept_key


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8080", Address("127.0.0.1", 8080)),
        ("http://127.0.0.1:8080/", Address("127.0.0.1", 8080)),
        ("http://chat.example", Address("chat.example", 80)),
        ("https://chat.example", Address("chat.example", 443, secure=True)),
        ("http://[::1]:8080", Address("::1", 8080)),
    ],
)
def test_a_server_is_an_http_address(url, address):
    assert parse_server(url) == address


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ws://h:1", "http://", "http://h:port", "http://h:1/v1"])
def test_anything_else_is_told_so(url):
    with pytest.raises(Misconfigured, match="no server"):
        parse_server(url)


def test_ipv6_stands_in_brackets_in_a_host_header():
    assert parse_server("http://[::1]:8080").authority == "[::1]:8080"


@pytest.mark.parametrize(
    ("position", "history", "path"),
    [
        ("", None, "/v1/streams/a~b/live"),
        ("", 0, "/v1/streams/a~b/live?history=0"),
        ("e.7", None, "/v1/streams/a~b/live?position=e.7"),
        ("e.7", 50, "/v1/streams/a~b/live?position=e.7"),
    ],
)
def test_a_position_goes_before_history(position, history, path):
    assert live_path("a~b", position, history) == path


@pytest.mark.parametrize("deflate", [False, True])
def test_messages_come_whole_and_in_order_and_ours_arrive(deflate):
    heard, sent = [], []

    async def handler(socket):
        for size in (1, 200, 70_000):
            await socket.send("ä" * size)
        await socket.send(["in ", "three ", "parts"])
        sent.append(await socket.recv())
        await socket.close(4001, "too slow")

    async def use(address):
        watching = await connect(address, "/", heard.append, deflate=deflate)
        watching.send("héllo".encode())
        return await watching.closed

    assert run(served(handler, use)) == 4001
    assert heard == ["ä".encode() * size for size in (1, 200, 70_000)] + [b"in three parts"]
    assert sent == ["héllo"]


def test_pings_are_answered():
    async def handler(socket):
        await (await socket.ping(b"there?"))
        await socket.close(4002)

    async def use(address):
        return await (await connect(address, "/", lambda data: None)).closed

    assert run(served(handler, use)) == 4002


def test_the_token_goes_in_the_header_alone():
    asked = []

    async def handler(socket):
        asked.append((socket.request.path, socket.request.headers.get("Authorization")))

    async def use(address):
        await (await connect(address, live_path("s"), lambda data: None, "t0ken")).closed

    run(served(handler, use))
    assert asked == [("/v1/streams/s/live", "Bearer t0ken")]


def test_a_server_that_breaks_the_framing_is_left():
    async def use():
        async def answer(reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key"))
            writer.write(
                b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: %s\r\n\r\n\xf1\x00"
                % accept_key(key.decode()).encode()
            )
            await reader.read()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            watching = await connect(Address(*server.sockets[0].getsockname()), "/", print)
            return await watching.closed

    assert run(use()) == 1002
