"""The bars: how much a figure may be, by itself or beside another's of the same round, and whether it is."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from uproar.bench.lines import Line, by_round, forms_of, peers_of
from uproar.bench.stats import Spread, spread

OURS: Final = "uproar"
"""Stands for each form of uproar that was measured."""
BEST_PEER: Final = "best peer"
"""Stands for the peer with the least of the figure in its round."""


class Side(NamedTuple):
    """Whose figure, and in which case of its round (empty: the plain one)."""

    figure: str
    who: str = OURS
    case: str = ""


class Bar(NamedTuple):
    """`of`, over `beside` where that is given, is at most or at least `bound`: its median, or in every round."""

    what: str
    of: Side
    way: Literal["at most", "at least"]
    bound: float
    beside: Side | None = None
    every_round: bool = False

    def __str__(self) -> str:
        """As in `p99, with 1 % stopped / calm ≤ 1.15`."""
        return f"{self.what} {'≤' if self.way == 'at most' else '≥'} {self.bound:g}"


class Verdict(NamedTuple):
    """A bar, whose figure was held to it, and what came out; `missed_by` is a share of the bound, 0 where it is met.

    `peer` is the best one where that is what it was measured against, and among whom.
    """

    bar: Bar
    who: str
    value: Spread
    missed_by: float
    peer: str = ""

    @property
    def met(self) -> bool:
        """Whether it is."""
        return not self.missed_by

    @property
    def whose(self) -> str:
        """As in `send`, or `send; best peer: ws (of ws, nats)`."""
        return f"{self.who}; {BEST_PEER}: {self.peer}" if self.peer else self.who

    @property
    def words(self) -> str:
        """As in `met`, `missed by 12 %` or `missed: 3.1 × the bar`."""
        if self.met or not self.bar.bound:
            return "met" if self.met else "missed"
        if self.missed_by >= 1 and self.bar.way == "at most":
            return f"missed: {1 + self.missed_by:.1f} × the bar"
        return f"missed by {max(1, round(self.missed_by * 100))} %"


def judge(bars: Iterable[Bar], lines: Sequence[Line]) -> Iterator[Verdict]:
    """A verdict for each bar and each form of uproar that it speaks of; none where something was not measured."""
    for bar in bars:
        for form in _forms(bar, lines):
            values = _values(bar, lines, form)
            if values:
                yield verdict(bar, form, values)._replace(peer=_best_peer(bar, lines))


def verdict(bar: Bar, who: str, values: Sequence[float]) -> Verdict:
    """Of at least one value."""
    return Verdict(bar, who, spread(values), _missed_by(bar, values))


def _forms(bar: Bar, lines: Sequence[Line]) -> Iterable[str]:
    """Those that are held to it: all of them, or the one that it names."""
    named = {side.who for side in (bar.of, bar.beside) if side}
    return [form for form in forms_of(lines) if OURS in named or form in named]


def _values(bar: Bar, lines: Sequence[Line], form: str) -> list[float]:
    above = _side(bar.of, lines, form)
    if bar.beside is None:
        return list(above.values())
    below = _side(bar.beside, lines, form)
    return [value / below[number] for number, value in above.items() if below.get(number)]


def _side(side: Side, lines: Sequence[Line], form: str) -> dict[int, float]:
    if side.who == BEST_PEER:
        return {number: value for number, (value, _) in _best(side, lines).items()}
    return by_round(lines, side.figure, form if side.who == OURS else side.who, side.case)


def _best(side: Side, lines: Sequence[Line]) -> dict[int, tuple[float, str]]:
    """The least of each round, and whose it is."""
    best: dict[int, tuple[float, str]] = {}
    for peer in peers_of(lines):
        for number, value in by_round(lines, side.figure, peer, side.case).items():
            best[number] = min(best.get(number, (value, peer)), (value, peer))
    return best


def _best_peer(bar: Bar, lines: Sequence[Line]) -> str:
    """Whoever was the best in some round, and among whom; empty where the bar speaks of none."""
    side = next((side for side in (bar.of, bar.beside) if side and side.who == BEST_PEER), None)
    if side is None:
        return ""
    names = dict.fromkeys(peer for _, peer in _best(side, lines).values())
    return f"{' or '.join(names)} (of {', '.join(peers_of(lines))})"


def _missed_by(bar: Bar, values: Sequence[float]) -> float:
    """By which share of the bound the worst round, or the median, lies on its wrong side."""
    at_most = bar.way == "at most"
    worst = max(values) if at_most else min(values)
    value = worst if bar.every_round else spread(values).median
    beyond = value - bar.bound if at_most else bar.bound - value
    return max(0.0, beyond / bar.bound if bar.bound else beyond)
