"""`uproar config`: every setting, with its value, where that comes from, its bounds and its sentence."""

import sys
from collections.abc import Iterator
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from uproar.cli.configuration import ConfigFlag, configure
from uproar.settings import Line, Loaded, explain, manual, shown

WIDE: Final = 160  # columns for a file or a pipe, where nothing says how wide a line may be


def config(
    name: Annotated[str | None, typer.Argument(help="The one setting to explain.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Say only whether this would start.")] = False,
    file: ConfigFlag = None,
) -> None:
    """Print, check and explain every setting. Ends with 2 where the settings cannot work."""
    loaded = configure(file)
    if check:
        print("The settings are possible.")
    elif name is None:
        _print_table(loaded)
    else:
        _print_one(loaded, explain(name))


def _print_table(loaded: Loaded) -> None:
    table = Table("setting", "value", "from", "may be", "what it is", title="Settings", title_justify="left")
    for line in manual():
        table.add_row(*_cells(loaded, line))
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)


def _print_one(loaded: Loaded, line: Line) -> None:
    print(f"{line.name} = {shown(loaded.settings, line.name)} (from: {loaded.sources[line.name]})")
    print(line.sentence)
    print(f"It may be {line.bounds}; default: {line.default or 'none'}.")
    print(f"Set it as {line.name} in uproar.toml or as {line.environment} in the environment.")


def _cells(loaded: Loaded, line: Line) -> Iterator[Text]:
    source = loaded.sources[line.name]
    style = "dim" if source == "default" else "bold"
    for cell in (line.name, shown(loaded.settings, line.name), source, line.bounds, line.sentence):
        yield Text(cell, style=style)
