"""What is for one viewer alone: who it is, answers, asides, and the last words."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from uproar.auth import Identity
from uproar.core.refusal import Refusal, Refused
from uproar.gateway.outbox import Lag
from uproar.gateway.ring import Kept
from uproar.gateway.room import Room
from uproar.gateway.session import Session, refused
from uproar.gateway.viewer import NO_SLOT, Viewer
from uproar.observe.counters import Metrics
from uproar.wire import frames as wire
from uproar.wire.closes import Close
from uproar.wire.codec import encode
from uproar.wire.websocket import text_frame


class Owed(NamedTuple):
    """Frames by their numbers: above the one, up to the other."""

    above: int
    upto: int


class Personal:
    """Writes to single viewers; `gone` takes a viewer off all lists."""

    def __init__(self, metrics: Metrics, lag: Lag, gone: Callable[[Viewer], None]) -> None:
        self._metrics = metrics
        self._lag = lag
        self._gone = gone

    # -- words

    def tell(self, viewer: Viewer, message: bytes) -> None:
        """Something for this viewer alone."""
        data = text_frame(message)
        viewer.transport.write(data)
        if viewer.lagging:
            session = viewer.session = viewer.session or Session()
            session.unread_bytes += len(data)
            if session.unread_bytes > self._lag.personal_bytes:
                self.close(viewer, Close.TOO_SLOW)

    def refuse(self, viewer: Viewer, why: Refused, op: wire.FromViewer | None) -> None:
        """The op is not done."""
        self.tell(viewer, encode(refused(why, op)))

    def notice(self, viewer: Viewer, why: Refusal) -> None:
        """Something concerns this viewer."""
        self.tell(viewer, encode(wire.Notice(why.code, why.reason, why.message)))

    def close(self, viewer: Viewer, close: Close, retry_after_ms: int | None = None) -> None:
        """Say bye and end the connection."""
        self._gone(viewer)
        self._metrics.closes.labels(str(int(close))).inc()
        viewer.transport.write(text_frame(encode(wire.Bye(int(close), close.reason, retry_after_ms))))
        viewer.end(int(close), close.reason)

    # -- who it is

    def sign_in(self, viewer: Viewer, who: Identity) -> Owed:
        """From now on the viewer is this user. Returns the frames whose asides it is owed: others come with theirs."""
        self.sign_out(viewer)
        session = viewer.session = viewer.session or Session()
        session.identity = who
        if viewer.room is None:
            return Owed(0, 0)
        viewer.room.users.setdefault(who.id, set()).add(viewer)
        owed = Owed(viewer.asides_from, viewer.room.holds(viewer))
        viewer.asides_from = max(owed)
        return owed

    def sign_out(self, viewer: Viewer) -> None:
        """From now on the viewer is nobody."""
        session, room = viewer.session, viewer.room
        if session is None or session.identity is None:
            return
        if room is not None and session.identity.id in room.users:
            room.users[session.identity.id].discard(viewer)
            if not room.users[session.identity.id]:
                del room.users[session.identity.id]
        session.identity = None

    # -- asides

    def give_ready(self, room: Room, frame: wire.Frame) -> None:
        """The frame's asides to users who are ready and were not given them: of each user all."""
        messages: dict[str, list[bytes]] = {}
        for aside in frame.asides:
            messages.setdefault(aside.user, []).append(aside.message)
        for user, theirs in messages.items():
            for viewer in tuple(room.users.get(user, ())):
                if viewer.slot != NO_SLOT and viewer.asides_from < frame.number:
                    viewer.asides_from = frame.number
                    for message in theirs:
                        self.tell(viewer, message)

    def give_missed(self, room: Room, viewer: Viewer, missed: Iterable[Kept]) -> None:
        """Asides to this viewer's user in these frames that it was given just now."""
        if viewer.session is not None and viewer.session.identity is not None:
            owed = Owed(viewer.asides_from, room.holds(viewer))
            viewer.asides_from = max(owed)
            self.give(room, viewer, missed, owed)

    def give(self, room: Room, viewer: Viewer, frames: Iterable[Kept], owed: Owed) -> None:
        """Asides to this viewer's user in those of the frames that are owed, without what is gone."""
        who = viewer.session.identity if viewer.session else None
        for kept in frames:
            if owed.above < kept.frame.number <= owed.upto:
                for aside in kept.without(room.gone).frame.asides:
                    if who is not None and aside.user == who.id:
                        self.tell(viewer, aside.message)
