"""A profile: what is done in one round, how large it is unless told otherwise, what it shows and must hold."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

from uproar.bench.bars import Bar
from uproar.bench.lines import Figures, Setup

QUICK_VIEWERS, QUICK_SECONDS = 100, 2.0

Shown = tuple[str, str, Figures]
"""Who, in which case, and its figures."""
Measure = Callable[[Setup, Path], AsyncIterator[Shown]]
"""One round, with an empty folder of its own."""


class CannotMeasure(Exception):
    """Why this machine cannot show it, in one sentence."""


class Wish(NamedTuple):
    """What a user wants otherwise; None: as the profile has it. `quick`: only to see that it works."""

    senders: tuple[str, ...]
    viewers: int | None = None
    rounds: int | None = None
    seconds: float | None = None
    frames_per_s: float | None = None
    peers: tuple[str, ...] = ()
    deflate: bool = False
    quick: bool = False


class Profile(NamedTuple):
    """Named after its function, and told by the first line of that one's docstring.

    `shows`: the figures worth a column; `viewers`: 0 where it has none of its own; `beside_peers`: whether others can
    be measured in the same rounds.
    """

    measure: Measure
    shows: tuple[str, ...]
    bars: tuple[Bar, ...] = ()
    viewers: int = 0
    seconds: float = 8.0
    frames_per_s: float = 10.0
    rounds: int = 5
    beside_peers: bool = False

    @property
    def name(self) -> str:
        """As the command line calls it."""
        return self.measure.__name__

    @property
    def sentence(self) -> str:
        """What it measures."""
        return (self.measure.__doc__ or "").partition("\n")[0]

    def setup(self, wish: Wish) -> Setup:
        """Its own size, changed by what was wished."""
        quick = self._replace(
            viewers=min(self.viewers, QUICK_VIEWERS), seconds=min(self.seconds, QUICK_SECONDS), rounds=1
        )
        size = quick if wish.quick else self
        return Setup(
            wish.viewers or size.viewers,
            wish.rounds or size.rounds,
            wish.seconds or size.seconds,
            wish.frames_per_s or size.frames_per_s,
            wish.senders,
            wish.peers if self.beside_peers else (),
            wish.deflate,
        )
