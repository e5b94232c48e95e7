"""The rooms of one gateway: at most so many, each from its first viewer's coming until it was quiet for a while.

nobody --enter--> WATCHED --the last one leaves--> QUIET --`QUIET_S`, or another needs the place--> nobody
                     `<-----------enter--------------'
"""

from collections.abc import Iterator

from uproar.gateway.budget import Budget
from uproar.gateway.room import Room

ROOMS = 10_000
QUIET_S = 30.0  # a room without viewers stays for who comes back


class Rooms:
    """At most `limit` rooms; the places of quiet ones are free, the one that was quiet for longest goes first."""

    def __init__(self, limit: int, ring_s: float, budget: Budget) -> None:
        self._limit = limit
        self._budget = budget
        self._ring_s = ring_s
        self.by_stream: dict[str, Room] = {}
        self._quiet: dict[str, float] = {}  # since when, the longest first

    def __len__(self) -> int:
        return len(self.by_stream)

    def __iter__(self) -> Iterator[Room]:
        return iter(self.by_stream.values())

    def is_open(self, stream: str) -> bool:
        """Whether its room stands and knows its place in the chain."""
        room = self.by_stream.get(stream)
        return room is not None and room.is_open

    def has_place(self, stream: str) -> bool:
        """Whether one more viewer of the stream can be let in."""
        return stream in self.by_stream or len(self) < self._limit or bool(self._quiet)

    def enter(self, stream: str) -> Room:
        """The stream's room with one viewer more; ask `has_place` before."""
        room = self.by_stream.get(stream) or self._make(stream)
        room.viewers += 1
        self._quiet.pop(stream, None)
        return room

    def leave(self, room: Room, now: float) -> None:
        """One viewer less."""
        room.viewers -= 1
        if not room.viewers:
            self._quiet[room.stream] = now

    def watched(self) -> list[Room]:
        """The rooms with viewers that know their place in the chain."""
        return [room for room in self if room.viewers and room.is_open]

    def forget_quiet(self, now: float) -> None:
        """Let go of those that were quiet for long enough."""
        for stream in [stream for stream, since in self._quiet.items() if now - since >= QUIET_S]:
            self._forget(stream)

    def _make(self, stream: str) -> Room:
        if len(self) >= self._limit:
            self._forget(next(iter(self._quiet)))
        room = self.by_stream[stream] = Room(stream, self._ring_s, self._budget)
        self._budget.rooms = len(self)
        return room

    def _forget(self, stream: str) -> None:
        del self._quiet[stream]
        self.by_stream.pop(stream).close()
        self._budget.rooms = len(self)
