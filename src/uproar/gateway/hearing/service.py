"""What viewers say: read as ops, handed to the write path or the tally, and answered."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from uproar.auth import Identity, Keys, identify
from uproar.core.clock import Clock
from uproar.core.comment import Comment
from uproar.core.ids import parse_id
from uproar.core.refusal import Refusal, Refused
from uproar.core.stream import Stream
from uproar.gateway.personal import Owed, Personal
from uproar.gateway.reactions import Tally, refusal
from uproar.gateway.room import Room
from uproar.gateway.session import Session
from uproar.gateway.viewer import Viewer
from uproar.observe.counters import Metrics
from uproar.wire import frames as wire
from uproar.wire.closes import Close
from uproar.wire.codec import encode

EARLY = 64  # messages that may wait for a viewer's `joined`; one more closes it
FLUSH_S = 5.0  # so long at most the answers that are under way are waited for at the end
LATER = Refused(Refusal.OVERLOADED, 1000)


class Writes(Protocol):
    """What the gateway asks of the write path."""

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


class Hearing:
    """Does what viewers ask for; what a viewer says before it was told `joined` waits for that."""

    def __init__(
        self,
        writes: Writes,
        keys: Keys,
        clock: Clock,
        metrics: Metrics,
        personal: Personal,
        tally: Tally,
        give_owed: Callable[[Viewer, Room, Owed], Awaitable[None]],
        do: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        self._writes = writes
        self._keys = keys
        self._clock = clock
        self._metrics = metrics
        self._personal = personal
        self._tally = tally
        self._give_owed = give_owed
        self._do = do
        self._answering: set[asyncio.Task[None]] = set()
        self._closed = False
        self._early: dict[Viewer, list[bytes]] = {}

    # -- before `joined`

    def hold(self, viewer: Viewer) -> None:
        """What it says waits."""
        self._early[viewer] = []

    def release(self, viewer: Viewer) -> None:
        """It was told `joined`: it is heard."""
        for data in self._early.pop(viewer, ()):
            self.heard(viewer, data)

    def forget(self, viewer: Viewer) -> None:
        """It left before."""
        self._early.pop(viewer, None)

    # -- messages

    def heard(self, viewer: Viewer, data: bytes) -> None:
        """A text message came."""
        early = self._early.get(viewer)
        if early is None:
            return self._read(viewer, data)
        early.append(data)
        if len(early) > EARLY:
            self._personal.close(viewer, Close.BAD_MESSAGE)
        return None

    def _read(self, viewer: Viewer, data: bytes) -> None:
        session = viewer.session = viewer.session or Session()
        answer = session.read(data, self._clock.now())
        match answer:
            case Close():
                self._personal.close(viewer, answer)
            case wire.RefusedMessage():
                self._personal.tell(viewer, encode(answer))
            case None:
                self._metrics.dropped_reactions.inc()
            case wire.Auth():
                self._authenticate(viewer, answer)
            case wire.React():
                self._do(self._react(viewer, answer))
            case _ if session.is_busy or self._closed:
                self._refuse(viewer, LATER, answer)
            case _:
                session.under_way += 1
                task = self._do(self._answer(viewer, session, session.identity, answer))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)

    async def _answer(
        self, viewer: Viewer, session: Session, who: Identity | None, op: wire.Post | wire.Like | wire.Report
    ) -> None:
        """`who` it was when the message came: an `auth` behind it does not change whose it is."""
        try:
            stream = viewer.room.stream if viewer.room else None
            if stream is None:
                return self._refuse(viewer, LATER, op)
            if who is not None and who.expired(self._clock.now_ms() / 1000):
                self._end_sign_in(viewer)
                return self._refuse(viewer, Refused(Refusal.BAD_TOKEN), op)
            match op:
                case wire.Post():
                    await self._post(viewer, who, stream, op)
                case wire.Like():
                    await self._like(viewer, who, stream, op)
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
            self._personal.refuse(viewer, answer, op)
            return
        self._personal.tell(viewer, encode(wire.Ack(op.ref, wire.shown(answer))))

    async def _like(self, viewer: Viewer, who: Identity | None, stream: str, op: wire.Like) -> None:
        known = parse_id(op.comment)
        if who is None:
            self._refuse(viewer, Refused(Refusal.NOT_SIGNED_IN), None)
            return
        answer = None if known is None else await self._writes.like(who, stream, known, op.on)
        if answer is not None and answer.refusal is not Refusal.NO_SUCH_COMMENT:
            self._refuse(viewer, answer, None)

    async def _report(self, viewer: Viewer, who: Identity | None, stream: str, op: wire.Report) -> None:
        known = parse_id(op.comment)
        unknown = Refused(Refusal.NO_SUCH_COMMENT)
        answer = unknown if known is None else await self._writes.report(who, stream, known, op.why)
        if answer is not None:
            self._refuse(viewer, answer, op)
            return
        self._personal.tell(viewer, encode(wire.Ack(op.ref)))

    # -- reactions

    async def _react(self, viewer: Viewer, op: wire.React) -> None:
        if viewer.room is None:
            return
        self.look_over(viewer)
        who = viewer.session.identity if viewer.session else None
        answer = await self.react(who, viewer.room.stream, op.counts)
        if answer is not None:
            self._refuse(viewer, answer, None)

    async def react(self, who: Identity | None, stream: str, counts: dict[str, int]) -> Refused | None:
        """Count reactions; they leave for the log at the next half second."""
        known = await self._writes.stream(stream)
        if not isinstance(known, Stream):
            return known or Refused(Refusal.NO_SUCH_STREAM)
        why = refusal(who, known, counts)
        if why is not None:
            return why
        if not self._tally.count(stream, counts):
            return LATER
        self._metrics.reactions.inc(sum(counts.values()))
        return None

    # -- who it is

    def _authenticate(self, viewer: Viewer, op: wire.Auth) -> None:
        who = identify(op.token, self._keys, self._clock.now_ms() / 1000)
        if isinstance(who, Refusal):
            return self._refuse(viewer, Refused(who), op)
        self._do(self._welcome(viewer, who, self._personal.sign_in(viewer, who)))
        return None

    async def _welcome(self, viewer: Viewer, who: Identity, owed: Owed) -> None:
        room = viewer.room
        stream = await self._writes.stream(room.stream) if room else None
        creator = stream.creator if isinstance(stream, Stream) else ""
        user = who.user_in(room.stream if room else "", creator)
        self._personal.tell(viewer, encode(wire.Welcome(user, who.exp)))
        if room is not None:
            await self._give_owed(viewer, room, owed)

    def look_over(self, viewer: Viewer) -> None:
        """Now and then: a token that ended ends the sign-in."""
        who = viewer.session.identity if viewer.session else None
        if who is not None and who.expired(self._clock.now_ms() / 1000):
            self._end_sign_in(viewer)

    def _end_sign_in(self, viewer: Viewer) -> None:
        """The connection goes on as nobody's."""
        self._personal.sign_out(viewer)
        self._personal.notice(viewer, Refusal.BAD_TOKEN)

    def _refuse(self, viewer: Viewer, why: Refused, op: wire.FromViewer | None) -> None:
        self._metrics.refusals.labels(why.refusal.reason).inc()
        self._personal.refuse(viewer, why, op)

    # -- the end

    async def drain(self) -> None:
        """Begin nothing more, and wait for the answers that are under way."""
        self._closed = True
        if self._answering:
            await asyncio.wait(self._answering, timeout=FLUSH_S)
