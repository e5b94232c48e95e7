"""One compression context for all viewers of a stream: a frame refers to those before it, back to the chain's start.

Per-connection contexts would cost each viewer memory and each frame a deflate a viewer. All viewers of a stream get the
same frames in the same order, so one running compressor serves them all. Who was not there from a start on cannot read
what came of it, so the chain starts anew now and then, and takes in who waits.
"""

from typing import NamedTuple

from uproar.gateway.budget import Budget
from uproar.wire.deflate import Deflater

FRAMES = 200  # docs/decisions/0016: 6 % fewer bytes than 50, and 2 % more than never anew
AGE_MS = 60_000
FEWEST_FRAMES = 10  # a start costs what a frame deflated alone costs: so often at most
CROWD = 0.1  # of its viewers: so many wait for a start that it comes early


class Link(NamedTuple):
    """One frame in the chain, deflated; `starts`: it refers to nothing earlier."""

    data: bytes
    starts: bool


class Chain:
    """The running compressor of one stream; it stands only while somebody reads it, or waits to."""

    __slots__ = ("_began_ms", "_budget", "_deflater", "_frames", "_last_ms")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._deflater: Deflater | None = None
        self._frames = 0
        self._began_ms = self._last_ms = 0

    def add(self, payload: bytes, now_ms: int, inside: int, waiting: int) -> Link | None:
        """The next frame, while `inside` viewers read the chain and `waiting` ones the same frames alone.

        None when there is no chain: nobody would read it, or as many others run as may.
        """
        if not inside + waiting:
            self.stop()
            return None
        if self._deflater is None and not self._budget.take_chain():
            return None
        starts = self._deflater is None or self._is_due(now_ms, inside, waiting)
        if self._deflater is None or starts:
            self._deflater = Deflater()
            self._frames, self._began_ms = 0, now_ms
        self._frames += 1
        self._last_ms = now_ms
        return Link(self._deflater.add(payload), starts)

    def is_idle(self, now_ms: int) -> bool:
        """Whether it runs, and nothing came for so long that its next frame would start anew."""
        return self._deflater is not None and now_ms - self._last_ms >= AGE_MS

    def stop(self) -> None:
        """The next frame starts anew."""
        if self._deflater is not None:
            self._deflater = None
            self._budget.give_chain()

    def _is_due(self, now_ms: int, inside: int, waiting: int) -> bool:
        crowded = self._frames >= FEWEST_FRAMES and waiting > CROWD * (inside + waiting)
        return crowded or self._frames >= FRAMES or now_ms - self._began_ms >= AGE_MS
