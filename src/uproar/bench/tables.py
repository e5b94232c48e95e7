"""Results as tables of a terminal."""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from uproar.bench.bars import Verdict
from uproar.bench.lines import FLOOR, Line, Result, contestants, floor_ratios, present, spreads, summed_up
from uproar.bench.profile import Profile
from uproar.bench.weigh import Weight
from uproar.bench.wording import contestant, number, size, span, title

STYLES: Final = {True: "bold green", False: "bold red"}


def tables(profile: Profile, result: Result, verdicts: Sequence[Verdict]) -> RenderableType:
    """What was measured, what it was held to, and who was absent."""
    head = Text.assemble((profile.name, "bold"), f": {profile.sentence} ({size(result.setup)})")
    absent = [Text(f"{name}: {why}", "yellow") for name, why in result.absent.items()]
    parts = [head, _figures(profile, summed_up(result.lines)), verdicts_table(verdicts), *absent]
    return Group(*(part for part in parts if part))


def progress(profile: Profile, line: Line) -> str:
    """One line as it comes: `steady, round 1, send: …`."""
    shown = (f"{title(name)} {number(line.figures[name])}" for name in profile.shows if name in line.figures)
    return f"{profile.name}, round {line.round}, {contestant(line.who, line.case)}: {'; '.join(shown)}"


def weights_table(weights: Sequence[Weight]) -> Table:
    """Bytes a comment by window; behind each form, how many times smaller it is than plain frames."""
    starts = [f"chained, {every:,}" for every in weights[0].chained]
    table = Table("window, ms", "comments a frame", "plain", "alone", *starts)
    for weight in weights:
        smaller = [weight.alone, *weight.chained.values()]
        cells = [f"{number(one)} ({weight.plain / one:.1f} ×)" for one in smaller]
        table.add_row(str(weight.window_ms), number(weight.comments_a_frame), number(weight.plain), *cells)
    return table


def _figures(profile: Profile, lines: Sequence[Line]) -> Table | None:
    if not lines:
        return None
    ratios = floor_ratios(lines)
    names = present(profile.shows, lines)
    table = Table("", *map(title, names), *(("floor / it",) if ratios else ()))
    for who, case in contestants(lines):
        of = spreads(lines, who, case)
        cells = [span(of[name]) if name in of else "" for name in names]
        ratio = [span(ratios[who, case]) if (who, case) in ratios else ""] if ratios else []
        table.add_row(contestant(who, case), *cells, *ratio, style="dim" if who == FLOOR else "")
    return table


def verdicts_table(verdicts: Iterable[Verdict]) -> Table | None:
    """Each bar with what came out; None without any."""
    table = Table("bar", "", "measured", "")
    for verdict in verdicts:
        table.add_row(str(verdict.bar), verdict.whose, span(verdict.value), Text(verdict.words, STYLES[verdict.met]))
    return table if table.row_count else None
