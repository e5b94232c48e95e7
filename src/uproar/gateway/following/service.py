"""Following a stream's chain: frames as they are announced, what was lost on the way, and chains that begin anew."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from uproar.core.clock import Clock
from uproar.core.errors import Unavailable
from uproar.core.position import Position
from uproar.core.single_flight import SingleFlight
from uproar.gateway.room import ANEW, Room
from uproar.gateway.sending.service import Sending
from uproar.gateway.viewer import Viewer
from uproar.observe.counters import Metrics
from uproar.timeline import Timeline
from uproar.wire.frames import Frame


class Following:
    """Keeps the rooms at the ends of their chains. `again` tells a viewer `joined` once more."""

    def __init__(
        self,
        timeline: Timeline,
        clock: Clock,
        metrics: Metrics,
        sending: Sending,
        again: Callable[[Viewer, Room], None],
        do: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._timeline = timeline
        self._clock = clock
        self._metrics = metrics
        self._sending = sending
        self._again = again
        self._do = do
        self._openings = SingleFlight()

    async def open(self, room: Room) -> None:
        """Find the end of the room's chain and follow it; done once for all who come at the same time."""
        if not room.is_open:
            await self._openings.do(room.stream, lambda: self._open(room))

    async def _open(self, room: Room) -> None:
        if room.is_open:
            return
        early: list[Frame] = []
        forward: list[Callable[[Frame], None]] = [early.append]
        unsubscribe = self._timeline.subscribe(room.stream, lambda frame: forward[0](frame))
        try:
            top = await self._timeline.top(room.stream)
            gone = await self._timeline.gone(room.stream)
        except BaseException:
            unsubscribe()
            raise
        if not room.viewers:  # all left meanwhile, and perhaps another room stands in its place
            unsubscribe()
            return
        room.begin(top.epoch, top.number)
        room.gone, room.unsubscribe = gone, unsubscribe
        forward[0] = partial(self._announced, room)
        for frame in early:
            self._announced(room, frame)

    def _announced(self, room: Room, frame: Frame) -> None:
        """Keep the frame and send it, or find out what is missing."""
        if frame.epoch == room.epoch and frame.number <= room.top:
            return
        fits = frame.epoch == room.epoch and frame.number == room.top + 1
        if not fits or (room.checksum is not None and frame.before != room.checksum):
            self._repair(room)
            return
        room.keep(frame, self._clock.now_ms())
        self._metrics.frames.inc()
        room.rules = frame.rules or room.rules
        if frame.changes_gone:
            room.losses_told += 1
            self._do(self._note_gone(room))
        self._sending.send(room)

    async def _note_gone(self, room: Room) -> None:
        """Until it is known what is gone after a frame, nobody is given frames from the ring."""
        told = room.losses_told
        with suppress(Unavailable):  # asked again with the tops
            gone = await self._timeline.gone(room.stream)
            if gone.epoch != room.epoch:
                return  # of another chain; the tops are compared soon
            room.learn(gone)
            room.losses_known = max(room.losses_known, told)
            self._sending.admit(room)

    async def compare_top(self, room: Room) -> None:
        """Finds a lost last frame, and a chain that began anew."""
        if room.losses_known < room.losses_told:
            await self._note_gone(room)
        top = await self._timeline.top(room.stream)
        if top.epoch != room.epoch or top.number < room.top:
            self.begin_anew(room, Position(top.epoch, top.number))
        elif top.number > room.top:
            self._repair(room)

    def _repair(self, room: Room) -> None:
        """Read what is missing, once for all its viewers."""
        if not room.in_repair:
            room.in_repair = True
            self._do(self._repair_room(room))

    async def _repair_room(self, room: Room) -> None:
        try:
            frames = await self._timeline.since(room.stream, Position(room.epoch, room.top))
            if frames is None:
                top = await self._timeline.top(room.stream)
                self.begin_anew(room, Position(top.epoch, top.number))
                return
        except Unavailable:
            return  # the tops are compared again soon
        finally:
            room.in_repair = False
        for frame in frames:
            if frame.number == room.top + 1:
                room.checksum = None
                self._announced(room, frame)

    def begin_anew(self, room: Room, position: Position) -> None:
        """Another chain: what the viewers hold is worth nothing, and all are told `joined` again."""
        viewers = [*room.ready(), *(viewer for viewer in room.waiting if viewer.room is room)]
        for viewer in viewers:
            self._sending.withdraw(viewer)
        room.waiting = []
        room.begin(position.epoch, position.number)
        room.losses_told += 1
        self._do(self._note_gone(room))
        for viewer in room.lagging:
            viewer.held = ANEW
        for viewer in viewers:
            self._again(viewer, room)
