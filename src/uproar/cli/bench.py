"""`uproar bench`: what a measurement needs."""

from typing import Annotated

import typer

from uproar.bench import echo as echoing

bench = typer.Typer(no_args_is_help=True)


@bench.callback()
def _group() -> None:
    """A group even while it holds one command."""


@bench.command()
def echo(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Where to listen, on loopback.")],
    max_message: Annotated[int, typer.Option(min=125, help="The largest message in bytes; beyond it 1009.")] = 8_192,
    max_fragments: Annotated[int, typer.Option(min=1, help="Fragments of one message; beyond it 1009.")] = 64,
) -> None:
    """Send back what comes, with the server's own WebSocket: for conformance suites."""
    echoing.echo(port, max_message, max_fragments)
