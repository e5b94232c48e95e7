"""`uproar watch`: a stream in the terminal."""

import asyncio
import sys
from collections.abc import Iterable
from typing import Annotated

import typer
import uvloop

from uproar.cli.client import Address, NotLetIn, parse_server
from uproar.cli.rest import DEFAULT_SERVER, ServerFlag, StreamFlag, TokenFlag
from uproar.cli.returning import State, keep_watching
from uproar.cli.screen import Screen, harmless
from uproar.wire.frames import Batch, ForYou, FromServer, Joined, Notice, RefusedMessage, Shown


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
    lines = Lines(address.authority)
    return await keep_watching(address, stream, lines.take, lines.stand, token, history)


class Lines:
    """Prints comments as they come; a snapshot repeats none. Why none come is told on stderr, once until it changes."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._newest = 0
        self._why = ""

    def stand(self, state: State) -> None:
        """How the connection stands now."""
        if state.word == "away" and state.why != self._why:
            self._why = state.why
            _complain(f"away from {self._server}: {state.why}; trying again until it is back.")
        elif state.word == "live" and self._why:
            self._why = ""
            _complain(f"watching {self._server} now.")

    def take(self, message: FromServer) -> None:
        """Print what the message shows for the first time."""
        match message:
            case Joined():
                self._print(comment for comment in message.comments if int(comment.id) > self._newest)
            case Batch():
                self._print(message.comments)
            case ForYou():
                self._print((message.comment,))
            case RefusedMessage() | Notice():
                _complain(f"{message.message} ({message.reason}, {message.code})")

    def _print(self, comments: Iterable[Shown]) -> None:
        for comment in comments:
            self._newest = max(self._newest, int(comment.id))
            print(f"{comment.id}\t{harmless(comment.user.name)}\t{harmless(comment.text)}", flush=True)


def _complain(sentence: str) -> None:
    print(f"uproar: {sentence}", file=sys.stderr, flush=True)


async def _live(address: Address, stream: str, token: str, history: int) -> int:
    """The screen is drawn at its own pace, whatever comes."""
    screen = Screen(stream, asyncio.get_running_loop().time)
    with screen.live():
        return await keep_watching(address, stream, screen.take, screen.stand, token, history)
