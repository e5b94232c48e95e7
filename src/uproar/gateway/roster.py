"""Who sits where: the viewers that were passed to each of the other processes, and the seats that they hold."""

from collections import Counter
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

Line = TypeVar("Line", bound=Hashable)

LATELY = 50
"""Whoever was passed to a line within this second counts as so many viewers of it: a crowd goes to all lines, and a
little more of it to those that have fewer."""


class Seat(NamedTuple):
    """One viewer: the address among whose connections it counts, and what it watches."""

    address: str
    stream: str


class Roster(Generic[Line]):
    """Seats by ticket, of the lines that take viewers and of those that only still have some; at most `most` a line."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tickets = 0
        self._second = 0
        self._lately: Counter[Line] = Counter()
        self._seats: dict[Line, dict[int, Seat]] = {}
        self._open: set[Line] = set()
        self._watched: Counter[str] = Counter()

    def __len__(self) -> int:
        """Lines that take viewers."""
        return len(self._open)

    def open(self, line: Line) -> None:
        """It takes viewers."""
        self._seats.setdefault(line, {})
        self._open.add(line)

    def shut(self, line: Line) -> None:
        """It takes none any more."""
        self._open.discard(line)

    def drop(self, line: Line) -> list[Seat]:
        """It is no more; whose seats are free by that."""
        self.shut(line)
        seats = list(self._seats.pop(line, {}).values())
        for seat in seats:
            self._forget(seat)
        return seats

    def is_empty(self, line: Line) -> bool:
        """Whether nobody sits there."""
        return not self._seats.get(line)

    def fewest(self, now: float) -> Line | None:
        """The open line with the fewest viewers, as far as no crowd comes; None while none has a seat."""
        if int(now) != self._second:
            self._second, self._lately = int(now), Counter()
        free = (line for line in self._open if len(self._seats[line]) < self._most)
        return min(free, key=lambda line: len(self._seats[line]) + LATELY * self._lately[line], default=None)

    def take(self, line: Line, seat: Seat) -> int:
        """The ticket of one more viewer of the line."""
        self._tickets += 1
        self._lately[line] += 1
        self._seats[line][self._tickets] = seat
        self._watched[seat.stream] += 1
        return self._tickets

    def leave(self, line: Line, ticket: int) -> Seat | None:
        """The viewer is gone; its seat, unless that was free before."""
        seat = self._seats.get(line, {}).pop(ticket, None)
        if seat is not None:
            self._forget(seat)
        return seat

    def is_watched(self, stream: str) -> bool:
        """Whether anybody anywhere watches the stream."""
        return stream in self._watched

    def _forget(self, seat: Seat) -> None:
        self._watched[seat.stream] -= 1
        if not self._watched[seat.stream]:
            del self._watched[seat.stream]
