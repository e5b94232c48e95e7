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
from uproar.cli.figures import Figures
from uproar.cli.importer import Importer
from uproar.cli.recording import read_recording
from uproar.cli.rehearsal import INTERRUPTED, Rehearsal
from uproar.cli.rest import DEFAULT_SERVER, ServerFlag, call, stream_path, told
from uproar.cli.secret import require_secret
from uproar.core.errors import Misconfigured, Unavailable
from uproar.wire.codec import encode

SPARE_FILES: Final = 200  # posters, history, the interpreter's own
RULES: Final = {"show": "all", "min_account_age_s": 0}
INTERRUPTED_STATUS: Final = 130  # 128 + SIGINT, as shells have it

ReplayedFlag = Annotated[
    str,
    typer.Option(
        "--stream",
        metavar="ID",
        help="The stream. It is made where there is none, and it keeps the rules show: all and min_account_age_s: 0.",
    ),
]


def replay(
    file: Annotated[Path, typer.Argument(help="JSON lines {t_ms, user, text}; .gz is read too.")],
    stream: ReplayedFlag,
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
    importer = Importer(require_secret(configure(config, data=data, secret=secret).settings))
    _allow_files(viewers)
    try:
        _open(address, stream, file, importer)
        rehearsal = Rehearsal(address, stream, importer, viewers, shown=not json and sys.stderr.isatty())
        gc.freeze()  # the recording stays as it is
        figures = uvloop.run(rehearsal.run(said[: limit or None], speed))
    except (NotLetIn, Unavailable) as fault:
        print(f"uproar: {fault}", file=sys.stderr)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED_STATUS) from None
    if json:
        print(encode(figures).decode())
    else:
        Console().print(_table(figures))
    if figures.stopped:
        print(_why_stopped(figures, len(said[: limit or None])), file=sys.stderr)
    raise typer.Exit(INTERRUPTED_STATUS if figures.stopped == INTERRUPTED else not figures.whole)


def _allow_files(viewers: int) -> None:
    """As many open files as the viewers need. Raises `Misconfigured` where this machine forbids it."""
    needed = viewers + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise Misconfigured(f"{viewers} viewers need {needed} open files, and {hard} are allowed here (ulimit -Hn).")
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _open(address: Address, stream: str, file: Path, importer: Importer) -> None:
    """Let the stream leave nothing out; it is made where there is none. Raises `Misconfigured` for a wrong secret."""
    path = stream_path(stream)
    is_new = call(address, "GET", path).status == 404
    title = {"title": f"Replay of {file.name.partition('.')[0]}"} if is_new else {}
    answer = call(address, "PUT", path, title | {"rules": RULES}, importer.admin())
    if answer.status == 401:
        raise Misconfigured(f"{address.authority} takes no token of ours: give its own --data directory or --secret.")
    if not answer.good:
        print(f"The stream's rules stay as they are: {told(answer)}", file=sys.stderr)


def _why_stopped(figures: Figures, wanted: int) -> str:
    so_far = f"Stopped after {figures.posted:,} of {wanted:,} comments"
    if figures.stopped == INTERRUPTED:
        return f"{so_far}."
    return f"{so_far}: the server takes our tokens no more ({figures.stopped})."


def _table(figures: Figures) -> Table:
    table = Table("what", "figure", title="Replay", title_justify="left")
    table.columns[1].justify = "right"
    for what, figure in _lines(figures):
        table.add_row(what, figure)
    return table


def _lines(figures: Figures) -> list[tuple[str, str]]:
    refused = [(f"refused: {reason}", f"{count:,}") for reason, count in sorted(figures.refused.items())]
    latency = [(f"post to display p{of}, ms", f"{ms:,}") for of, ms in figures.post_to_display_ms.items()]
    style = "green" if figures.whole else "bold red" if figures.missing or figures.barred else "bold"
    return [
        ("posted", f"{figures.posted:,} ({figures.posts_per_s:.1f}/s)"),
        ("acknowledged", f"{figures.acknowledged:,}"),
        *refused,
        ("unanswered", f"{figures.unanswered:,}"),
        ("viewers that saw every one, once", f"{figures.viewers_complete:,} of {figures.viewers:,}"),
        ("shown to nobody / twice / out of order", f"{figures.unseen} / {figures.repeated} / {figures.out_of_order}"),
        ("missing in history", f"{figures.missing_in_history:,}"),
        *latency,
        ("result", f"[{style}]{figures.result}[/]"),
    ]
