"""The hub: rooms and viewers of one gateway process, between the timeline and the sockets.

timeline --> following --> sending --> viewers        frames, as they are announced
a viewer --> joining --> sending                      `joined`, and what it missed
a viewer --> hearing --> write path, reactions        what it says, and the answer to it alone
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, NamedTuple

import structlog

from uproar.auth import Identity, Keys
from uproar.core.clock import Clock
from uproar.core.errors import Unavailable
from uproar.core.events import Event, Reacted
from uproar.core.position import Position
from uproar.core.refusal import Refused
from uproar.gateway.budget import Budget
from uproar.gateway.following.service import Following
from uproar.gateway.hearing.service import Hearing, Writes
from uproar.gateway.joining.service import Joining
from uproar.gateway.outbox import Lag
from uproar.gateway.personal import Personal
from uproar.gateway.reactions import Tally
from uproar.gateway.room import Room
from uproar.gateway.rooms import ROOMS, Rooms
from uproar.gateway.sending.service import CHUNK, Sending, Write, through_transports
from uproar.gateway.viewer import Viewer
from uproar.gateway.wheel import Wheel
from uproar.observe.counters import Metrics
from uproar.presence import Presence
from uproar.timeline import Timeline
from uproar.wire import frames as wire
from uproar.wire.closes import Close
from uproar.wire.codec import encode
from uproar.wire.websocket import text_frame

BEATS_PER_S = 2
TOPS_S = 3
VIEWERS_S = 5
ASKED = 100  # rooms at once

log = structlog.get_logger()


class Timing(NamedTuple):
    """How often the hub does what it does by itself, in seconds.

    `rest_s` lies between two readings of what is gone in a stream: whoever comes back meanwhile shares the next one.
    """

    ping_s: int = 25
    pong_s: int = 10
    ring_s: float = 60.0
    drain_s: float = 10.0
    rest_s: float = 0.02


TIMING = Timing()
LAG = Lag()


class Hub:
    """All rooms of this gateway, at most `rooms` of them."""

    def __init__(
        self,
        timeline: Timeline,
        presence: Presence,
        writes: Writes,
        append: Callable[[Event], Awaitable[int]],
        keys: Keys,
        clock: Clock,
        metrics: Metrics,
        timing: Timing = TIMING,
        lag: Lag = LAG,
        rooms: int = ROOMS,
        write: Write = through_transports,
        budget: Budget | None = None,
    ) -> None:
        self._presence = presence
        self._append = append
        self._clock = clock
        self._metrics = metrics
        self._drain_s = timing.drain_s
        self.run = secrets.token_hex(6)
        self._rooms = Rooms(rooms, timing.ring_s, budget or Budget())
        self._wheel = Wheel(timing.ping_s, timing.pong_s)
        self._tally = Tally(self.run)
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._tops_at = self._viewers_at = clock.now()
        personal = self._personal = Personal(metrics, lag, self.gone)
        self._sending = Sending(clock, metrics, lag, personal, self._again, write)
        self._following = Following(timeline, clock, metrics, self._sending, self._again, self.do)
        self._joining = Joining(
            timeline, writes.stream, metrics, personal, self._sending, self._following, self.do, timing.rest_s
        )
        give_owed = self._joining.give_owed
        self._hearing = Hearing(writes, keys, clock, metrics, personal, self._tally, give_owed, self.do)

    @property
    def viewers(self) -> int:
        """How many are connected."""
        return len(self._wheel)

    # -- viewers come, speak, stall and go

    def is_watched(self, stream: str) -> bool:
        """Whether the stream's room is open here: then there is such a stream."""
        return self._rooms.is_open(stream)

    def has_place(self, stream: str) -> bool:
        """Whether a viewer of the stream may `join`; True until the next wait."""
        return self._rooms.has_place(stream)

    def join(self, viewer: Viewer, stream: str, position: Position | None, history: int, who: Identity | None) -> None:
        """A viewer arrived where there is a place; it is told `joined` as soon as the room is open."""
        room = viewer.room = self._rooms.enter(stream)
        room.catching_up.add(viewer)
        self._wheel.add(viewer)
        self._hearing.hold(viewer)
        if viewer.lagging:
            self.paused(viewer)
        self.do(self._join(viewer, room, position, history, who))

    async def _join(
        self, viewer: Viewer, room: Room, position: Position | None, history: int, who: Identity | None
    ) -> None:
        try:
            await self._following.open(room)
            if viewer.room is not room:
                return  # it left meanwhile
            if who is not None:
                self._personal.sign_in(viewer, who)
            await self._joining.catch_up(viewer, room, position, history)
            self._hearing.release(viewer)
        except Unavailable:
            self.close(viewer, Close.MOVED)

    def _again(self, viewer: Viewer, room: Room, position: Position | None = None) -> None:
        self._joining.again(viewer, room, position)

    def heard(self, viewer: Viewer, data: bytes) -> None:
        """A text message came."""
        self._hearing.heard(viewer, data)

    async def react(self, who: Identity | None, stream: str, counts: dict[str, int]) -> Refused | None:
        """Count reactions; they leave for the log at the next half second."""
        return await self._hearing.react(who, stream, counts)

    def paused(self, viewer: Viewer) -> None:
        """Its socket is full."""
        self._sending.paused(viewer)

    def resumed(self, viewer: Viewer) -> None:
        """Its socket drained."""
        self._sending.resumed(viewer)

    def close(self, viewer: Viewer, close: Close, retry_after_ms: int | None = None) -> None:
        """Say bye and end the connection."""
        self._personal.close(viewer, close, retry_after_ms)

    def gone(self, viewer: Viewer) -> None:
        """A viewer's connection is lost: its slot is empty before its descriptor can be used again."""
        room = viewer.room
        if room is None or not self._wheel.remove(viewer):
            return
        self._hearing.forget(viewer)
        self._sending.withdraw(viewer)
        room.lagging.pop(viewer, None)
        room.catching_up.discard(viewer)
        self._personal.sign_out(viewer)
        viewer.room = None
        self._rooms.leave(room, self._clock.now())

    # -- what the hub does by itself

    async def live(self) -> None:
        """Half-second marks: reactions, presence, pings, slow viewers, tops, quiet rooms; until cancelled."""
        beat = 0
        while True:
            await asyncio.sleep(1 / BEATS_PER_S)
            beat += 1
            await self.flush()
            if beat % BEATS_PER_S == 0:
                self._second(beat // BEATS_PER_S)

    def _second(self, second: int) -> None:
        """What is due every second; nothing in it waits."""
        self._ping(second)
        for room in self._rooms:
            self._sending.close_slow(room)
            room.trim(self._clock.now_ms())
        if self._looking is None or self._looking.done():
            self._looking = self.do(self._look())
        self._rooms.forget_quiet(self._clock.now())
        self._metrics.viewers.set(self.viewers)
        self._metrics.streams.set(len(self._rooms))
        self._metrics.lagging_viewers.set(sum(len(room.lagging) for room in self._rooms))

    def _ping(self, second: int) -> None:
        """One spoke of the wheel a second; who owes a pong for too long is closed."""
        for viewer in self._wheel.late(second):
            self.close(viewer, Close.NO_PONG)
        for viewer in self._wheel.due(second):
            viewer.pinged = True
            viewer.transport.write(b"\x89\x00")
            self._hearing.look_over(viewer)

    async def _look(self) -> None:
        """Tell who watches here, and ask how all chains and crowds are; nothing else waits for the answers."""
        now = self._clock.now()
        try:
            await self._presence.tell(self.run, {room.stream: room.viewers for room in self._rooms})
            if now - self._tops_at >= TOPS_S:
                self._tops_at = now
                await self._of_each(self._following.compare_top)
            if now - self._viewers_at >= VIEWERS_S:
                self._viewers_at = now
                await self._of_each(self._tell_viewers)
        except Unavailable as fault:
            log.warning("gateway_waits", why=str(fault))

    async def _of_each(self, ask: Callable[[Room], Awaitable[None]]) -> None:
        """Ask for every room that is watched, for some at once."""
        rooms = self._rooms.watched()
        for at in range(0, len(rooms), ASKED):
            await asyncio.gather(*map(ask, rooms[at : at + ASKED]))

    async def _tell_viewers(self, room: Room) -> None:
        viewers = await self._presence.viewers(room.stream)
        if viewers != room.told and room.cursor is None:
            room.told = viewers
            self._sending.whisper(list(room.ready()), text_frame(encode(wire.Viewers(viewers))))

    async def flush(self) -> None:
        """Append the reactions that were counted; what was perhaps kept is sent again unchanged."""
        await asyncio.gather(*map(self._flush, self._tally.ripe(self._clock.now_ms())))

    async def _flush(self, event: Reacted) -> None:
        try:
            await self._append(event)
        except Unavailable:
            return
        self._tally.kept(event)

    async def drain(self) -> None:
        """Answers under way are given, everyone is told when to come back, spread evenly, what was counted is kept."""
        await self._hearing.drain()
        viewers = list(self._wheel)
        for number, viewer in enumerate(viewers):
            wait_ms = int(1000 * self._drain_s * (number + 1) / len(viewers))
            self.close(viewer, Close.SHUTDOWN, wait_ms)
            if number % CHUNK == CHUNK - 1:
                await asyncio.sleep(0)
        await self.flush()
        with suppress(Unavailable):  # it is forgotten soon all the same
            await self._presence.leave(self.run)

    def do(self, job: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin something that nobody waits for; its failure is loud."""
        task = asyncio.ensure_future(job)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "the hub failed", "exception": task.exception(), "task": task}
            )
