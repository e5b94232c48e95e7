"""One stream's viewers in this gateway: who is ready, who lags, and the ring of frames they are served from.

A viewer is in one of three states:

    WAITING --admit--> READY --paused--> LAGGING --resumed--> WAITING
                         (joined or drained, and waiting for the end of the frame that is under way)

A ready viewer is on the list of the form in which it gets frames:

    joined --> PLAIN                                  without compression
          `--> ALONE --the chain starts anew--> CHAINED
                 `<----skipped, or encoded anew----'
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from uproar.gateway.budget import Budget
from uproar.gateway.chain import Chain
from uproar.gateway.ring import Kept, Ring
from uproar.gateway.slots import Slots
from uproar.gateway.viewer import ALONE, CHAINED, NO_SLOT, Transport, Viewer
from uproar.timeline import Gone
from uproar.wire.frames import Frame, PosterRules

ANEW = -1  # held by a lagging viewer whose chain began anew meanwhile: it holds nothing


def _not_subscribed() -> None:
    """Nothing to end."""


class Room:
    """The ring and the ready lists of one stream. `sent` is what every ready viewer holds, `top` the ring's end.

    It is open once it was told where its chain ends (`begin`). `told` is how many viewers its own were told of last.
    """

    def __init__(self, stream: str, ring_s: float = 60.0, budget: Budget | None = None) -> None:
        self.stream = stream
        self._ring_s = ring_s
        self._budget = budget or Budget()
        self._chain = Chain(self._budget)
        self._hoping = 0  # ready viewers who get frames alone and wait for a start of the chain
        self.ring = Ring()
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
        self.forms = Slots(), Slots(), Slots()  # in the order of `FORMS`
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
        self._chain.stop()
        self.cursor: tuple[int, int] | None = None
        self.broadcast: object | None = None  # the one that is under way: another's next slice is over
        self.target = number

    # -- the ring

    def keep(self, frame: Frame, now_ms: int) -> Kept:
        """Put the next frame into the ring, and into the chain."""
        link = self._chain.add(frame.plain, now_ms, self.forms[CHAINED].ready, self._hoping)
        kept = Kept(frame, link)
        self.ring.keep(kept)
        self.top = frame.number
        self.checksum = frame.checksum
        self.trim(now_ms)
        return kept

    def trim(self, now_ms: int) -> None:
        """The oldest frames leave the ring after `ring_s`, beyond the room's share, or with an erasure; sent ones."""
        self.ring.drop_upto(min(self._cut, self.sent))
        self.ring.trim(now_ms - int(self._ring_s * 1000), self._budget.ring_bytes, self.sent)
        if self._chain.is_idle(now_ms) and self.cursor is None:
            self._break_chain()

    def learn(self, gone: Gone) -> None:
        """This is gone now. At an erasure the frames in the ring leave it, once every ready viewer has them."""
        if gone == self.gone:
            return  # the old one stays: what was encoded anew is told by it
        if any(upto > self.gone.erased.get(user, -1) for user, upto in gone.erased.items()):
            self._cut = self.top
        self.gone = gone
        self.ring.forget_redacted()
        self.ring.drop_upto(min(self._cut, self.sent))

    def after(self, number: int, upto: int | None = None) -> Sequence[Kept] | None:
        """The frames above `number` (up to `upto`), or None when the ring does not hold them all."""
        return self.ring.after(number, self.top if upto is None else upto)

    def close(self) -> None:
        """Nobody watches any more."""
        self.unsubscribe()
        self._chain.stop()

    # -- the ready lists

    def place(self, viewer: Viewer) -> None:
        """Ready: it holds what was sent, and gets what comes, in the chain if that goes on without a break."""
        if viewer.form == CHAINED and self._is_broken():
            viewer.form = ALONE
        self._hoping += _hopes(viewer)
        self.forms[viewer.form].place(viewer)

    def empty(self, viewer: Viewer, sending: bool) -> None:
        """Take it off the ready list at once. `sending`: it was just being written to."""
        viewer.held = self.holds(viewer, sending)
        self._hoping -= _hopes(viewer)
        self.forms[viewer.form].empty(viewer)

    def promote(self) -> None:
        """The next frame starts the chain: whoever waits for that takes part from now on. Not while a frame is sent."""
        if self._is_broken():
            return
        plain, alone, chained = self.forms
        if not chained.ready and self._hoping == alone.ready:
            self.forms = plain, chained, alone  # all at once, as when a crowd came back
            self._hoping = 0
            for viewer in alone.viewers():
                viewer.form = CHAINED
            return
        for viewer in [viewer for viewer in alone.viewers() if _hopes(viewer)]:
            self.empty(viewer, sending=False)
            viewer.form = CHAINED
            self.place(viewer)

    def _is_broken(self) -> bool:
        """Whether a frame that waits to be sent is not part of the chain."""
        return any(kept.chained is None for kept in self.after(self.sent) or ())

    def _break_chain(self) -> None:
        """Give the compressor back: who read the chain waits for its next start."""
        for viewer in list(self.forms[CHAINED].viewers()):
            self.empty(viewer, sending=False)
            viewer.form = ALONE
            self.place(viewer)
        self._chain.stop()

    def holds(self, viewer: Viewer, sending: bool = False) -> int:
        """The last frame that the viewer has been given."""
        if viewer.slot == NO_SLOT:
            return viewer.held
        if self.cursor is None or not (sending or (viewer.form, viewer.slot) < self.cursor):
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


def _hopes(viewer: Viewer) -> bool:
    return viewer.form == ALONE and viewer.context
