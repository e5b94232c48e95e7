"""`uproar watch`: a stream in the terminal."""

import asyncio
import sys
from collections.abc import Iterable
from typing import Annotated

import typer
import uvloop

from uproar.cli.client import Address, NotLetIn, parse_server
from uproar.cli.rest import DEFAULT_SERVER, ServerFlag, StreamFlag, TokenFlag
from uproar.cli.returning import keep_watching
from uproar.cli.screen import Screen, harmless
from uproar.wire.frames import Batch, ForYou, FromServer, Joined, Shown


def watch(
    stream: StreamFlag,
    server: ServerFlag = DEFAULT_SERVER,
    token: TokenFlag = "",
    plain: Annotated[bool, typer.Option("--plain", help="A line a comment, for pipes.")] = False,
    history: Annotated[int, typer.Option(min=0, max=200, help="How many of the newest comments come first.")] = 50,
) -> None:
    """Watch a stream until interrupted; comes back by itself when the connection is lost."""
    address = parse_server(server)
    try:
        code = uvloop.run((_plain if plain else _live)(address, stream, token, history))
    except NotLetIn as refused:
        print(f"{address.authority} does not let us watch {stream}: {refused}.", file=sys.stderr)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        return
    print(f"The server closed the stream for good ({code}).", file=sys.stderr)
    raise typer.Exit(1)


async def _plain(address: Address, stream: str, token: str, history: int) -> int:
    return await keep_watching(address, stream, Lines().take, lambda state: None, token, history)


class Lines:
    """Prints comments as they come; a snapshot repeats none."""

    def __init__(self) -> None:
        self._newest = 0

    def take(self, message: FromServer) -> None:
        """Print what the message shows for the first time."""
        match message:
            case Joined():
                self._print(comment for comment in message.comments if int(comment.id) > self._newest)
            case Batch():
                self._print(message.comments)
            case ForYou():
                self._print((message.comment,))

    def _print(self, comments: Iterable[Shown]) -> None:
        for comment in comments:
            self._newest = max(self._newest, int(comment.id))
            print(f"{comment.id}\t{harmless(comment.user.name)}\t{harmless(comment.text)}", flush=True)


async def _live(address: Address, stream: str, token: str, history: int) -> int:
    """The screen is drawn at its own pace, whatever comes."""
    screen = Screen(stream, asyncio.get_running_loop().time)
    with screen.live():
        return await keep_watching(address, stream, screen.take, screen.stand, token, history)
