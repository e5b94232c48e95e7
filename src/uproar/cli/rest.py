"""One REST call of our own commands, over the standard library."""

import http.client
from collections.abc import Iterator
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import quote

import msgspec
import typer

from uproar.cli.client import Address
from uproar.core.errors import Unavailable
from uproar.wire.codec import encode

DEFAULT_SERVER: Final = "http://127.0.0.1:8080"
CALL_S: Final = 15.0
PAGE: Final = 200

ServerFlag = Annotated[str, typer.Option("--server", metavar="URL", help="Where the server is.")]
StreamFlag = Annotated[str, typer.Option("--stream", metavar="ID", help="The stream.")]
TokenFlag = Annotated[str, typer.Option("--token", help="Who you are; `uproar token` makes one.")]


class Answer(NamedTuple):
    """An HTTP status, and the JSON that came with it (None: nothing)."""

    status: int
    body: Any

    @property
    def good(self) -> bool:
        """2xx."""
        return 200 <= self.status < 300


def call(address: Address, method: str, path: str, body: object = None, token: str = "", key: str = "") -> Answer:
    """Ask and read the whole answer. Raises `Unavailable` where nobody answers."""
    connector = http.client.HTTPSConnection if address.secure else http.client.HTTPConnection
    connection = connector(address.host, address.port, timeout=CALL_S)
    try:
        connection.request(method, path, None if body is None else encode(body), _headers(token, key))
        answer = connection.getresponse()
        return Answer(answer.status, _read(answer.read()))
    except (OSError, http.client.HTTPException) as fault:
        raise Unavailable(f"{address.authority} does not answer: {fault}") from fault
    finally:
        connection.close()


def told(answer: Answer) -> str:
    """A problem as one line: its sentence, reason and code."""
    body = answer.body if isinstance(answer.body, dict) else {}
    sentence = body.get("message") or f"The server answered {answer.status}."
    return f"{sentence} ({body['reason']}, {body['code']})" if "reason" in body and "code" in body else sentence


def stream_path(stream: str, *parts: str) -> str:
    """The path of a stream, or of something in it."""
    return "/".join(("/v1/streams", *(quote(part, safe="") for part in (stream, *parts))))


def history(address: Address, stream: str, down_to: int) -> Iterator[str]:
    """The ids of a stream's comments, newest first, page by page until one is below `down_to`."""
    before = ""
    while True:
        query = f"?limit={PAGE}{f'&before={before}' if before else ''}"
        answer = call(address, "GET", stream_path(stream, "comments") + query)
        if not answer.good:
            raise Unavailable(told(answer))
        yield from (comment["id"] for comment in answer.body["comments"])
        before = answer.body["next"]
        if before is None or int(before) < down_to:
            return


def _headers(token: str, key: str) -> dict[str, str]:
    wanted = {"Authorization": f"Bearer {token}" if token else "", "Idempotency-Key": key}
    return {"Content-Type": "application/json"} | {name: value for name, value in wanted.items() if value}


def _read(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text) if text else None
    except msgspec.DecodeError:
        return None
