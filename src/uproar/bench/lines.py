"""What a measurement leaves: a line for each who and round, and where and how it was taken."""

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import Final

from msgspec import Struct

from uproar.bench.stats import Spread, spread

FLOOR: Final = "floor"
FORMS: Final = ("python", "send", "io_uring")
"""uproar in each form of its setting `sender`."""

COST: Final = "cpu_us_per_frame"
"""The figure that is told beside the floor's: the server's CPU, in µs, for one frame to one viewer."""
COST_OF: Final = "cpu_us_per_"
"""How the name of every such figure begins."""

Figures = dict[str, float]
"""By name; the unit stands last, as in `ack_p99_ms` and `cpu_us_per_frame`."""


class Line(Struct, frozen=True):
    """What one of those beside each other showed in one round: the floor, a form of uproar, or a peer.

    `case` tells apart what a round measures twice, such as `calm` and `stopped`.
    """

    who: str
    case: str
    round: int
    figures: Figures


class Setup(Struct, frozen=True):
    """How large a profile is measured: viewers, rounds, frames a second, and how long a round lasts.

    `senders` are forms of uproar, `peers` names of others; `deflate` adds viewers that want their frames deflated.
    """

    viewers: int
    rounds: int
    seconds: float
    frames_per_s: float
    senders: tuple[str, ...] = ("send",)
    peers: tuple[str, ...] = ()
    deflate: bool = False


class Round(Setup, frozen=True):
    """One of its rounds; `number` counts from 1."""

    number: int = 1


class Machine(Struct, frozen=True):
    """Where it was measured."""

    cpu: str
    cores: int
    memory_gib: int
    system: str
    python: str


class Result(Struct, frozen=True):
    """One profile, measured; `absent` tells who or what was wished for and was not measured, and why not."""

    profile: str
    setup: Setup
    lines: list[Line]
    absent: dict[str, str] = {}


class Report(Struct, frozen=True):
    """What `--json` writes; `version` is the package's and, in a checkout, the commit's; `at` is a time of UTC."""

    version: str
    at: str
    machine: Machine
    results: list[Result]


def is_figure(name: str, value: float) -> bool:
    """Whether it tells something: a number, and no cost of 0 or less, which is noise of what was taken off."""
    return isfinite(value) and (value > 0 or not name.startswith(COST_OF))


def summed_up(lines: Iterable[Line]) -> list[Line]:
    """Without the samples of a long run, which say their `minute`."""
    return [line for line in lines if "minute" not in line.figures]


def present(names: Iterable[str], lines: Iterable[Line]) -> list[str]:
    """Those figures that some line has."""
    known = {name for line in lines for name in line.figures}
    return [name for name in names if name in known]


def contestants(lines: Iterable[Line]) -> list[tuple[str, str]]:
    """Each who and case, as they first came."""
    return list(dict.fromkeys((line.who, line.case) for line in lines))


def spreads(lines: Sequence[Line], who: str, case: str) -> dict[str, Spread]:
    """Of each figure over the rounds."""
    own = [line.figures for line in lines if (line.who, line.case) == (who, case)]
    names = dict.fromkeys(name for figures in own for name in figures)
    return {name: spread([figures[name] for figures in own if name in figures]) for name in names}


def by_round(lines: Iterable[Line], figure: str, who: str, case: str = "") -> dict[int, float]:
    """One figure in the rounds that have it."""
    mine = {line.round: line.figures.get(figure) for line in lines if (line.who, line.case) == (who, case)}
    return {number: value for number, value in mine.items() if value is not None and is_figure(figure, value)}


def forms_of(lines: Iterable[Line]) -> Iterator[str]:
    """The forms of uproar that were measured."""
    seen = {line.who for line in lines}
    return (form for form in FORMS if form in seen)


def peers_of(lines: Iterable[Line]) -> list[str]:
    """The peers that were measured."""
    return list(dict.fromkeys(line.who for line in lines if line.who not in {FLOOR, *FORMS}))


def floor_ratios(lines: Sequence[Line]) -> dict[tuple[str, str], Spread]:
    """The floor's cost over each other's of the same round; nothing where either was not measured."""
    bare = by_round(lines, COST, FLOOR)
    ratios = {}
    for who, case in contestants(lines):
        own = by_round(lines, COST, who, case)
        values = [bare[number] / value for number, value in own.items() if number in bare]
        if who != FLOOR and values:
            ratios[who, case] = spread(values)
    return ratios
