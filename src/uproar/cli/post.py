"""`uproar post`: say something in a stream."""

import secrets
import sys
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from uproar.auth import Identity, make_token
from uproar.cli.client import Address, parse_server
from uproar.cli.configuration import ConfigFlag, DataFlag, configure
from uproar.cli.rest import DEFAULT_SERVER, Answer, ServerFlag, StreamFlag, TokenFlag, call, stream_path, told
from uproar.cli.secret import find_secret, require_secret
from uproar.cli.token import user_id
from uproar.core.errors import Misconfigured, Unavailable
from uproar.core.refusal import Refusal

TRIES: Final = 5
PATIENCE_S: Final = 10.0
TOKEN_S: Final = 600


def post(
    text: Annotated[str, typer.Argument(help="What to say.")],
    stream: StreamFlag,
    name: Annotated[str, typer.Option(help="The name that others see, where no token is given.")] = "",
    token: TokenFlag = "",
    server: ServerFlag = DEFAULT_SERVER,
    reply_to: Annotated[str, typer.Option("--reply-to", metavar="ID", help="The comment that this answers.")] = "",
    data: DataFlag = None,
    config: ConfigFlag = None,
) -> None:
    """Post a comment and print it. Ends with 1 and the reason where it was refused."""
    address = parse_server(server)
    try:
        token = token or token_for(address, name, data, config)
        answer = _post(address, stream, {"text": text} | ({"reply_to": reply_to} if reply_to else {}), token)
    except Unavailable as fault:
        answer = Answer(503, {"message": str(fault)})
    if not answer.good:
        print(told(answer), file=sys.stderr)
        raise typer.Exit(1)
    print(f"{answer.body['id']} {answer.body['user']['name']}: {answer.body['text']}")


def token_for(address: Address, name: str, data: str | None, config: Path | None) -> str:
    """A token for the name: signed with the data directory's secret, else, where no directory was named, a guest's."""
    if not name:
        raise Misconfigured("Say who you are: --name NAME or --token TOKEN.")
    settings = configure(config, data=data).settings
    secret = find_secret(settings) if data is None else require_secret(settings)
    if secret is not None:
        now_s = time.time()
        return make_token(Identity(user_id(name), name, int(now_s) + TOKEN_S), secret, now_s)
    answer = call(address, "POST", "/v1/guests", {"name": name})
    if not answer.good:
        raise Misconfigured(f"{told(answer)} Give a --token, or the server's --data directory.")
    return str(answer.body["token"])


def _post(address: Address, stream: str, body: dict[str, str], token: str) -> Answer:
    """The same key at every try, so that what was perhaps kept is not said twice."""
    key = secrets.token_hex(16)
    for attempt in range(1, TRIES + 1):
        answer = call(address, "POST", stream_path(stream, "comments"), body, token, key)
        if answer.good or attempt == TRIES or not _unsure(answer):
            break
        time.sleep(min(PATIENCE_S, (answer.body.get("retry_after_ms") or 1_000) / 1000))
    return answer


def _unsure(answer: Answer) -> bool:
    return isinstance(answer.body, dict) and answer.body.get("code") == Refusal.UNCONFIRMED.code
