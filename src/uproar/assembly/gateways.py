"""The processes that serve viewers, as the one that has the port sees them: started, passed viewers to, replaced."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

import structlog

from uproar.assembly.children import Child, spawn
from uproar.assembly.line import START_S, Behind, Line
from uproar.assembly.supervising import RESTART_S, supervise
from uproar.core.errors import Misconfigured, Unavailable
from uproar.gateway.roster import Roster, Seat
from uproar.link.parcels import Pack

BEAT_S = 1.0
DRAIN_S = 20.0  # for answers under way and last words; more than they take

logger = structlog.get_logger(__name__)


class Gateways:
    """As many as `children`; one that ends is replaced at once. `leave` frees the seat of an address."""

    def __init__(self, children: Iterable[Child], behind: Behind, leave: Callable[[str], None]) -> None:
        self._children = list(children)
        self._count = len(self._children)
        self._behind = behind
        self._leave = leave
        self._roster: Roster[Line] = Roster()
        self._lines: set[Line] = set()
        self._all_up = asyncio.Event()
        self._stopping = asyncio.Event()
        self._keepers: list[asyncio.Task[None]] = []

    # -- viewers

    def is_watched(self, stream: str) -> bool:
        """Whether anybody watches the stream, in any of them."""
        return self._roster.is_watched(stream)

    async def pass_on(self, seat: Seat, pack: Pack) -> bool:
        """Pass a viewer to the gateway with the fewest; False, and its seat is free, when none takes it."""
        line = self._roster.fewest()
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

    async def look(self) -> None:
        """Take the numbers of all as they are now."""
        await asyncio.gather(*(line.look() for line in self._lines))

    # -- processes

    async def start(self) -> None:
        """Wait until all are up; raises `Misconfigured` when they do not come."""
        for _ in range(self._count):
            self._keepers.append(asyncio.ensure_future(supervise("gateway", self._keep, self._stopping)))
        try:
            await asyncio.wait_for(self._all_up.wait(), START_S)
        except TimeoutError:
            raise Misconfigured("the gateway processes do not start; what they said is above.") from None

    async def _keep(self) -> None:
        """One of them, from its start to its end."""
        line = Line(self._children.pop() if self._children else spawn(), self._behind)
        line.link.on("up", tuple[()], partial(self._up, line))
        line.link.on("left", tuple[int], partial(self._left, line))
        self._lines.add(line)
        try:
            await line.begin()
            while not await _within(line.lost, BEAT_S):
                await line.look()
                if line.is_stuck:
                    line.process.kill()
        finally:
            await self._end(line)
        if not line.is_up:
            await asyncio.sleep(RESTART_S)

    def _up(self, line: Line) -> None:
        line.is_up = True
        if self._stopping.is_set():
            line.link.note("drain")  # it was not there when the others were told
        else:
            self._roster.open(line)
            self._count_up()

    async def _end(self, line: Line) -> None:
        """Its seats are free."""
        self._lines.discard(line)
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
            await asyncio.wait(self._keepers, timeout=DRAIN_S)
            for line in tuple(self._lines):
                line.process.kill()
            await asyncio.gather(*self._keepers)


async def _within(event: asyncio.Event, wait_s: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), wait_s)
    except TimeoutError:
        return False
    return True
