"""A WebSocket connection without a network: what it tells its transport and what it tells its owner."""

import asyncio

import pytest

from tests.tools import run
from uproar.gateway.answers import MALFORMED, Denial
from uproar.gateway.socket.protocol import EARLY_BYTES, PONGS_BYTES, Socket
from uproar.wire.websocket import Message, Op, close_frame, masked_frame

OPENING = (
    b"GET /any?a=1 HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def text(data):
    return masked_frame(Op.TEXT, data, b"mask")


class Wire:
    """A transport that remembers, and like a real one takes nothing after its end."""

    def __init__(self):
        self.written, self.ended, self.aborted, self.waiting = b"", False, False, 0

    def write(self, data):
        assert not self.ended
        self.written += data

    def write_eof(self):
        self.ended = True

    def abort(self):
        self.aborted = True

    def is_closing(self):
        return self.aborted

    def get_write_buffer_size(self):
        return self.waiting

    def set_write_buffer_limits(self, high):
        assert high == 0


class Owned(Socket):
    """Accepts when told to."""

    __slots__ = ("heard", "lefts", "request")

    def __init__(self, connections):
        super().__init__(connections)
        self.heard, self.lefts, self.request = [], 0, None

    def asked(self, request):
        self.request = request

    def said(self, message):
        self.heard.append(message.data)

    def left(self):
        self.lefts += 1


def asked(*early):
    wire, owned = Wire(), Owned(set())
    owned.connection_made(wire)
    owned.data_received(OPENING + b"".join(early))
    return wire, owned


async def accepted(*early):
    wire, owned = asked(*early)
    owned.accept(owned.request)
    await asyncio.sleep(0)
    wire.written = wire.written.partition(b"\r\n\r\n")[2]
    return wire, owned


def test_what_comes_before_the_answer_waits_for_it():
    async def story():
        wire, owned = asked(text(b"a"))
        owned.data_received(text(b"b"))
        await asyncio.sleep(0)
        assert (owned.heard, wire.written) == ([], b"")
        owned.accept(owned.request)
        owned.data_received(text(b"c"))  # in the same breath
        assert owned.heard == []
        await asyncio.sleep(0)
        assert owned.heard == [b"a", b"b", b"c"]

    run(story())


def test_more_than_may_wait_ends_it():
    wire, owned = asked()
    owned.data_received(b"x" * EARLY_BYTES)
    assert not wire.aborted
    owned.data_received(b"x")
    assert wire.aborted


def test_what_is_written_after_the_close_goes_nowhere():
    async def story():
        wire, owned = await accepted()
        owned.end(4001, "too_slow")
        owned.transport.write(b"late")
        owned.end(4000, "again")
        owned.data_received(text(b"late"))
        assert wire.written == close_frame(4001, "too_slow")
        assert (wire.ended, wire.aborted, owned.transport.is_closing()) == (True, False, True)
        assert (owned.heard, owned.lefts) == ([], 1)
        owned.connection_lost(None)
        assert (owned.lefts, owned._connections) == (1, set())

    run(story())


@pytest.mark.parametrize("sent", [masked_frame(Op.CLOSE, b"", b"mask"), b"\x81\x00", text(b"\xff")])
def test_whoever_closes_it_is_left_once(sent):
    async def story():
        wire, owned = await accepted()
        owned.data_received(sent + text(b"late"))
        owned.connection_lost(None)
        assert (wire.ended, owned.heard, owned.lefts) == (True, [], 1)

    run(story())


def test_whoever_hears_a_message_may_end_it():
    class Curt(Owned):
        __slots__ = ()

        def said(self, message):
            super().said(message)
            self.end(4500, "bad_message")

    async def story():
        wire, owned = Wire(), Curt(set())
        owned.connection_made(wire)
        owned.data_received(OPENING)
        owned.accept(owned.request)
        await asyncio.sleep(0)
        owned.data_received(text(b"a") + text(b"b"))
        assert owned.heard == [b"a"]
        assert wire.written.endswith(close_frame(4500, "bad_message"))

    run(story())


@pytest.mark.parametrize(("waiting", "answered"), [(0, True), (PONGS_BYTES - 1, True), (PONGS_BYTES, False)])
def test_pings_are_answered_while_their_pongs_are_read(waiting, answered):
    async def story():
        wire, owned = await accepted()
        wire.waiting = waiting
        owned.data_received(masked_frame(Op.PING, b"p", b"mask"))
        assert bool(wire.written) == answered

    run(story())


def test_no_reader_stands_between_messages():
    async def story():
        _, owned = await accepted()
        assert owned._reader is None
        owned.data_received(text(b"ab")[:3])
        assert owned._reader is not None
        owned.data_received(text(b"ab")[3:])
        assert (owned._reader, owned.heard) == (None, [b"ab"])

    run(story())


def test_a_pong_pays_what_is_owed():
    async def story():
        _, owned = await accepted()
        owned.pinged = True
        owned._take(Message(Op.PONG, b""))
        assert owned.pinged is False

    run(story())


def test_whoever_is_gone_is_not_answered():
    async def story():
        wire, owned = asked()
        owned.connection_lost(None)
        owned.accept(owned.request)
        owned.deny(Denial(404, MALFORMED))
        await asyncio.sleep(0)
        assert (wire.written, owned.lefts) == (b"", 1)

    run(story())


def test_whoever_waits_for_the_upgrade_when_the_server_stops_is_answered_in_http():
    async def story():
        wire, owned = asked()
        owned.shutdown()
        assert wire.written.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in wire.written
        assert (wire.ended, owned.lefts) == (True, 1)

    run(story())


def test_whoever_was_upgraded_when_the_server_stops_reads_a_close():
    async def story():
        wire, owned = asked()
        owned.accept(owned.request)
        owned.shutdown()  # before its first frame is read
        await asyncio.sleep(0)
        head, _, rest = wire.written.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert rest == close_frame(1001, "going away")

    run(story())
