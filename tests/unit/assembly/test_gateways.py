"""Gateways as the process that has the port sees them: who takes viewers, who is replaced, and who is killed."""

import asyncio
import os
import socket
from types import SimpleNamespace

import pytest

from tests.links import End
from tests.tools import TurnedClock, run
from uproar.assembly import gateways as module
from uproar.assembly import line as line_module
from uproar.assembly.children import Child
from uproar.assembly.gateways import Gateways
from uproar.assembly.line import SILENT_S, Behind, Line
from uproar.assembly.pausing import YOUNG_S
from uproar.auth import Keys
from uproar.gateway.roster import Seat
from uproar.link.parcels import Parcel, Parcels
from uproar.log.memory import MemoryLog
from uproar.observe.adding import Added
from uproar.observe.counters import Metrics
from uproar.presence.memory import MemoryPresence
from uproar.settings import Settings
from uproar.timeline.memory import MemoryTimeline

SEAT = Seat("1.2.3.4", "s")


class Process:
    """Stands for a process: it ends when its link does, or by `kill`."""

    def __init__(self, pid):
        self.pid, self.kills = pid, 0

    def wait(self, timeout=None):
        return 0

    def kill(self):
        self.kills += 1


class Other:
    """A gateway in this loop: its end of both sockets, and the numbers that it gives when it may."""

    def __init__(self, pid):
        theirs, self.end = socket.socketpair()
        parcels, self.parcels_end = Parcels.pair()
        self.child = Child(Process(pid), theirs, parcels)
        self.link, self.taken, self.heard = End(), [], []
        self.asked, self.may_answer = 0, asyncio.Event()
        self.may_answer.set()

    async def come_up(self):
        self.link.on("begin", tuple[Settings, bytes, bytes], lambda *_: self.heard.append("begin"))
        self.link.on("drain", tuple[()], lambda: self.heard.append("drain"))
        self.link.on("empty", tuple[()], lambda: self.heard.append("empty"))
        self.link.answers("numbers", tuple[()], self._numbers)
        await asyncio.get_running_loop().create_unix_connection(lambda: self.link, sock=self.end)
        Parcels(self.parcels_end).receive(self._take)
        self.link.note("up")

    async def _numbers(self):
        self.asked += 1
        await self.may_answer.wait()
        return {}

    def _take(self, ticket, parcel):
        os.close(parcel.descriptor)
        self.taken.append(ticket)


class Port:
    """The process that has the port, with gateways of `Other`s; one that is started comes up by itself."""

    def __init__(self, monkeypatch, count=2, most=100):
        self.clock, self.left, self.others = TurnedClock(), [], []
        self.rising = set()
        metrics, log = Metrics(), MemoryLog(self.clock, 1)
        parts = SimpleNamespace(
            timeline=MemoryTimeline(self.clock, {}.get), presence=MemoryPresence(self.clock), log=log, metrics=metrics
        )
        writes = SimpleNamespace(post=None, like=None, report=None, stream=None)
        self.behind = Behind(Settings(), Keys(b"s" * 32), parts, writes, Added(metrics), self.clock)
        self.gateways = Gateways([self.spawn() for _ in range(count)], self.behind, self.left.append, most)
        monkeypatch.setattr(module, "spawn", self.spawn)
        monkeypatch.setattr(module, "BEAT_S", 0.0)
        monkeypatch.setattr(line_module, "LOOK_S", 0.0)

    def spawn(self):
        other = Other(len(self.others))
        self.others.append(other)
        self.rising.add(asyncio.ensure_future(other.come_up()))
        return other.child

    async def come(self, seat=SEAT):
        with open(os.devnull) as file:
            return await self.gateways.pass_on(seat, lambda: Parcel(b"GET", file.fileno()))

    async def end(self):
        stopping = asyncio.ensure_future(self.gateways.drain())
        await asyncio.sleep(0)
        for other in self.others:
            other.link.close()
        await stopping


async def true_at_last(what):
    while not what():
        await asyncio.sleep(0)


def story(tell, monkeypatch, **wish):
    async def main():
        port = Port(monkeypatch, **wish)
        await port.gateways.start()
        await tell(port, *port.others)
        await port.end()

    run(main())


def test_one_that_goes_down_gets_nobody_more_and_another_one_comes_before_it_ended(monkeypatch):
    async def tell(port, first, second):
        for _ in range(4):
            assert await port.come()
        await true_at_last(lambda: len(first.taken) == len(second.taken) == 2)
        first.link.note("down")
        await true_at_last(lambda: len(port.others) == 3 and len(port.gateways._roster) == 2)
        first.link.note("left", first.taken[0])
        await true_at_last(lambda: port.left)
        for _ in range(10):
            assert await port.come()
        third = port.others[2]
        await true_at_last(lambda: len(second.taken) + len(third.taken) == 12)
        assert len(first.taken) == 2
        assert third.taken

    story(tell, monkeypatch)


def test_one_that_goes_down_is_told_once_nobody_is_there_nor_on_the_way(monkeypatch):
    async def tell(port, first, second):
        for _ in range(4):
            await port.come()
        first.link.note("down")
        await true_at_last(lambda: len(first.taken) == 2)
        first.link.note("left", first.taken[0])
        await first.link.ask("presence.viewers", int, "s")  # an answer comes behind all that was told before
        assert "empty" not in first.heard
        first.link.note("left", first.taken[1])
        await true_at_last(lambda: "empty" in first.heard)
        for ticket in second.taken:
            second.link.note("left", ticket)
        await second.link.ask("presence.viewers", int, "s")
        assert "empty" not in second.heard

    story(tell, monkeypatch)


def test_when_all_are_full_nobody_more_is_let_in(monkeypatch):
    async def tell(port, first, second):
        assert [await port.come() for _ in range(5)] == [True] * 4 + [False]
        assert port.left == [SEAT.address]

    story(tell, monkeypatch, most=2)


def test_a_slow_one_that_answers_late_is_not_killed_and_its_numbers_count(monkeypatch):
    async def tell(port, first, second):
        first.may_answer.clear()
        await true_at_last(lambda: first.asked == 1)
        for _ in range(3):
            port.clock.turn(SILENT_S - 1)
            first.may_answer.set()
            asked = first.asked
            await true_at_last(lambda asked=asked: first.asked > asked)
            first.may_answer.clear()
        assert first.child.process.kills == 0

    story(tell, monkeypatch)


def test_one_that_is_silent_is_asked_once_and_killed(monkeypatch):
    async def tell(port, first, second):
        first.may_answer.clear()
        asked = first.asked
        await true_at_last(lambda: first.asked > asked)
        for _ in range(200):
            await asyncio.sleep(0)
        assert first.asked == asked + 1
        port.clock.turn(SILENT_S + 1)
        await true_at_last(lambda: first.child.process.kills)

    story(tell, monkeypatch)


def test_one_whose_link_is_full_and_that_speaks_is_not_killed(monkeypatch):
    monkeypatch.setattr("uproar.link.channel.FULL_BYTES", -1)  # no question can be asked

    async def tell(port, first, second):
        for _ in range(5):
            port.clock.turn(SILENT_S - 1)
            for other in (first, second):
                other.link.note("left", 0)
            for _ in range(20):
                await asyncio.sleep(0)
        assert (first.asked, first.child.process.kills, second.child.process.kills) == (0, 0, 0)

    story(tell, monkeypatch)


def test_a_link_that_cannot_begin_is_closed():
    async def main():
        with pytest.MonkeyPatch.context() as monkeypatch:
            port = Port(monkeypatch, count=0)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)  # which is no stream
        parcels, _ = Parcels.pair()
        line = Line(Child(Process(1), ours, parcels), port.behind)
        with pytest.raises(ValueError, match="Stream"):
            await line.begin()
        assert ours.fileno() == -1
        await line.end()
        theirs.close()

    run(main())


def test_what_dies_at_once_again_and_again_is_started_less_often_and_holds_no_stop_up(monkeypatch):
    monkeypatch.setattr("uproar.assembly.pausing.FIRST_S", 1_000.0)

    async def tell(port, first, second):
        first.link.close()
        await true_at_last(lambda: len(port.others) == 3 and len(port.gateways._roster) == 2)
        port.others[2].link.close()
        await true_at_last(lambda: len(port.gateways._roster) == 1)
        for _ in range(200):
            await asyncio.sleep(0)
        assert len(port.others) == 3

    story(tell, monkeypatch)


def test_what_dies_after_a_long_life_is_replaced_at_once(monkeypatch):
    async def tell(port, *others):
        for dead in range(5):
            port.clock.turn(YOUNG_S)
            for other in port.others[dead:]:
                other.link.note("left", 0)
            await port.others[dead].link.ask("presence.viewers", int, "s")
            port.others[dead].link.close()
            await true_at_last(lambda dead=dead: len(port.others) == dead + 3 and len(port.gateways._roster) == 2)

    story(tell, monkeypatch)
