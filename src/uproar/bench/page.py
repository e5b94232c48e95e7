"""Results as a part of a page: what was measured and what it was held to, in Markdown."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from uproar.bench.bars import Verdict, judge
from uproar.bench.catalogue import PROFILES
from uproar.bench.lines import Machine, Report, Result, contestants, present, spreads, summed_up
from uproar.bench.profile import Profile
from uproar.bench.wording import contestant, size, span, title
from uproar.core.errors import Misconfigured

BEGIN: Final = "<!-- made by `uproar bench report`; a test notices when it is stale -->"
END: Final = "<!-- until here -->"


def filled(page: str, part: str) -> str:
    """The page with this part between its marks. Raises `Misconfigured` where it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise Misconfigured(f"The page does not say where the figures stand: between {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n\n{part}\n{END}{after}"


def part(reports: Iterable[tuple[Report, str]]) -> str:
    """All results of all reports, each report with the path of its picture (empty: none)."""
    return "\n".join(text for report, picture in reports for text in _report(report, picture))


def _report(report: Report, picture: str) -> Iterator[str]:
    for result in report.results:
        if result.profile in PROFILES:
            yield _result(PROFILES[result.profile], result)
    if picture:
        yield f"![The same as curves]({picture})\n"
    yield f"Measured with {report.version} on {report.at.partition('T')[0]}: {_machine(report.machine)}.\n"


def _machine(machine: Machine) -> str:
    return (
        f"{machine.cores} cores of {machine.cpu}, {machine.memory_gib} GiB, {machine.system}, Python {machine.python}"
    )


def _result(profile: Profile, result: Result) -> str:
    parts = [f"### `uproar bench {profile.name}`\n\n{profile.sentence}\n{size(result.setup).capitalize()}.\n"]
    if result.lines:
        parts.append(_figures(profile, result))
    verdicts = list(judge(profile.bars, result.lines))
    if verdicts:
        parts.append(_verdicts(verdicts))
    parts += [f"Not measured: {name}. {why.splitlines()[0]}\n" for name, why in result.absent.items()]
    return "\n".join(parts)


def _figures(profile: Profile, result: Result) -> str:
    rows, lines = [], summed_up(result.lines)
    names = present(profile.shows, lines)
    for who, case in contestants(lines):
        of = spreads(lines, who, case)
        cells = [span(of[name]) if name in of else "" for name in names]
        if any(cells):
            rows.append([contestant(who, case), *cells])
    return _table(["", *map(title, names)], rows)


def _verdicts(verdicts: Iterable[Verdict]) -> str:
    rows = [[str(one.bar), one.whose, span(one.value), f"**{one.words}**"] for one in verdicts]
    return _table(["bar", "", "measured", ""], rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
