"""A profile: what is done in one round, how large it is unless told otherwise, what it shows and must hold."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final, NamedTuple

from uproar.bench.bars import Bar
from uproar.bench.lines import Figures, Round, Setup

QUICK_VIEWERS, QUICK_SECONDS = 100, 2.0

Shown = tuple[str, str, Figures | str]
"""Who, in which case, and its figures, or why there are none."""
Measure = Callable[[Round, Path], AsyncIterator[Shown]]
"""One round, with an empty folder of its own."""

PEERS, SENDERS, RATE, DEFLATE = "peers", "senders", "rate", "deflate"
NO_USE: Final = "This profile has no use for it."


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

    `shows`: the figures worth a column; `viewers` and `seconds`: 0 where it has none of its own, and follows no wish
    for them; `heeds`: which of a wish's PEERS, SENDERS, RATE and DEFLATE it can follow.
    """

    measure: Measure
    shows: tuple[str, ...]
    bars: tuple[Bar, ...] = ()
    viewers: int = 0
    seconds: float = 8.0
    frames_per_s: float = 10.0
    rounds: int = 5
    heeds: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """As the command line calls it."""
        return self.measure.__name__

    @property
    def sentence(self) -> str:
        """What it measures."""
        return (self.measure.__doc__ or "").partition("\n")[0]

    def setup(self, wish: Wish) -> Setup:
        """Its own size, changed by what was wished and it can follow."""
        quick = self._replace(
            viewers=min(self.viewers, QUICK_VIEWERS), seconds=min(self.seconds, QUICK_SECONDS), rounds=1
        )
        size = quick if wish.quick else self
        return Setup(
            self.viewers and (wish.viewers or size.viewers),
            wish.rounds or size.rounds,
            self.seconds and (wish.seconds or size.seconds),
            (RATE in self.heeds and wish.frames_per_s) or size.frames_per_s,
            wish.senders if SENDERS in self.heeds else wish.senders[:1],
            wish.peers if PEERS in self.heeds else (),
            wish.deflate and DEFLATE in self.heeds,
        )

    def unheeded(self, wish: Wish) -> dict[str, str]:
        """What of a wish it cannot follow, and why."""
        setup = self.setup(wish)
        sizes = {
            "--viewers": wish.viewers and not self.viewers,
            "--seconds": wish.seconds and not self.seconds,
            "--rate": wish.frames_per_s and RATE not in self.heeds,
            "--deflate": wish.deflate and not setup.deflate,
        }
        first = "".join(setup.senders[:1])
        return (
            {name: NO_USE for name, idle in sizes.items() if idle}
            | {form: f"This profile measures one form: {first}." for form in wish.senders if form not in setup.senders}
            | {peer: "This profile measures no peers." for peer in wish.peers if peer not in setup.peers}
        )
