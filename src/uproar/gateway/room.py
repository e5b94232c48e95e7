"""One stream's viewers in this gateway: who is ready, who lags, and the ring of frames they are served from.

A viewer is in one of three states:

    WAITING --admit--> READY --paused--> LAGGING --resumed--> WAITING
                         (joined or drained, and waiting for the end of the frame that is under way)
"""

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from uproar.gateway.session import Session
from uproar.timeline import Gone
from uproar.wire.frames import Frame, PosterRules
from uproar.wire.redact import redact_frame
from uproar.wire.websocket import text_frame

RING_BYTES = 16 << 20
FREE_SLOTS = 1_000  # may stay for who comes; more go once they are more than half, as after a crowd left
NO_SLOT = -1
NO_SOCKET = -1  # no descriptor: a native sender passes over it
ANEW = -1  # held by a lagging viewer whose chain began anew meanwhile: it holds nothing


class Transport(Protocol):
    """As much of an asyncio transport as rooms need."""

    def write(self, data: bytes) -> None:
        """Send, or keep until the socket takes it."""

    def is_closing(self) -> bool:
        """Whether nothing more will be sent."""

    def get_write_buffer_size(self) -> int:
        """Bytes that the socket has not taken yet."""


class _Nowhere:
    """Stands in an empty slot, so that the HOT loop need not ask."""

    __slots__ = ()

    def write(self, data: bytes) -> None:
        """Nobody is here."""

    def is_closing(self) -> bool:
        """Nothing is ever sent."""
        return True

    def get_write_buffer_size(self) -> int:
        """Nothing waits."""
        return 0


NOWHERE: Transport = _Nowhere()


class Viewer:
    """A transport and a few small numbers; no task, queue, timer or reader of its own.

    `held` is the last frame it has while it is not ready (ready viewers hold what the room has sent), `asides_from` the
    frame up to which it had its asides, `pinged` whether a pong is owed.
    """

    __slots__ = (
        "asides_from",
        "deflated",
        "descriptor",
        "held",
        "lagging",
        "pinged",
        "room",
        "session",
        "slot",
        "transport",
    )

    def __init__(self) -> None:
        self.transport: Transport = NOWHERE
        self.descriptor = NO_SOCKET
        self.room: Room | None = None
        self.session: Session | None = None
        self.slot = NO_SLOT
        self.held = 0
        self.asides_from = 0
        self.deflated = False
        self.lagging = False
        self.pinged = False

    def end(self, code: int, reason: str) -> None:
        """Close the connection with this code, once what was written is sent."""
        raise NotImplementedError


class Kept:
    """A frame in the ring, with the bytes that viewers get: header and payload, made once."""

    __slots__ = ("_plain", "_redacted", "deflated", "frame")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.deflated = text_frame(frame.alone, compressed=True)
        self._plain: bytes | None = None
        self._redacted: tuple[Gone, Kept] | None = None

    @property
    def plain(self) -> bytes:
        """For viewers without compression."""
        if self._plain is None:
            self._plain = text_frame(self.frame.plain)
        return self._plain

    def form(self, deflated: bool) -> bytes:
        """The bytes for a viewer."""
        return self.deflated if deflated else self.plain

    def without(self, gone: Gone) -> "Kept":
        """The same without what is gone, encoded anew once for all who ask."""
        if not gone.version:
            return self
        if self._redacted is None or self._redacted[0] != gone:  # versions alone begin again with a lost timeline
            frame = redact_frame(self.frame, gone)
            self._redacted = (gone, self if frame is self.frame else Kept(frame))
        return self._redacted[1]


def _not_subscribed() -> None:
    """Nothing to end."""


class Slots:
    """The viewers who are ready for one form of frames: transports, and descriptors beside them."""

    def __init__(self) -> None:
        self.transports: list[Transport] = []
        self.sockets = array("i")
        self._owners: list[Viewer | None] = []
        self._free: list[int] = []

    def __len__(self) -> int:
        """Slots, empty ones included."""
        return len(self.transports)

    @property
    def ready(self) -> int:
        """How many are not empty."""
        return len(self._owners) - len(self._free)

    def viewers(self) -> Iterator[Viewer]:
        """Who is ready."""
        return (viewer for viewer in self._owners if viewer is not None)

    def place(self, viewer: Viewer) -> None:
        """Give the viewer a slot."""
        if self._free:
            viewer.slot = self._free.pop()
            self._set(viewer.slot, viewer, viewer.transport, viewer.descriptor)
        else:
            viewer.slot = len(self)
            self._owners.append(viewer)
            self.transports.append(viewer.transport)
            self.sockets.append(viewer.descriptor)

    def empty(self, viewer: Viewer) -> None:
        """Take its slot at once."""
        self._set(viewer.slot, None, NOWHERE, NO_SOCKET)
        self._free.append(viewer.slot)
        viewer.slot = NO_SLOT

    def close_ranks(self) -> None:
        """Empty slots go when they are too many; not while a frame is sent."""
        if len(self._free) > max(FREE_SLOTS, len(self) // 2):
            ready = list(self.viewers())
            for shelf in (self._owners, self.transports, self.sockets, self._free):
                del shelf[:]
            for viewer in ready:
                self.place(viewer)

    def _set(self, slot: int, owner: Viewer | None, transport: Transport, socket: int) -> None:
        self._owners[slot], self.transports[slot], self.sockets[slot] = owner, transport, socket


class Room:
    """The ring and the ready lists of one stream. `sent` is what every ready viewer holds, `top` the ring's end.

    It is open once it was told where its chain ends (`begin`). `told` is how many viewers its own were told of last.
    """

    def __init__(self, stream: str, ring_s: float = 60.0) -> None:
        self.stream = stream
        self.ring_s = ring_s
        self.ring: deque[Kept] = deque()
        self.gone = Gone()
        self.losses_told = self.losses_known = 0  # frames that changed what is gone, and those that `gone` accounts for
        self.users: dict[str, set[Viewer]] = {}
        self.waiting: list[Viewer] = []
        self.lagging: dict[Viewer, float] = {}
        self.catching_up: set[Viewer] = set()
        self.viewers = 0
        self.told: int | None = None
        self.unsubscribe: Callable[[], None] = _not_subscribed
        self.in_repair = False
        self._bytes = 0
        self.forms = (Slots(), Slots())
        self.begin("", 0)

    @property
    def is_open(self) -> bool:
        """Whether it knows its place in the chain."""
        return bool(self.epoch)

    @property
    def crowd(self) -> int:
        """How many watch the stream, as far as is known here."""
        return self.viewers if self.told is None else self.told

    def begin(self, epoch: str, number: int) -> None:
        """The chain begins (anew): nothing is in the ring."""
        self.epoch = epoch
        self.gone = Gone(epoch=epoch)
        self.rules: PosterRules | None = None  # as of the ring's end, once somebody asked
        self._cut = -1
        self.top = self.sent = number
        self.checksum: int | None = None
        self.ring.clear()
        self._bytes = 0
        self.cursor: tuple[int, int] | None = None
        self.target = number

    # -- the ring

    def keep(self, frame: Frame, now_ms: int) -> Kept:
        """Put the next frame into the ring; the oldest leave after `ring_s`, or beyond `RING_BYTES`."""
        kept = Kept(frame)
        self.ring.append(kept)
        self.top = frame.number
        self.checksum = frame.checksum
        self._bytes += len(frame.plain) + len(frame.alone)
        self._drop_cut()
        while len(self.ring) > 1 and (
            self._bytes > RING_BYTES or self.ring[0].frame.at_ms < now_ms - self.ring_s * 1000
        ):
            if self.ring[0].frame.number > self.sent:
                break  # not sent yet
            self._drop_oldest()
        return kept

    def _drop_oldest(self) -> None:
        oldest = self.ring.popleft().frame
        self._bytes -= len(oldest.plain) + len(oldest.alone)

    def learn(self, gone: Gone) -> None:
        """This is gone now. At an erasure the frames in the ring leave it, once every ready viewer has them."""
        if any(upto > self.gone.erased.get(user, -1) for user, upto in gone.erased.items()):
            self._cut = self.top
        self.gone = gone
        self._drop_cut()

    def _drop_cut(self) -> None:
        while self.ring and self.ring[0].frame.number <= min(self._cut, self.sent):
            self._drop_oldest()

    def after(self, number: int, upto: int | None = None) -> Sequence[Kept] | None:
        """The frames above `number` (up to `upto`), or None when the ring does not hold them all."""
        last = self.top if upto is None else upto
        if number >= last:
            return ()
        first = self.ring[0].frame.number if self.ring else self.top + 1
        if number + 1 < first:
            return None
        return [self.ring[at - first] for at in range(number + 1, last + 1)]

    # -- the ready lists

    def place(self, viewer: Viewer) -> None:
        """Ready: it holds what was sent, and gets what comes."""
        self.forms[viewer.deflated].place(viewer)

    def empty(self, viewer: Viewer, sending: bool) -> None:
        """Take it off the ready list at once. `sending`: it was just being written to."""
        viewer.held = self.holds(viewer, sending)
        self.forms[viewer.deflated].empty(viewer)

    def holds(self, viewer: Viewer, sending: bool = False) -> int:
        """The last frame that the viewer has been given."""
        if viewer.slot == NO_SLOT:
            return viewer.held
        if self.cursor is None or not (sending or (int(viewer.deflated), viewer.slot) < self.cursor):
            return self.sent
        return self.target

    @staticmethod
    def deliver(transports: Iterable[Transport], data: bytes) -> None:
        """HOT: once per frame and viewer. No await, no log line, no new object inside."""
        for transport in transports:
            transport.write(data)

    def ready(self) -> Iterator[Viewer]:
        """All viewers on the ready lists."""
        for slots in self.forms:
            yield from slots.viewers()
