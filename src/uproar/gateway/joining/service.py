"""What a viewer is told when it comes: `joined`, and what it missed, or a snapshot."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from uproar.core.errors import Unavailable
from uproar.core.position import Position
from uproar.core.refusal import Refused
from uproar.core.single_flight import SingleFlight
from uproar.core.stream import Stream
from uproar.gateway.following.service import Following
from uproar.gateway.personal import Owed, Personal
from uproar.gateway.ring import Kept
from uproar.gateway.room import Room
from uproar.gateway.sending.service import Sending
from uproar.gateway.viewer import Viewer
from uproar.observe.counters import Metrics
from uproar.timeline import Gone, Snapshot, Timeline
from uproar.wire import frames as wire
from uproar.wire.closes import Close
from uproar.wire.codec import encode
from uproar.wire.websocket import text_frame

HISTORY = 200
HISTORY_AGAIN = 50
NO_RULES = wire.PosterRules(500, 0, (), "live")


class Joining:
    """Tells viewers `joined`; `stream_of` knows the streams, and refuses while nobody knows."""

    def __init__(
        self,
        timeline: Timeline,
        stream_of: Callable[[str], Awaitable[Stream | Refused | None]],
        metrics: Metrics,
        personal: Personal,
        sending: Sending,
        following: Following,
        do: Callable[[Coroutine[Any, Any, None]], object],
        rest_s: float,
    ) -> None:
        self._timeline = timeline
        self._stream_of = stream_of
        self._metrics = metrics
        self._personal = personal
        self._sending = sending
        self._following = following
        self._do = do
        self._reads = SingleFlight()
        self._gone = SingleFlight(rest_s)

    def again(self, viewer: Viewer, room: Room, position: Position | None = None) -> None:
        """Tell it `joined` once more, unless that is under way; until then nothing else is sent to it."""
        if viewer not in room.catching_up:
            room.catching_up.add(viewer)
            self._do(self._again(viewer, room, position))

    async def _again(self, viewer: Viewer, room: Room, position: Position | None) -> None:
        try:
            if viewer.room is room:
                await self.catch_up(viewer, room, position, HISTORY_AGAIN)
        except Unavailable:
            self._personal.close(viewer, Close.MOVED)

    async def catch_up(self, viewer: Viewer, room: Room, position: Position | None, history: int) -> None:
        """Tell a viewer that is `catching_up` `joined`, and what it missed, or a snapshot; it is ready then."""
        viewer.leave_chain()
        told = position is not None and await self._resume(viewer, room, position)
        if position is not None:
            self._metrics.resumes.labels("yes" if told else "no").inc()
        while not told:
            told = await self._begin(viewer, room, min(history, HISTORY))
        room.catching_up.discard(viewer)
        room.waiting.append(viewer)
        self._sending.admit(room)

    async def _resume(self, viewer: Viewer, room: Room, position: Position) -> bool:
        """Every frame above the position, if they are all there and the chain does not begin anew meanwhile."""
        missed = await self._missed(room, position)
        if missed is None:
            return False
        joined = await self._recovered(room, position)
        gone = await self._losses(room)
        if not position.epoch == room.epoch == gone.epoch:
            return False
        room.learn(gone)  # read last: a frame that restores knows no older loss
        missed = [kept for kept in missed if kept.frame.number <= room.top]
        viewer.asides_from = position.number
        viewer.held = missed[-1].frame.number if missed else position.number
        viewer.transport.write(joined + b"".join(kept.without(room.gone).form(viewer.form) for kept in missed))
        self._personal.give_missed(room, viewer, missed)
        return True

    async def _losses(self, room: Room) -> Gone:
        """What is gone, and not from before anything that the room has learnt meanwhile."""
        while True:
            known = room.losses_known
            gone = await self._gone.do(room.stream, lambda: self._timeline.gone(room.stream))
            if room.losses_known == known:
                return gone

    async def _begin(self, viewer: Viewer, room: Room, history: int) -> bool:
        """A snapshot, unless the chain begins anew meanwhile."""
        snapshot = await self._reads.do((room.stream, history), lambda: self._timeline.snapshot(room.stream, history))
        if snapshot.position.epoch != room.epoch:
            self._following.begin_anew(room, snapshot.position)
        joined = text_frame(encode(await self._joined(room, snapshot)))
        if snapshot.position.epoch != room.epoch:
            return False
        viewer.held = viewer.asides_from = snapshot.position.number
        viewer.transport.write(joined)
        return True

    async def _missed(self, room: Room, position: Position) -> Sequence[Kept] | None:
        """The frames above the position, from the ring, else from the timeline; None: it cannot be resumed."""
        if position.epoch != room.epoch or position.number > room.top:
            return None
        kept = room.after(position.number)
        if kept is not None:
            return kept
        return await self._reads.do((room.stream, position), lambda: self._read(room.stream, position))

    async def _read(self, stream: str, position: Position) -> Sequence[Kept] | None:
        frames = await self._timeline.since(stream, position)
        return None if frames is None else [Kept(frame) for frame in frames]

    async def give_owed(self, viewer: Viewer, room: Room, owed: Owed) -> None:
        """Asides of frames that a viewer held before it signed in, as far back as frames are kept."""
        if owed.above >= owed.upto:
            return
        position = Position(room.epoch, owed.above)
        frames = await self._missed(room, position) or tuple(room.ring)
        if viewer.room is room and position.epoch == room.epoch:
            self._personal.give(room, viewer, frames, owed)

    async def _recovered(self, room: Room, position: Position) -> bytes:
        rules = await self._rules(room)
        return text_frame(encode(wire.Joined(room.stream, str(position), True, [], [], room.crowd, {}, rules)))

    async def _joined(self, room: Room, snapshot: Snapshot) -> wire.Joined:
        return wire.Joined(
            stream=room.stream,
            position=str(snapshot.position),
            recovered=False,
            comments=list(snapshot.comments),
            pinned=list(snapshot.pinned),
            viewers=max(1, room.crowd),
            reactions=dict(snapshot.reactions),
            rules=snapshot.rules or await self._made_rules(room.stream) or NO_RULES,
        )

    async def _rules(self, room: Room) -> wire.PosterRules:
        if room.rules is None:
            epoch, told = room.epoch, (await self._timeline.snapshot(room.stream, 0)).rules
            rules = told or await self._made_rules(room.stream)
            if rules is None or epoch != room.epoch:
                return rules or NO_RULES
            room.rules = room.rules or rules  # a frame that came meanwhile is newer
        return room.rules

    async def _made_rules(self, stream: str) -> wire.PosterRules | None:
        """Of a stream that did not change since its chain began."""
        found = await self._stream_of(stream)
        return wire.poster_rules(found) if isinstance(found, Stream) else None
