"""`uproar replay`: a recorded chat, posted at its own pace, and viewers that check what they see."""

import gc
import resource
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from uproar.cli.client import Address, NotLetIn, parse_server
from uproar.cli.configuration import ConfigFlag, DataFlag, configure
from uproar.cli.importer import Importer
from uproar.cli.recording import read_recording
from uproar.cli.rehearsal import Figures, Rehearsal
from uproar.cli.rest import DEFAULT_SERVER, ServerFlag, StreamFlag, call, stream_path, told
from uproar.cli.secret import find_secret
from uproar.core.errors import Misconfigured, Unavailable
from uproar.wire.codec import encode

SPARE_FILES: Final = 200  # posters, history, the interpreter's own


def replay(
    file: Annotated[Path, typer.Argument(help="JSON lines {t_ms, user, text}; .gz is read too.")],
    stream: StreamFlag,
    speed: Annotated[float, typer.Option(min=0.01, max=10_000, help="How many times its own pace.")] = 1,
    viewers: Annotated[int, typer.Option(min=0, max=100_000, help="How many watch and check.")] = 1,
    server: ServerFlag = DEFAULT_SERVER,
    limit: Annotated[int, typer.Option(min=0, help="Stop after so many comments; 0: all.")] = 0,
    secret: Annotated[str | None, typer.Option(help="The server's secret, instead of the one in --data.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Figures for programs.")] = False,
    data: DataFlag = None,
    config: ConfigFlag = None,
) -> None:
    """Post a recorded chat and check what viewers see. Ends with 1 where something is missing."""
    address, said = parse_server(server), read_recording(file)
    known = find_secret(configure(config, data=data, secret=secret).settings)
    if known is None:
        raise Misconfigured("Give the server's --data directory or its --secret: every post needs a token.")
    importer = Importer(known)
    _allow_files(viewers)
    try:
        _open(address, stream, file.name, importer)
        rehearsal = Rehearsal(address, stream, importer, viewers, shown=not json and sys.stderr.isatty())
        gc.freeze()  # the recording stays as it is
        figures = uvloop.run(rehearsal.run(said[: limit or None], speed))
    except (NotLetIn, Unavailable) as fault:
        print(f"uproar: {fault}", file=sys.stderr)
        raise typer.Exit(1) from None
    if json:
        print(encode(figures).decode())
    else:
        Console().print(_table(figures))
    raise typer.Exit(not figures.whole)


def _allow_files(viewers: int) -> None:
    """As many open files as the viewers need. Raises `Misconfigured` where this machine forbids it."""
    needed = viewers + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise Misconfigured(f"{viewers} viewers need {needed} open files, and {hard} are allowed here (ulimit -Hn).")
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _open(address: Address, stream: str, title: str, importer: Importer) -> None:
    """Make the stream, with rules that leave nothing out."""
    rules = {"show": "all", "min_account_age_s": 0}
    answer = call(address, "PUT", stream_path(stream), {"title": title, "rules": rules}, importer.admin())
    if not answer.good:
        print(f"The stream's rules stay as they are: {told(answer)}", file=sys.stderr)


def _table(figures: Figures) -> Table:
    table = Table("what", "figure", title="Replay", title_justify="left")
    table.columns[1].justify = "right"
    for what, figure in _lines(figures):
        table.add_row(what, figure)
    return table


def _lines(figures: Figures) -> list[tuple[str, str]]:
    refused = [(f"refused: {reason}", f"{count:,}") for reason, count in sorted(figures.refused.items())]
    latency = [(f"post to display p{of}, ms", f"{ms:,}") for of, ms in figures.post_to_display_ms.items()]
    return [
        ("posted", f"{figures.posted:,} ({figures.posts_per_s:.1f}/s)"),
        ("acknowledged", f"{figures.acknowledged:,}"),
        *refused,
        ("unanswered", f"{figures.unanswered:,}"),
        ("viewers that saw every one, once", f"{figures.viewers_complete:,} of {figures.viewers:,}"),
        ("shown to nobody / twice / out of order", f"{figures.unseen} / {figures.repeated} / {figures.out_of_order}"),
        ("missing in history", f"{figures.missing_in_history:,}"),
        *latency,
        ("result", "[green]everything is there[/]" if figures.whole else "[bold red]something is missing[/]"),
    ]
