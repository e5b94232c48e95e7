"""`uproar serve`: the server."""

import sys
from typing import Annotated

import typer

from uproar.assembly.running import serve as run
from uproar.cli.configuration import ConfigFlag, DataFlag, configure
from uproar.cli.logs import configure_logs
from uproar.cli.secret import load_keys


def serve(
    host: Annotated[str | None, typer.Option(help="The address of the pages, REST and WebSocket.")] = None,
    port: Annotated[int | None, typer.Option(help="Its port; 0 takes a free one.")] = None,
    admin_port: Annotated[int | None, typer.Option(help="The port of /metrics; 0 takes a free one.")] = None,
    data: DataFlag = None,
    roles: Annotated[str | None, typer.Option(help="What runs here, joined by commas.")] = None,
    gateways: Annotated[str | None, typer.Option(help="Processes that serve viewers, or auto.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Let guests in, and make streams at their first join.")] = False,
    config: ConfigFlag = None,
) -> None:
    """Serve until told to stop."""
    doors = True if open_ else None
    settings = configure(
        config,
        host=host,
        port=port,
        admin_port=admin_port,
        data=data,
        roles=roles,
        gateways=gateways,
        guests=doors,
        open_streams=doors,
    ).settings

    def ready(port: int, admin_port: int) -> None:
        open_door = "; the door is open: anyone may post as a guest" if settings.guests else ""
        print(f"uproar is at http://{settings.host}:{port} (metrics on {admin_port}){open_door}", flush=True)

    configure_logs(sys.stderr)
    run(settings, load_keys(settings), ready)
