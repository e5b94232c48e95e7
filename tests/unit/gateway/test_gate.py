"""Who is let in: an upgrade, from its head to the answer."""

import json

import pytest

from tests.tools import TurnedClock, run
from uproar.auth import Keys
from uproar.core.refusal import Refusal, Refused
from uproar.core.stream import Stream
from uproar.gateway.arriving.protocol import Door
from uproar.gateway.caps import Addresses, Bucket, Caps, networks
from uproar.gateway.gate import Gate
from uproar.gateway.protocol import LiveSocket
from uproar.gateway.watching.protocol import Inside
from uproar.observe.counters import Metrics

HEAD = "GET /v1/streams/{stream}/live{query} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{more}"
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"


class Wire:
    """A transport from an address, that remembers what was written."""

    def __init__(self, host):
        self.host, self.written = host, b""

    def get_extra_info(self, name):
        return (self.host, 1234) if name == "peername" else None

    def write(self, data):
        self.written += data

    def write_eof(self):
        """Nothing more comes."""

    def abort(self):
        """Nobody is there."""

    def is_closing(self):
        return False

    def get_write_buffer_size(self):
        return 0

    def set_write_buffer_limits(self, high):
        assert high == 0


class Hub:
    """Has so many places."""

    def __init__(self, places):
        self.places, self.joined, self.jobs, self.watched = places, [], [], set()

    def do(self, job):
        self.jobs.append(job)

    def is_watched(self, stream):
        return stream in self.watched

    def has_place(self, stream):
        return len(self.joined) < self.places

    def join(self, viewer, stream, position, history, who):
        self.joined.append((stream, str(position), history))

    def gone(self, viewer):
        """Nobody is here."""


class Entrance:
    """A door, what is behind it, and what it opens streams for."""

    def __init__(self, found=None, places=10, connections=10, accepts=10):
        self.asked = []

        async def open_stream(stream, address):
            self.asked.append((stream, address))
            return found if found is not Ellipsis else None

        clock, self.hub = TurnedClock(), Hub(places)
        caps = Caps(Addresses(connections), networks(["10.0.0.0/8"]), list)
        gate = Gate(frozenset({"http://here"}), Bucket(accepts), caps)
        door = Door(gate, self.hub.is_watched, open_stream, self.hub.do, clock, Metrics())
        inside = Inside(self.hub, Keys(b"s" * 32), clock, Metrics())
        self.kind = type("Live", (LiveSocket,), {"__slots__": (), "door": door, "inside": inside})

    async def knock(self, host="10.0.0.1", query="", more="X-Forwarded-For: 8.8.8.8\r\n"):
        """The status line, the head's fields and the problem."""
        wire = Wire(host)
        live = self.kind(set())
        live.connection_made(wire)
        live.data_received((HEAD.format(stream="s", query=query, more=more) + KEY).encode())
        for job in self.hub.jobs:
            await job
        self.hub.jobs = []
        head, _, body = wire.written.partition(b"\r\n\r\n")
        status, *fields = head.decode().split("\r\n")
        problem = json.loads(body) if status.split()[1] != "101" else {}
        return int(status.split()[1]), dict(field.split(": ", 1) for field in fields), problem


STREAM = Stream("s")


def test_who_is_let_in_joins_with_its_wish():
    async def story():
        door = Entrance(STREAM)
        assert (await door.knock(query="?history=7"))[0] == 101
        assert (await door.knock(query="?position=e.12"))[0] == 101
        assert door.hub.joined == [("s", "None", 7), ("s", "e.12", 50)]
        assert door.asked == [("s", "8.8.8.8")] * 2

    run(story())


def test_a_stream_that_is_watched_is_not_looked_up():
    async def story():
        door = Entrance(None)
        door.hub.watched.add("s")
        assert (await door.knock())[0] == 101
        assert door.asked == []

    run(story())


@pytest.mark.parametrize(
    ("found", "places", "status", "code", "later"),
    [
        (..., 1, 404, 301, None),
        (Refused(Refusal.TOO_FAST, 1500), 1, 429, 120, "2"),
        (Refused(Refusal.UNAVAILABLE, 1000), 1, 503, 501, "1"),
        (STREAM, 0, 503, 502, "10"),
    ],
)
def test_who_is_not_let_in_is_told_why_and_when_to_come_back(found, places, status, code, later):
    async def story():
        door = Entrance(found, places)
        answer, fields, problem = await door.knock()
        assert (answer, problem["code"], fields.get("Retry-After")) == (status, code, later)
        assert problem.get("retry_after_ms", 0) == (0 if later is None else getattr(found, "retry_after_ms", 10_000))
        assert door.hub.joined == []

    run(story())


@pytest.mark.parametrize(
    ("more", "query", "status"),
    [
        ("Origin: http://there\r\n", "", 403),
        ("Origin: http://here\r\n", "", 101),
        ("", "?history=201", 400),
        ("", "?position=nowhere", 400),
    ],
)
def test_origin_and_wish_are_looked_at_before_the_stream(more, query, status):
    async def story():
        door = Entrance(STREAM)
        assert (await door.knock(query=query, more=more))[0] == status
        assert len(door.asked) == (status == 101)

    run(story())


def test_an_address_with_all_its_connections_waits_and_loopback_does_not():
    async def story():
        door = Entrance(STREAM, connections=1)
        assert [(await door.knock())[0] for _ in range(2)] == [101, 429]
        assert [(await door.knock("127.0.0.1", more=""))[0] for _ in range(3)] == [101] * 3

    run(story())


def test_beyond_the_accept_rate_nothing_is_looked_at():
    async def story():
        door = Entrance(STREAM, accepts=1)
        answers = [await door.knock() for _ in range(2)]
        assert [(status, fields.get("Retry-After")) for status, fields, _ in answers] == [(101, None), (503, "1")]
        assert len(door.asked) == 1

    run(story())
