"""`uproar bench`: measurements, and what they need."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
import uvloop
from rich.console import Console
from typer.core import TyperGroup

from uproar.bench import echo as echoing
from uproar.bench.bars import judge
from uproar.bench.catalogue import PROFILES
from uproar.bench.compiled import CannotCompile
from uproar.bench.drawn import drawn
from uproar.bench.lines import FORMS, Line, Result
from uproar.bench.measuring import measured, report_of, senders
from uproar.bench.page import part
from uproar.bench.profile import Profile, Wish
from uproar.bench.registry import PEERS
from uproar.bench.reporting import made, read, stale, write
from uproar.bench.tables import progress, tables, verdicts_table, weights_table
from uproar.bench.weigh import verdicts_of, weigh
from uproar.cli.recording import read_recording

WIDTH: Final = 140  # of what no terminal shows
MOST_IN_A_LIST: Final = 1_000_000


class _Profiles(TyperGroup):
    """`uproar bench steady slow` stands for `uproar bench run steady slow`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """What names no other command names profiles."""
        first = args[0] if args else "--help"
        return super().parse_args(ctx, args if first in {*self.commands, "--help"} else ["run", *args])


bench = typer.Typer(cls=_Profiles, no_args_is_help=True)


@bench.command()
def run(
    names: Annotated[list[str], typer.Argument(metavar="PROFILE...", help="What is measured; `list` tells of each.")],
    viewers: Annotated[int | None, typer.Option(min=1, help="How many viewers.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="How many rounds, of which the median counts.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.5, help="How long a round lasts.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.1, help="The same in minutes.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Frames a second, where a profile posts frames.")] = None,
    peers: Annotated[str, typer.Option(help=f"Measured in the same rounds: of {', '.join(PEERS)}.")] = "",
    sender: Annotated[str, typer.Option("--senders", help=f"Forms of uproar: of auto, {', '.join(FORMS)}.")] = "auto",
    deflate: Annotated[bool, typer.Option("--deflate", help="Also viewers that want their frames deflated.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Few viewers, one short round: only to see it work.")] = False,
    json_: Annotated[Path | None, typer.Option("--json", help="Write what was measured there.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Draw it there.")] = None,
) -> None:
    """Measure on this machine, beside the C floor; the server gets one core, its viewers another."""
    _require_known(names, tuple(PROFILES))
    if minutes and seconds:
        raise typer.BadParameter("--minutes and --seconds both say how long a round lasts: give one.")
    wish = Wish(
        senders(_listed(sender, ("auto", *FORMS))),
        viewers,
        rounds,
        minutes * 60 if minutes else seconds,
        rate,
        _listed(peers, tuple(PEERS)),
        deflate,
        quick,
    )
    results: list[Result] = []
    for name in names:
        try:
            results.append(_measure(PROFILES[name], wish))
        except CannotCompile as fault:
            print(fault, file=sys.stderr)
            raise typer.Exit(1) from fault
        _keep(results, json_, svg)


def _keep(results: Sequence[Result], json_: Path | None, svg: Path | None) -> None:
    """All that was measured so far: a later profile may fail."""
    if json_:
        write(report_of(results), json_)
    if svg and (curves := drawn(results)):
        svg.write_text(curves, encoding="utf-8")


def _measure(profile: Profile, wish: Wish) -> Result:
    """Measure, and show it on the terminal: each line as it comes, then the tables."""

    def told(line: Line) -> None:
        print(progress(profile, line), file=sys.stderr, flush=True)

    result = uvloop.run(measured(profile, wish, told))
    _console().print(tables(profile, result, list(judge(profile.bars, result.lines))))
    return result


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=WIDTH)


def _listed(text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """The names in a list with commas."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    _require_known(names, known)
    return tuple(names)


def _require_known(names: list[str], known: tuple[str, ...]) -> None:
    strange = next((name for name in names if name not in known), None)
    if strange:
        raise typer.BadParameter(f"There is no {strange}: there are {', '.join(known)}.")


@bench.command()
def report(
    files: Annotated[list[Path], typer.Argument(help="What --json wrote.")],
    into: Annotated[Path | None, typer.Option(help="The page to put it into, between its marks.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; end with 1 where the page is stale.")] = False,
) -> None:
    """Put measurements into a page, and their curves beside their files."""
    if into is None:
        print(part((read(file), "") for file in files))
        return
    texts = made(files, into)
    changed = stale(texts)
    for file in changed:
        print(f"{file} {'is stale: make figures' if check else 'is new'}")
        if not check:
            file.write_text(texts[file], encoding="utf-8")
    raise typer.Exit(bool(check and changed))


@bench.command("bytes")
def bytes_(
    file: Annotated[Path, typer.Argument(help="A recorded chat: JSON lines {t_ms, user, text}, plain or gzipped.")],
    windows: Annotated[str, typer.Option(help="Windows in ms.")] = "100,500",
    starts: Annotated[str, typer.Option(help="How many frames there are from one start of a chain to the next.")] = (
        "10,50,200,1000"
    ),
    level: Annotated[int, typer.Option(min=1, max=9, help="Of deflate; servers take 6.")] = 6,
) -> None:
    """What a chat weighs on the wire, in bytes a comment: frames plain, each deflated alone, and chained."""
    chat = [(one.t_ms, one.user, one.text) for one in read_recording(file)]
    weights = [weigh(chat, window, _numbers(starts), level) for window in _numbers(windows)]
    console = _console()
    console.print(weights_table(weights))
    if verdicts := verdicts_table(verdicts_of(weights)):
        console.print(verdicts)


def _numbers(text: str) -> list[int]:
    """Whole numbers above 0, in a list with commas."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and 0 < int(word) <= MOST_IN_A_LIST for word in words):
        raise typer.BadParameter(f"{text} is no list of whole numbers from 1 to {MOST_IN_A_LIST:,}.")
    return [int(word) for word in words]


@bench.command("list")
def list_() -> None:
    """Tell what each profile measures."""
    for profile in PROFILES.values():
        print(f"{profile.name:<12}{profile.sentence}")


@bench.command()
def echo(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Where to listen, on loopback.")],
    max_message: Annotated[int, typer.Option(min=125, help="The largest message in bytes; beyond it 1009.")] = 8_192,
    max_fragments: Annotated[int, typer.Option(min=1, help="Fragments of one message; beyond it 1009.")] = 64,
) -> None:
    """Send back what comes, with the server's own WebSocket: for conformance suites."""
    echoing.echo(port, max_message, max_fragments)
