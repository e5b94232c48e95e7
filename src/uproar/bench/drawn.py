"""Which curves a result has: what a frame costs beside the floor, how late it is, and how a run went on."""

from collections.abc import Iterable, Iterator, Sequence

from uproar.bench.catalogue import PROFILES
from uproar.bench.charts import Series, bars, curves
from uproar.bench.lines import COST, FLOOR, FORMS, Line, Result, by_round, contestants, floor_ratios, spreads
from uproar.bench.svg import Drawing, sheet
from uproar.bench.wording import contestant, size

PERCENTILES = ("p50", "p90", "p99", "max")
TIMES = {
    "latency": "From post to viewer",
    "ack": "From post to ack",
    "spread": "From the first viewer to the last",
}


def drawn(results: Iterable[Result]) -> str:
    """All curves of all results as one SVG; empty where there is none."""
    drawings = [drawing for result in results for drawing in _drawings(result)]
    return sheet(drawings) if drawings else ""


def _drawings(result: Result) -> Iterator[Drawing]:
    caption = f"{result.profile}: {size(result.setup)}"
    if floor_ratios(result.lines):
        yield _ratios(result.lines, caption)
    shown = " ".join(PROFILES[result.profile].shows) if result.profile in PROFILES else ""
    for name, title in TIMES.items():
        series = list(_percentiles(result.lines, name)) if f"{name}_p" in shown else []
        if series:
            yield curves(f"{title}, ms", f"{caption}; logarithmic", PERCENTILES, series, logarithmic=True)
    samples = [line for line in result.lines if "minute" in line.figures]
    if samples:
        yield _memory(samples, caption)


def _ratios(lines: Sequence[Line], caption: str) -> Drawing:
    bare = by_round(lines, COST, FLOOR)
    rows = []
    for who, case in floor_ratios(lines):
        own = by_round(lines, COST, who, case)
        rows.append(
            Series(contestant(who, case), _colour(who, lines), [bare[at] / own[at] for at in own if at in bare])
        )
    return bars("CPU a frame, the floor's over theirs (longer is cheaper)", f"{caption}; dots: rounds", rows, mark=1)


def _percentiles(lines: Sequence[Line], name: str) -> Iterator[Series]:
    for who, case in contestants(lines):
        of = spreads(lines, who, case)
        values = [of[f"{name}_{word}_ms"].median for word in PERCENTILES if f"{name}_{word}_ms" in of]
        if len(values) == len(PERCENTILES) and min(values) > 0:
            yield Series(contestant(who, case), _colour(who, lines), values)


def _memory(samples: Sequence[Line], caption: str) -> Drawing:
    values = [line.figures["rss_mib"] for line in samples]
    every = max(1, len(samples) // 6)
    names = [line.case if at % every == 0 else "" for at, line in enumerate(samples)]
    return curves("Memory, MiB", caption, names, [Series(samples[0].who, 1, values)], logarithmic=False)


def _colour(who: str, lines: Iterable[Line]) -> int:
    """Grey for the floor, the same for the same form of uproar everywhere, then the peers'."""
    if who == FLOOR:
        return 0
    known = [*FORMS, *dict.fromkeys(line.who for line in lines if line.who not in {FLOOR, *FORMS})]
    return known.index(who) + 1
