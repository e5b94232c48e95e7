"""Two kinds of charts: a bar with a dot for each round, and curves with their names at the end."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from uproar.bench.stats import spread
from uproar.bench.svg import COLOURS, MARGIN, WIDTH, Drawing, element, line, words
from uproar.bench.wording import number

HEAD, ROW, FOOT = 66, 34, 40
LEFT, RIGHT = 170, WIDTH - 80
CURVES_LEFT, CURVES_RIGHT, CURVES_HEIGHT = 76, WIDTH - 170, 250
LABEL_GAP: Final = 16


class Series(NamedTuple):
    """A name, a colour (0: grey) and values: of the rounds, or along the x axis."""

    name: str
    colour: int
    values: Sequence[float]


def bars(title: str, caption: str, rows: Sequence[Series], mark: float | None = None) -> Drawing:
    """A bar to the median of each, a dot for each value; `mark` is a line to compare with."""
    drawing = Drawing(title, caption, HEAD + ROW * len(rows) + FOOT)
    most = max([*(value for row in rows for value in row.values), mark or 0]) * 1.08 or 1
    bottom = HEAD + ROW * len(rows)

    def x(value: float) -> float:
        return LEFT + (RIGHT - LEFT) * max(0.0, value) / most

    for tick in ticks(most):
        drawing.add(line(x(tick), HEAD - 6, x(tick), bottom, "rule"))
        drawing.add(words(x(tick), bottom + 18, f"{tick:,.6g}", "dim", "middle"))
    for at, row in enumerate(rows):
        drawing.add(*_bar(row, HEAD + ROW * at, x))
    if mark is not None:
        drawing.add(line(x(mark), HEAD - 6, x(mark), bottom, "mark"))
    return drawing


def _bar(row: Series, y: float, x: Callable[[float], float]) -> list[str]:
    middle = spread(row.values).median
    dots = [element("circle", cx=x(value), cy=y + 13, r=3, class_=_class(row)) for value in row.values]
    return [
        words(LEFT - 12, y + 17, row.name, "", "end"),
        element(
            "rect", x=LEFT, y=y + 4, width=x(middle) - LEFT, height=18, rx=3, class_=_class(row), fill_opacity=0.35
        ),
        *(dots if len(dots) > 1 else ()),
        words(WIDTH - MARGIN, y + 17, number(middle), "", "end"),
    ]


def curves(title: str, caption: str, names: Sequence[str], series: Sequence[Series], logarithmic: bool) -> Drawing:
    """Values over named places of the x axis; all above 0 where they are drawn on a logarithmic scale."""
    drawing = Drawing(title, caption, HEAD + CURVES_HEIGHT + FOOT)
    values = [value for one in series for value in one.values]
    low, high = (min(values) * 0.8, max(values) * 1.25) if logarithmic else (0.0, max(values) * 1.08 or 1)
    bottom = HEAD + CURVES_HEIGHT

    def x(at: int) -> float:
        return CURVES_LEFT + 20 + (CURVES_RIGHT - CURVES_LEFT - 40) * at / max(1, len(names) - 1)

    def y(value: float) -> float:
        share = math.log(value / low) / math.log(high / low) if logarithmic else value / high
        return bottom - CURVES_HEIGHT * share

    for tick in decades(low, high) if logarithmic else ticks(high):
        drawing.add(line(CURVES_LEFT, y(tick), CURVES_RIGHT, y(tick), "rule"))
        drawing.add(words(CURVES_LEFT - 10, y(tick) + 4, f"{tick:,.6g}", "dim", "end"))
    for at, name in enumerate(names):
        drawing.add(words(x(at), bottom + 20, name, "dim", "middle"))
    for one in series:
        places = [(x(at), y(value)) for at, value in enumerate(one.values)]
        points = " ".join(f"{left:.1f},{top:.1f}" for left, top in places)
        drawing.add(element("polyline", points=points, class_=f"line {_class(one)}", style="fill:none"))
    heights = apart([y(one.values[-1]) for one in series], LABEL_GAP)
    for one, height in zip(series, heights, strict=True):
        drawing.add(words(CURVES_RIGHT + 10, height + 4, f"{one.name} {number(one.values[-1])}", _class(one)))
    return drawing


def _class(series: Series) -> str:
    return f"c{(series.colour - 1) % (COLOURS - 1) + 1 if series.colour else 0}"


def ticks(most: float) -> list[float]:
    """From 0 on, in steps of 1, 2 or 5 times a power of ten: four to nine of them up to `most`."""
    power = 10.0 ** math.floor(math.log10(most / 4))
    step = next(power * factor for factor in (1, 2, 5, 10) if most / (power * factor) < 9)
    return [round(step * at, 12) for at in range(math.floor(most / step) + 1)]


def decades(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten that lie between."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [tick for power in powers for tick in (10.0**power, 2 * 10.0**power, 5 * 10.0**power) if low <= tick <= high]


def apart(places: Sequence[float], gap: float) -> list[float]:
    """The places, in their order, those moved down that are nearer than `gap` to the one above."""
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = list(places)
    for above, below in pairwise(order):
        moved[below] = max(moved[below], moved[above] + gap)
    return moved
