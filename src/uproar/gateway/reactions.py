"""Reactions of a gateway: who may react with what, and counts that wait until the log has them."""

from collections.abc import Mapping

from uproar.auth import Identity
from uproar.core.events import Reacted
from uproar.core.refusal import Refusal, Refused
from uproar.core.stream import Stream

STREAMS = 10_000
"""So many streams' reactions may wait for the log; those of one more are refused with 502."""

AT_ONCE = 50


def refusal(who: Identity | None, stream: Stream, counts: Mapping[str, int]) -> Refused | None:
    """Why these reactions are not taken; None when they are."""
    rules = stream.rules
    if rules.react_signed_in and who is None:
        return Refused(Refusal.NOT_SIGNED_IN)
    if not 0 < sum(counts.values()) <= AT_ONCE or any(kind not in rules.reactions for kind in counts):
        return Refused(Refusal.BAD_MESSAGE, detail="these are not reactions of this stream, or more than 50")
    return Refused(Refusal.STREAM_ENDED) if stream.ended else None


class _Waiting:
    """A stream's counts, and the event before them that is on its way."""

    __slots__ = ("counts", "event")

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.event: Reacted | None = None


class Tally:
    """Counts by stream. What is on its way is sent again unchanged, under its number, until it is kept.

    The numbers run over all streams of the gateway's `run`: those of one stream only grow.
    """

    def __init__(self, run: str, limit: int = STREAMS) -> None:
        self._run = run
        self._limit = limit
        self._number = 0
        self._waiting: dict[str, _Waiting] = {}

    def count(self, stream: str, counts: Mapping[str, int]) -> bool:
        """Add them; False when too many streams wait."""
        if stream not in self._waiting and len(self._waiting) >= self._limit:
            return False
        held = self._waiting.setdefault(stream, _Waiting()).counts
        for kind, count in counts.items():
            held[kind] = held.get(kind, 0) + count
        return True

    def ripe(self, now_ms: int) -> list[Reacted]:
        """What is to be appended now, one event a stream."""
        return [self._ripe(stream, waiting, now_ms) for stream, waiting in self._waiting.items()]

    def kept(self, event: Reacted) -> None:
        """The log has it."""
        waiting = self._waiting.get(event.stream)
        if waiting is None or waiting.event is not event:
            return  # it was kept before
        waiting.event = None
        if not waiting.counts:
            del self._waiting[event.stream]

    def _ripe(self, stream: str, waiting: _Waiting, now_ms: int) -> Reacted:
        if waiting.event is None:
            self._number += 1
            waiting.event = Reacted(stream, self._run, self._number, waiting.counts, now_ms)
            waiting.counts = {}
        return waiting.event
