"""The newest frames of one stream with the bytes that viewers get: whoever comes back is served from here."""

from collections import deque
from collections.abc import Iterator, Sequence

from uproar.gateway.chain import Link
from uproar.gateway.viewer import ALONE, PLAIN
from uproar.timeline import Gone
from uproar.wire.frames import Frame
from uproar.wire.redact import redact_frame
from uproar.wire.websocket import text_frame

OBJECTS_BYTES = 800  # of one kept frame, measured


class Kept:
    """A frame with its bytes in each form: header and payload, made once. `starts`: its chain starts with it."""

    __slots__ = ("_alone", "_plain", "_redacted", "chained", "frame", "starts")

    def __init__(self, frame: Frame, link: Link | None = None) -> None:
        self.frame = frame
        self.chained = text_frame(link.data, compressed=True) if link else None
        self.starts = link is not None and link.starts
        self._plain: bytes | None = None
        self._alone: bytes | None = None
        self._redacted: tuple[Gone, Kept] | None = None

    @property
    def held_bytes(self) -> int:
        """What it takes at most: both payloads, the same with headers once they were sent, and the objects around."""
        asides = sum(len(aside.message) for aside in self.frame.asides)
        payloads = len(self.frame.plain) + len(self.frame.alone)
        return 2 * payloads + len(self.chained or b"") + asides + OBJECTS_BYTES

    @property
    def plain(self) -> bytes:
        """For viewers without compression."""
        if self._plain is None:
            self._plain = text_frame(self.frame.plain)
        return self._plain

    @property
    def alone(self) -> bytes:
        """For viewers with compression, outside the chain."""
        if self._alone is None:
            self._alone = text_frame(self.frame.alone, compressed=True)
        return self._alone

    def form(self, form: int) -> bytes:
        """The bytes for a viewer; those of the chain only where it is part of one."""
        if form == PLAIN:
            return self.plain
        if form == ALONE:
            return self.alone
        if self.chained is None:
            raise ValueError("this frame is not part of a chain")
        return self.chained

    def without(self, gone: Gone) -> "Kept":
        """The same without what is gone, encoded anew once for all who ask."""
        if not gone.version:
            return self
        if self._redacted is None or self._redacted[0] != gone:  # versions alone begin again with a lost timeline
            frame = redact_frame(self.frame, gone)
            self._redacted = (gone, self if frame is self.frame else Kept(frame))
        return self._redacted[1]

    def forget_redacted(self) -> None:
        """Something else is gone now."""
        self._redacted = None


class Ring:
    """Frames by their numbers, without a hole; the oldest leave first."""

    def __init__(self) -> None:
        self._kept: deque[Kept] = deque()
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Kept]:
        return iter(self._kept)

    def keep(self, kept: Kept) -> None:
        """Put the next frame in."""
        self._kept.append(kept)
        self.held_bytes += kept.held_bytes

    def clear(self) -> None:
        """Nothing is in it."""
        self._kept.clear()
        self.held_bytes = 0

    def drop_upto(self, number: int) -> None:
        """Without the frames up to this one."""
        while self._kept and self._kept[0].frame.number <= number:
            self._drop_oldest()

    def trim(self, from_ms: int, most_bytes: int, upto: int) -> None:
        """Without those made before `from_ms`, and within `most_bytes`, as far as they go up to `upto`; one stays."""
        while len(self) > 1 and (self.held_bytes > most_bytes or self._kept[0].frame.at_ms < from_ms):
            if self._kept[0].frame.number > upto:
                return
            self._drop_oldest()

    def forget_redacted(self) -> None:
        """What was encoded anew is stale."""
        for kept in self._kept:
            kept.forget_redacted()

    def after(self, number: int, upto: int) -> Sequence[Kept] | None:
        """The frames above the one up to the other, or None when they are not all here."""
        if number >= upto:
            return ()
        first = self._kept[0].frame.number if self._kept else upto + 1
        if number + 1 < first:
            return None
        return [self._kept[at - first] for at in range(number + 1, upto + 1)]

    def _drop_oldest(self) -> None:
        self.held_bytes -= self._kept.popleft().held_bytes
