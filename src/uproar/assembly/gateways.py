"""The processes that serve viewers, as the one that has the port sees them: started, passed viewers to, replaced."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

import structlog

from uproar.assembly.children import Child, spawn
from uproar.assembly.line import START_S, Behind, Line
from uproar.assembly.pausing import Pauses
from uproar.assembly.supervising import supervise
from uproar.core.errors import Misconfigured, Unavailable
from uproar.gateway.roster import Roster, Seat
from uproar.link.parcels import Pack

BEAT_S = 1.0
DRAIN_S = 20.0  # for answers under way and last words; more than they take

logger = structlog.get_logger(__name__)


class Gateways:
    """As many as `children`; one that ends or goes down is replaced. `leave` frees the seat of an address.

    Each takes `most` viewers.
    """

    def __init__(self, children: Iterable[Child], behind: Behind, leave: Callable[[str], None], most: int) -> None:
        self._children = list(children)
        self._count = len(self._children)
        self._behind = behind
        self._leave = leave
        self._roster: Roster[Line] = Roster(most)
        self._lines: dict[Line, asyncio.Task[None]] = {}
        self._all_up = asyncio.Event()
        self._stopping = asyncio.Event()
        self._keepers: list[asyncio.Task[None]] = []

    # -- viewers

    def is_watched(self, stream: str) -> bool:
        """Whether anybody watches the stream, in any of them."""
        return self._roster.is_watched(stream)

    async def pass_on(self, seat: Seat, pack: Pack) -> bool:
        """Pass a viewer to the gateway with the fewest; False, and its seat is free, when none takes it."""
        line = self._roster.fewest(self._behind.clock.now())
        if line is None:
            self._leave(seat.address)
            return False
        ticket = self._roster.take(line, seat)
        try:
            passed = await line.parcels.send(ticket, pack)
        except Unavailable:
            passed = False
        if not passed:
            self._left(line, ticket)
        return passed

    def _left(self, line: Line, ticket: int) -> None:
        seat = self._roster.leave(line, ticket)
        if seat is not None:
            self._leave(seat.address)
        self._tell_if_empty(line)

    async def look(self) -> None:
        """Take the numbers of all as they are now."""
        await asyncio.gather(*(line.look() for line in self._lines))

    # -- processes

    async def start(self) -> None:
        """Wait until all are up; raises `Misconfigured` when they do not come."""
        for _ in range(self._count):
            keep = partial(self._keep, Pauses())
            self._keepers.append(asyncio.ensure_future(supervise("gateway", keep, self._stopping)))
        try:
            await asyncio.wait_for(self._all_up.wait(), START_S)
        except TimeoutError:
            raise Misconfigured("the gateway processes do not start; what they said is above.") from None

    async def _keep(self, pauses: Pauses) -> None:
        """One of them, from its start until it takes no more viewers; what is left of its life is its own."""
        began = self._behind.clock.now()
        line = Line(self._children.pop() if self._children else spawn(), self._behind)
        line.link.on("up", tuple[()], partial(self._up, line))
        line.link.on("down", tuple[()], partial(self._down, line))
        line.link.on("left", tuple[int], partial(self._left, line))
        self._lines[line] = asyncio.ensure_future(self._live(line))
        await line.leaving.wait()
        await _within(self._stopping, pauses.after(self._behind.clock.now() - began))

    async def _live(self, line: Line) -> None:
        """From its start to its end; one that ends by a bug of this side says so loudly."""
        try:
            await self._watch(line)
        except Exception:
            logger.exception("gateway_failed", pid=line.process.pid)
        finally:
            del self._lines[line]

    async def _watch(self, line: Line) -> None:
        try:
            await line.begin()
            while not await _within(line.lost, BEAT_S):
                await line.look()
                if line.is_stuck:
                    line.process.kill()
        finally:
            await self._end(line)

    def _up(self, line: Line) -> None:
        line.is_up = True
        if self._stopping.is_set():
            line.link.note("drain")  # it was not there when the others were told
        else:
            self._roster.open(line)
            self._count_up()

    def _down(self, line: Line) -> None:
        """It takes no more viewers, and says bye to those that it has; another one takes its place."""
        self._roster.shut(line)
        self._count_up()
        line.leaving.set()
        self._tell_if_empty(line)

    def _tell_if_empty(self, line: Line) -> None:
        """Nobody is with one that goes down, nor on the way there: it can end."""
        if line.leaving.is_set() and self._roster.is_empty(line):
            line.link.note("empty")

    async def _end(self, line: Line) -> None:
        """Its seats are free."""
        for seat in self._roster.drop(line):
            self._leave(seat.address)
        self._count_up()
        status = await line.end()
        tell = logger.info if self._stopping.is_set() else logger.warning
        tell("gateway_ended", pid=line.process.pid, status=status)

    def _count_up(self) -> None:
        self._behind.parts.metrics.gateways.set(len(self._roster))
        if len(self._roster) == self._count:
            self._all_up.set()

    async def drain(self) -> None:
        """All of them say bye to their viewers, and end."""
        self._stopping.set()
        for line in self._lines:
            self._roster.shut(line)
            line.link.note("drain")
        if self._keepers:
            await asyncio.wait({*self._keepers, *self._lines.values()}, timeout=DRAIN_S)
            for line in self._lines:
                line.process.kill()
            await asyncio.gather(*self._keepers, *self._lines.values())


async def _within(event: asyncio.Event, wait_s: float) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), wait_s)
    return event.is_set()
