"""The command line: one command a file, loaded when it is asked for."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Final

from typer import Exit, Option, Typer

from uproar.core.errors import Misconfigured

COMMANDS: Final = {
    "serve": "Serve streams: pages, REST and WebSocket.",
    "post": "Say something in a stream.",
    "watch": "Watch a stream in the terminal.",
    "replay": "Post a recorded chat at its own pace, with viewers that check what they see.",
    "token": "Make a token for somebody.",
    "config": "Print, check and explain every setting.",
    "bench": "Measure, or serve what a measurement needs.",
    "doctor": "Say what is wrong with this machine or data directory, and how to mend it.",
    "docs": "Write the pages of docs/ that are made from the code, or check them.",
}
"""A command NAME is the function, or the Typer of several, called NAME in `uproar.cli.NAME`."""


def main() -> None:
    """What `uproar` runs; ends with 2 and one sentence where something was set up wrongly."""
    try:
        application(sys.argv[1:])()
    except Misconfigured as fault:
        print(f"uproar: {fault}", file=sys.stderr)
        sys.exit(2)


def application(arguments: Sequence[str]) -> Typer:
    """The commands: the one that the arguments name is loaded, of the others there is the sentence."""
    asked = next((argument for argument in arguments if not argument.startswith("-")), "")
    app = Typer(
        name="uproar",
        help="Live comments and reactions on any live stream.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_before)
    for name, sentence in COMMANDS.items():
        _add(app, name, sentence, _load(name) if name == asked else _named)
    return app


def _print_version(asked: bool) -> None:
    if asked:
        print(f"uproar {version('uproar')}")
        raise Exit


def _before(
    version: Annotated[
        bool, Option("--version", is_eager=True, callback=_print_version, help="Print the version, and end.")
    ] = False,
) -> None:
    """Options that stand before a command."""


def _add(app: Typer, name: str, sentence: str, command: Typer | Callable[..., None]) -> None:
    if isinstance(command, Typer):
        app.add_typer(command, name=name, help=sentence)
    else:
        app.command(name, help=sentence)(command)


def _load(name: str) -> Typer | Callable[..., None]:
    command: Typer | Callable[..., None] = getattr(import_module(f"uproar.cli.{name}"), name)
    return command


def _named() -> None:
    """Stands in the list of commands for one that was not asked for."""
