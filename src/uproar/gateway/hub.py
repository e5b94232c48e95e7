"""The hub: rooms and viewers of one gateway process, between the timeline and the sockets."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, Protocol

import structlog

from uproar.auth import Identity, Keys, identify
from uproar.core.clock import Clock
from uproar.core.comment import Comment
from uproar.core.errors import Unavailable
from uproar.core.events import Event, Reacted
from uproar.core.ids import parse_id
from uproar.core.position import Position
from uproar.core.refusal import Refusal, Refused
from uproar.core.stream import Stream
from uproar.gateway.outbox import Lag
from uproar.gateway.room import NO_SLOT, Kept, Room, Viewer
from uproar.gateway.session import Session, refused
from uproar.observe.counters import Metrics
from uproar.presence import Presence
from uproar.timeline import Snapshot, Timeline
from uproar.wire import frames as wire
from uproar.wire.closes import Close
from uproar.wire.codec import encode, read_batch
from uproar.wire.net import net_result
from uproar.wire.websocket import text_frame

SLICE_S = 0.005  # a broadcast gives way to acks and reads this often
CHUNK = 128  # viewers between two looks at the clock
HISTORY = 200
HISTORY_AGAIN = 50
ANEW = -1  # held by a lagging viewer whose chain began anew meanwhile: it holds nothing
EARLY = 64  # messages that may wait for a viewer's `joined`; one more closes it
UNDER_WAY = 20  # posts of one viewer that may wait for their ack at once
QUIET_S = 30.0  # a room without viewers stays for who comes back
REACTIONS_PER_S = 2
TOPS_S = 3.0
VIEWERS_S = 5.0
EMPTY = wire.PosterRules(500, 0, (), "live")

log = structlog.get_logger()


class Writes(Protocol):
    """What the hub asks of the write path."""

    async def post(
        self, who: Identity | None, stream: str, text: str, reply_to: int | None = None, key: str = ""
    ) -> Comment | Refused:
        """Say something."""

    async def like(self, who: Identity | None, stream: str, comment_id: int, on: bool) -> Refused | None:
        """Like a comment."""

    async def report(self, who: Identity | None, stream: str, comment_id: int, why: str) -> Refused | None:
        """Report a comment."""

    async def stream(self, stream: str) -> Stream | Refused | None:
        """The stream; refused while nobody knows."""


class Timing(NamedTuple):
    """How often the hub does what it does by itself, in seconds."""

    ping_s: int = 25
    pong_s: int = 10
    ring_s: float = 60.0
    drain_s: float = 10.0


TIMING = Timing()
LAG = Lag()


class Hub:
    """All rooms of this gateway."""

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
    ) -> None:
        self._timeline = timeline
        self._presence = presence
        self._writes = writes
        self._append = append
        self._keys = keys
        self._clock = clock
        self._metrics = metrics
        self._timing = timing
        self._lag = lag
        self.run = secrets.token_hex(6)
        self.rooms: dict[str, Room] = {}
        self._leave: dict[str, Callable[[], None]] = {}
        self._opening: dict[str, asyncio.Future[Room]] = {}
        self._flights: dict[tuple[str, int], asyncio.Future[Snapshot]] = {}
        self._repairs: dict[str, asyncio.Task[None]] = {}
        self._empty_since: dict[str, float] = {}
        self._told: dict[str, int] = {}
        self._reactions: dict[str, dict[str, int]] = {}
        self._flushed: dict[str, Reacted] = {}
        self._numbers: dict[str, int] = {}
        self._early: dict[Viewer, list[bytes]] = {}
        self._wheel: list[set[Viewer]] = [set() for _ in range(timing.ping_s)]
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending = False
        self._next_slot = 0
        self.viewers = 0

    # -- coming and going

    def join(self, viewer: Viewer, stream: str, position: Position | None, history: int, who: Identity | None) -> None:
        """A viewer arrived; it is told `joined` as soon as the room is open."""
        self.viewers += 1
        self._wheel[self._next_slot % len(self._wheel)].add(viewer)
        self._next_slot += 1
        self._early[viewer] = []
        self.do(self._join(viewer, stream, position, min(history, HISTORY), who))

    async def _join(
        self, viewer: Viewer, stream: str, position: Position | None, history: int, who: Identity | None
    ) -> None:
        try:
            room = await self._open(stream)
            if viewer.transport.is_closing():
                return
            viewer.room = room
            room.viewers += 1
            if who is not None:
                self._sign_in(viewer, who)
            await self._catch_up(viewer, room, position, history)
            for data in self._early.pop(viewer, ()):
                self.heard(viewer, data)
        except Unavailable:
            self.close(viewer, Close.MOVED)
        finally:
            self._early.pop(viewer, None)

    async def _open(self, stream: str) -> Room:
        """The stream's room; opened once for all who come at the same time."""
        if stream in self.rooms:
            self._empty_since.pop(stream, None)
            return self.rooms[stream]
        opening = self._opening.get(stream)
        if opening is None:
            opening = self._opening[stream] = asyncio.ensure_future(self._open_room(stream))
            opening.add_done_callback(lambda _: self._opening.pop(stream, None))
        return await asyncio.shield(opening)

    async def _open_room(self, stream: str) -> Room:
        early: list[wire.Frame] = []
        forward: list[Callable[[wire.Frame], None]] = [early.append]
        leave = self._timeline.subscribe(stream, lambda frame: forward[0](frame))
        try:
            top = await self._timeline.top(stream)
            gone = await self._timeline.gone(stream)
        except BaseException:
            leave()
            raise
        room = self.rooms[stream] = Room(stream, top.epoch, top.number, self._timing.ring_s)
        room.gone = gone
        self._leave[stream] = leave
        forward[0] = partial(self._on_frame, room)
        for frame in early:
            self._on_frame(room, frame)
        return room

    async def _catch_up(self, viewer: Viewer, room: Room, position: Position | None, history: int) -> None:
        """Tell it `joined`, and give it what it missed, or a snapshot; until then nothing else is sent to it."""
        room.catching_up.add(viewer)
        missed = await self._missed(room, position) if position else None
        self._metrics.resumes.labels("yes" if missed is not None else "no").inc(position is not None)
        if position is not None and missed is not None:
            joined = await self._recovered(room, position)
            room.gone = await self._timeline.gone(room.stream)  # last: a frame that restores knows no older loss
            if position.epoch != room.epoch:
                return await self._catch_up(viewer, room, None, history)  # the chain began anew meanwhile
            missed = [kept for kept in missed if kept.frame.number <= room.top]
            viewer.asides_from = position.number
            viewer.held = missed[-1].frame.number if missed else position.number
            viewer.transport.write(joined + b"".join(kept.without(room.gone).form(viewer.deflated) for kept in missed))
            self._give_asides(viewer, room)
        else:
            snapshot = await self._snapshot(room.stream, history)
            if snapshot.position.epoch != room.epoch:
                self._begin_anew(room, snapshot.position)
            joined = text_frame(encode(await self._joined(room, snapshot)))
            if snapshot.position.epoch != room.epoch:
                return await self._catch_up(viewer, room, None, history)
            viewer.held = viewer.asides_from = snapshot.position.number
            viewer.transport.write(joined)
        room.catching_up.discard(viewer)
        room.waiting.append(viewer)
        self._admit(room)
        return None

    def _again(self, viewer: Viewer, room: Room, position: Position | None) -> None:
        """Tell it `joined` once more."""
        room.catching_up.add(viewer)
        self.do(self._catch_up_again(viewer, room, position, HISTORY_AGAIN))

    async def _catch_up_again(self, viewer: Viewer, room: Room, position: Position | None, history: int) -> None:
        try:
            await self._catch_up(viewer, room, position, history)
        except Unavailable:
            self.close(viewer, Close.MOVED)

    async def _missed(self, room: Room, position: Position) -> Sequence[Kept] | None:
        """The frames above the position, from the ring, else from the timeline; None: it cannot be resumed."""
        if position.epoch != room.epoch or position.number > room.top:
            return None
        kept = room.after(position.number)
        if kept is not None:
            return kept
        frames = await self._timeline.since(room.stream, position)
        return None if frames is None else [Kept(frame) for frame in frames]

    async def _recovered(self, room: Room, position: Position) -> bytes:
        rules = await self._rules(room)
        viewers = self._told.get(room.stream, room.viewers)
        return text_frame(
            encode(wire.Joined(room.stream, str(position), True, [], [], viewers, {}, rules)),
        )

    async def _joined(self, room: Room, snapshot: Snapshot) -> wire.Joined:
        return wire.Joined(
            stream=room.stream,
            position=str(snapshot.position),
            recovered=False,
            comments=list(snapshot.comments),
            pinned=list(snapshot.pinned),
            viewers=max(1, self._told.get(room.stream, room.viewers)),
            reactions=dict(snapshot.reactions),
            rules=snapshot.rules or await self._rules(room),
        )

    async def _rules(self, room: Room) -> wire.PosterRules:
        stream = await self._writes.stream(room.stream)
        return wire.poster_rules(stream) if isinstance(stream, Stream) else EMPTY

    async def _snapshot(self, stream: str, history: int) -> Snapshot:
        """Read once for all who ask at the same time."""
        flight = self._flights.get((stream, history))
        if flight is None:
            flight = asyncio.ensure_future(self._timeline.snapshot(stream, history))
            self._flights[stream, history] = flight
            flight.add_done_callback(lambda _: self._flights.pop((stream, history), None))
        return await asyncio.shield(flight)

    def gone(self, viewer: Viewer) -> None:
        """A viewer's connection is lost: its slot is empty before its descriptor can be used again."""
        spoke = next((spoke for spoke in self._wheel if viewer in spoke), None)
        if spoke is None:
            return
        spoke.discard(viewer)
        self._early.pop(viewer, None)
        self.viewers -= 1
        room = viewer.room
        if room is None:
            return
        if viewer.slot != NO_SLOT:
            room.empty(viewer, self._sending)
        room.lagging.pop(viewer, None)
        room.catching_up.discard(viewer)
        self._sign_out(viewer)
        viewer.room = None
        room.viewers -= 1
        if not room.viewers:
            self._empty_since[room.stream] = self._clock.now()

    # -- frames to viewers

    def _on_frame(self, room: Room, frame: wire.Frame) -> None:
        """A frame was announced: keep it and send, or find out what is missing."""
        if frame.epoch == room.epoch and frame.number <= room.top:
            return
        fits = frame.epoch == room.epoch and frame.number == room.top + 1
        if not fits or (room.checksum is not None and frame.before != room.checksum):
            self._repair(room)
            return
        room.keep(frame, self._clock.now_ms())
        self._metrics.frames.inc()
        if b'"remove' in frame.plain or b'"restored' in frame.plain:
            room.losses_told += 1
            self.do(self._note_gone(room))
        if room.cursor is None:
            self._send(room)

    async def _note_gone(self, room: Room) -> None:
        """Until it is known what is gone after a frame, nobody is given frames from the ring."""
        told = room.losses_told
        with suppress(Unavailable):  # asked again with the tops
            room.gone = await self._timeline.gone(room.stream)
            room.losses_known = max(room.losses_known, told)
            self._admit(room)

    def _send(self, room: Room) -> None:
        """Begin to send everything that waits in the ring, in one write a viewer."""
        kept = room.after(room.sent)
        if not kept:
            return
        room.target = room.top
        room.cursor = (0, 0)
        forms = [b"".join(one.plain for one in kept), b"".join(one.deflated for one in kept)]
        self._slice(room, forms, kept)

    def _slice(self, room: Room, forms: Sequence[bytes], kept: Sequence[Kept]) -> None:
        """Send for `SLICE_S`, and go on after others had their turn."""
        until = self._clock.now() + SLICE_S
        while room.cursor is not None:
            form, at = room.cursor
            transports = room.lists[form][at : at + CHUNK]
            if transports:
                self._sending = True
                room.deliver(transports, forms[form])
                self._sending = False
                room.cursor = (form, at + len(transports))
            elif form == 0:
                room.cursor = (1, 0)
            else:
                self._sent(room, kept)
                return
            if self._clock.now() >= until:
                asyncio.get_running_loop().call_soon(self._slice, room, forms, kept)
                return

    def _sent(self, room: Room, kept: Sequence[Kept]) -> None:
        """Every ready viewer has it: asides, whoever waited, and the next frames."""
        room.sent, room.cursor = room.target, None
        now_ms = self._clock.now_ms()
        for one in kept:
            if one.frame.posted_ms:
                self._metrics.post_to_display_seconds.observe(max(0, now_ms - one.frame.posted_ms) / 1000)
            self._give_ready(room, one.frame)
        for form, name in enumerate(("plain", "alone")):
            self._metrics.deliveries.labels(name).inc(len(room.lists[form]) * len(kept))
        self._admit(room)
        if room.top > room.sent:
            self._send(room)

    def _admit(self, room: Room) -> None:
        """Whoever waits becomes ready, between two frames."""
        if room.cursor is not None or not room.waiting:
            return
        waiting, room.waiting = room.waiting, []
        joined: dict[tuple[int, bool], bytes] = {}
        for viewer in waiting:
            if viewer.room is not room or viewer.lagging or viewer.slot != NO_SLOT or viewer in room.catching_up:
                continue
            if viewer.held > room.sent or (viewer.held < room.sent and room.losses_known < room.losses_told):
                room.waiting.append(viewer)
            elif viewer.held == room.sent:
                room.place(viewer)
            else:
                self._make_up(room, viewer, joined)

    def _make_up(self, room: Room, viewer: Viewer, joined: dict[tuple[int, bool], bytes]) -> None:
        """Give a viewer what it missed in one write; the bytes are joined once for all who hold the same."""
        kept = room.after(viewer.held, room.sent)
        key = (viewer.held, viewer.deflated)
        if kept is None:
            position = Position(room.epoch, viewer.held) if viewer.held >= 0 else None
            self._again(viewer, room, position)
            return
        if key not in joined:
            joined[key] = self._joined_bytes(room, kept, viewer.deflated)
        viewer.held = room.sent
        viewer.transport.write(joined[key])
        if not viewer.lagging:
            self._give_asides(viewer, room)
            room.place(viewer)

    def _joined_bytes(self, room: Room, kept: Sequence[Kept], deflated: bool) -> bytes:
        shown = [one.without(room.gone) for one in kept]
        missed = b"".join(one.form(deflated) for one in shown)
        if self._lag.catches_up(len(missed)):
            return missed
        self._metrics.skipped.inc()
        return text_frame(encode(net_result([read_batch(one.frame.plain) for one in shown])))

    def _repair(self, room: Room) -> None:
        """Read what is missing, once for all its viewers."""
        if room.stream not in self._repairs:
            task = self.do(self._repair_room(room))
            self._repairs[room.stream] = task
            task.add_done_callback(lambda _: self._repairs.pop(room.stream, None))

    async def _repair_room(self, room: Room) -> None:
        try:
            frames = await self._timeline.since(room.stream, Position(room.epoch, room.top))
            if frames is None:
                top = await self._timeline.top(room.stream)
                self._begin_anew(room, Position(top.epoch, top.number))
                return
        except Unavailable:
            return  # the tops are compared again soon
        for frame in frames:
            if frame.number == room.top + 1:
                room.checksum = None
                self._on_frame(room, frame)

    def _begin_anew(self, room: Room, position: Position) -> None:
        viewers = [*room.ready(), *room.waiting]
        for viewer in viewers:
            if viewer.slot != NO_SLOT:
                room.empty(viewer, self._sending)
        room.waiting = []
        room.begin(position.epoch, position.number)
        for viewer in room.lagging:
            viewer.held = ANEW
        for viewer in viewers:
            self._again(viewer, room, None)

    # -- slow viewers

    def paused(self, viewer: Viewer) -> None:
        """Its socket is full: it lags, and is not written to."""
        room = viewer.room
        viewer.lagging = True
        if room is None:
            return
        if viewer.slot != NO_SLOT:
            room.empty(viewer, self._sending)
        room.lagging.setdefault(viewer, self._clock.now())

    def resumed(self, viewer: Viewer) -> None:
        """Its socket drained: it is served again at the next frame's end."""
        viewer.lagging = False
        room = viewer.room
        if room is None:
            return
        if room.lagging.pop(viewer, None) is not None and viewer.slot == NO_SLOT:
            room.waiting.append(viewer)
            self._admit(room)

    # -- viewers to us

    def heard(self, viewer: Viewer, data: bytes) -> None:
        """A text message came; what comes before `joined` was sent waits for it."""
        early = self._early.get(viewer)
        if early is not None:
            early.append(data)
            if len(early) > EARLY:
                self.close(viewer, Close.BAD_MESSAGE)
            return
        session = viewer.session = viewer.session or Session()
        answer = session.read(data, self._clock.now())
        match answer:
            case Close():
                self.close(viewer, answer)
            case wire.RefusedMessage():
                self._tell(viewer, encode(answer))
            case None:
                self._metrics.dropped_reactions.inc()
            case wire.Auth(token=token):
                self._authenticate(viewer, answer, token)
            case wire.React():
                self.do(self._react(viewer, answer))
            case _ if session.under_way >= UNDER_WAY:
                self._refuse(viewer, Refused(Refusal.OVERLOADED, 1000), answer)
            case _:
                session.under_way += 1
                self.do(self._do(viewer, session, session.identity, answer))

    async def _do(
        self, viewer: Viewer, session: Session, who: Identity | None, op: wire.Post | wire.Like | wire.Report
    ) -> None:
        """`who` it was when the message came: an `auth` behind it does not change whose it is."""
        try:
            stream = viewer.room.stream if viewer.room else None
            if stream is None:
                return self._refuse(viewer, Refused(Refusal.OVERLOADED, 1000), op)
            if who is not None and who.expired(self._clock.now_ms() / 1000):
                self._sign_out(viewer)
                self._notice(viewer, Refusal.BAD_TOKEN)
                return self._refuse(viewer, Refused(Refusal.BAD_TOKEN), op)
            match op:
                case wire.Post():
                    await self._post(viewer, who, stream, op)
                case wire.Like(comment=comment, on=on):
                    await self._like(viewer, who, stream, comment, on)
                case wire.Report():
                    await self._report(viewer, who, stream, op)
        finally:
            session.under_way -= 1

    async def _post(self, viewer: Viewer, who: Identity | None, stream: str, op: wire.Post) -> None:
        parent = None if op.reply_to is None else parse_id(op.reply_to)
        if op.reply_to is not None and parent is None:
            self._refuse(viewer, Refused(Refusal.BAD_MESSAGE, detail="reply_to is not an id"), op)
            return
        answer = await self._writes.post(who, stream, op.text, parent, op.ref)
        if isinstance(answer, Refused):
            self._refuse(viewer, answer, op)
            return
        self._tell(viewer, encode(wire.Ack(op.ref, wire.shown(answer))))

    async def _like(self, viewer: Viewer, who: Identity | None, stream: str, comment: str, on: bool) -> None:
        known = parse_id(comment)
        if who is None:
            self._refuse(viewer, Refused(Refusal.NOT_SIGNED_IN), None)
            return
        if known is not None:
            answer = await self._writes.like(who, stream, known, on)
            if isinstance(answer, Refused) and answer.refusal is not Refusal.NO_SUCH_COMMENT:
                self._refuse(viewer, answer, None)

    async def _report(self, viewer: Viewer, who: Identity | None, stream: str, op: wire.Report) -> None:
        known = parse_id(op.comment)
        answer = (
            Refused(Refusal.NO_SUCH_COMMENT) if known is None else await self._writes.report(who, stream, known, op.why)
        )
        if isinstance(answer, Refused):
            self._refuse(viewer, answer, op)
            return
        self._tell(viewer, encode(wire.Ack(op.ref)))

    async def _react(self, viewer: Viewer, op: wire.React) -> None:
        if viewer.room is None:
            return
        who = viewer.session.identity if viewer.session else None
        answer = await self.react(who, viewer.room.stream, op.counts)
        if answer is not None:
            self._refuse(viewer, answer, None)

    async def react(self, who: Identity | None, stream: str, counts: dict[str, int]) -> Refused | None:
        """Count reactions; they leave for the log at the next half second."""
        known = await self._writes.stream(stream)
        if not isinstance(known, Stream):
            return known or Refused(Refusal.NO_SUCH_STREAM)
        if known.rules.react_signed_in and who is None:
            return Refused(Refusal.NOT_SIGNED_IN)
        if sum(counts.values()) > 50 or not counts or any(kind not in known.rules.reactions for kind in counts):
            return Refused(Refusal.BAD_MESSAGE, detail="these are not reactions of this stream, or more than 50")
        if known.ended:
            return Refused(Refusal.STREAM_ENDED)
        held = self._reactions.setdefault(stream, {})
        for kind, count in counts.items():
            held[kind] = held.get(kind, 0) + count
        self._metrics.reactions.inc(sum(counts.values()))
        return None

    def _authenticate(self, viewer: Viewer, op: wire.Auth, token: str) -> None:
        who = identify(token, self._keys, self._clock.now_ms() / 1000)
        if isinstance(who, Refusal):
            return self._refuse(viewer, Refused(who), op)
        self._sign_in(viewer, who)
        self.do(self._welcome(viewer, who))
        return None

    async def _welcome(self, viewer: Viewer, who: Identity) -> None:
        room = viewer.room
        stream = await self._writes.stream(room.stream) if room else None
        creator = stream.creator if isinstance(stream, Stream) else ""
        user = who.user_in(room.stream if room else "", creator)
        self._tell(viewer, encode(wire.Welcome(user, who.exp)))
        if room is not None:
            self._give_asides(viewer, room)

    def _sign_in(self, viewer: Viewer, who: Identity) -> None:
        self._sign_out(viewer)
        session = viewer.session = viewer.session or Session()
        session.identity = who
        if viewer.room is not None:
            viewer.room.users.setdefault(who.id, set()).add(viewer)

    def _sign_out(self, viewer: Viewer) -> None:
        session, room = viewer.session, viewer.room
        if session is None or session.identity is None:
            return
        if room is not None and session.identity.id in room.users:
            room.users[session.identity.id].discard(viewer)
            if not room.users[session.identity.id]:
                del room.users[session.identity.id]
        session.identity = None

    def _give_ready(self, room: Room, frame: wire.Frame) -> None:
        """The frame's asides to users who are ready and were not given them: of each user all."""
        messages: dict[str, list[bytes]] = {}
        for aside in frame.asides:
            messages.setdefault(aside.user, []).append(aside.message)
        for user, theirs in messages.items():
            for viewer in tuple(room.users.get(user, ())):
                if viewer.slot != NO_SLOT and viewer.asides_from < frame.number:
                    viewer.asides_from = frame.number
                    for message in theirs:
                        self._tell(viewer, message)

    def _give_asides(self, viewer: Viewer, room: Room) -> None:
        """Replies to this user in frames that it holds but whose asides it was not given."""
        who = viewer.session.identity if viewer.session else None
        if who is None:
            return
        if viewer.slot == NO_SLOT or room.users.get(who.id) is None or viewer not in room.users[who.id]:
            room.users.setdefault(who.id, set()).add(viewer)
        holds = room.holds(viewer)
        for kept in room.ring:
            if viewer.asides_from < kept.frame.number <= holds:
                for aside in kept.frame.asides:
                    if aside.user == who.id:
                        self._tell(viewer, aside.message)
        viewer.asides_from = max(viewer.asides_from, holds)

    def _tell(self, viewer: Viewer, message: bytes) -> None:
        """Something for this viewer alone."""
        viewer.transport.write(text_frame(message))
        if viewer.lagging and viewer.transport.get_write_buffer_size() > self._lag.personal_bytes:
            self.close(viewer, Close.TOO_SLOW)

    def _refuse(self, viewer: Viewer, why: Refused, op: wire.FromViewer | None) -> None:
        self._metrics.refusals.labels(why.refusal.reason).inc()
        self._tell(viewer, encode(refused(why, op)))

    def _notice(self, viewer: Viewer, why: Refusal) -> None:
        self._tell(viewer, encode(wire.Notice(why.code, why.reason, why.message)))

    def close(self, viewer: Viewer, close: Close, retry_after_ms: int | None = None) -> None:
        """Say bye and end the connection."""
        self.gone(viewer)
        self._metrics.closes.labels(str(int(close))).inc()
        viewer.transport.write(text_frame(encode(wire.Bye(int(close), close.reason, retry_after_ms))))
        viewer.end(int(close), close.reason)

    # -- what the hub does by itself

    async def live(self) -> None:
        """Half-second marks: reactions, presence, pings, slow viewers, tops, quiet rooms; until cancelled."""
        beat = 0
        while True:
            await asyncio.sleep(1 / REACTIONS_PER_S)
            beat += 1
            await self.flush()
            if beat % REACTIONS_PER_S == 0:
                self._ping(beat // REACTIONS_PER_S)
                self._close_slow()
                await self._second(beat // REACTIONS_PER_S)

    async def _second(self, second: int) -> None:
        try:
            await self._presence.tell(self.run, {stream: room.viewers for stream, room in self.rooms.items()})
            if second % int(TOPS_S) == 0:
                await self._compare_tops()
            if second % int(VIEWERS_S) == 0:
                await self._tell_viewers()
        except Unavailable as fault:
            log.warning("gateway_waits", why=str(fault))
        self._forget_quiet()
        self._metrics.viewers.set(self.viewers)
        self._metrics.streams.set(len(self.rooms))
        self._metrics.lagging_viewers.set(sum(len(room.lagging) for room in self.rooms.values()))

    async def flush(self) -> None:
        """Append what was counted; what was perhaps kept is sent again unchanged."""
        streams = dict.fromkeys((*self._reactions, *self._flushed))
        await asyncio.gather(*(self._flush(stream) for stream in streams))

    async def _flush(self, stream: str) -> None:
        event = self._flushed.get(stream)
        if event is None:
            number = self._numbers[stream] = self._numbers.get(stream, 0) + 1
            event = self._flushed[stream] = Reacted(stream, self.run, number, self._reactions.pop(stream))
        try:
            await self._append(event)
        except Unavailable:
            return
        self._flushed.pop(stream, None)

    async def _compare_tops(self) -> None:
        """Finds a lost last frame, and a chain that began anew."""
        for room in [room for room in self.rooms.values() if room.viewers]:
            if room.losses_known < room.losses_told:
                await self._note_gone(room)
            top = await self._timeline.top(room.stream)
            if top.epoch != room.epoch or top.number < room.top:
                self._begin_anew(room, Position(top.epoch, top.number))
            elif top.number > room.top:
                self._repair(room)

    async def _tell_viewers(self) -> None:
        for room in [room for room in self.rooms.values() if room.viewers]:
            viewers = await self._presence.viewers(room.stream)
            if viewers != self._told.get(room.stream) and room.cursor is None:
                self._told[room.stream] = viewers
                data = text_frame(encode(wire.Viewers(viewers)))
                self._whisper(list(room.ready()), data)

    def _whisper(self, viewers: Sequence[Viewer], data: bytes) -> None:
        """A message outside the chain, in slices too."""
        for viewer in viewers[:CHUNK]:
            if viewer.slot != NO_SLOT:
                viewer.transport.write(data)
        if len(viewers) > CHUNK:
            asyncio.get_running_loop().call_soon(self._whisper, viewers[CHUNK:], data)

    def _ping(self, second: int) -> None:
        """One spoke of the wheel a second; who owes a pong for too long is closed."""
        late = self._wheel[(second - self._timing.pong_s) % len(self._wheel)]
        for viewer in [viewer for viewer in late if viewer.pinged and not viewer.lagging]:
            self.close(viewer, Close.NO_PONG)
        for viewer in tuple(self._wheel[second % len(self._wheel)]):
            if not viewer.lagging:
                viewer.pinged = True
                viewer.transport.write(b"\x89\x00")

    def _close_slow(self) -> None:
        now = self._clock.now()
        for room in self.rooms.values():
            for viewer, since in tuple(room.lagging.items()):
                if self._lag.over(since, now):
                    self.close(viewer, Close.TOO_SLOW)

    def _forget_quiet(self) -> None:
        now = self._clock.now()
        quiet = [stream for stream, since in self._empty_since.items() if now - since >= QUIET_S]
        for stream in quiet:
            del self._empty_since[stream]
            room = self.rooms.get(stream)
            if room is not None and not room.viewers:
                self._leave.pop(stream)()
                del self.rooms[stream]
                self._told.pop(stream, None)

    async def drain(self) -> None:
        """Everyone is told when to come back, spread evenly; then all that was counted is kept."""
        viewers = [viewer for spokes in self._wheel for viewer in spokes]
        for number, viewer in enumerate(viewers):
            wait_ms = int(1000 * self._timing.drain_s * (number + 1) / len(viewers))
            self.close(viewer, Close.SHUTDOWN, wait_ms)
            if number % CHUNK == CHUNK - 1:
                await asyncio.sleep(0)
        await self.flush()
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
