"""What a request to watch asks for."""

from typing import NamedTuple

from uproar.core.position import Position, parse
from uproar.core.refusal import Refusal, Refused
from uproar.core.text import is_id
from uproar.gateway.answers import Denial
from uproar.wire.handshake import Request

HISTORY = 50
HISTORY_MOST = 200


class Wish(NamedTuple):
    """The stream, the position to resume from (None: afresh), and how much history if not."""

    stream: str
    position: Position | None
    history: int


def wish_of(request: Request) -> Wish | Denial:
    """What it asks for, or why it cannot be told."""
    stream = _stream_of(request.path)
    if stream is None:
        return Denial(404, Refused(Refusal.NO_SUCH_STREAM))
    history = request.query.get("history", str(HISTORY))
    if not (history.isascii() and history.isdigit() and len(history) <= 3 and int(history) <= HISTORY_MOST):
        return Denial(400, Refused(Refusal.BAD_MESSAGE))
    if "position" not in request.query:
        return Wish(stream, None, int(history))
    position = parse(request.query["position"])
    return Denial(400, Refused(Refusal.BAD_MESSAGE)) if position is None else Wish(stream, position, int(history))


def _stream_of(path: str) -> str | None:
    parts = path.split("/")
    if len(parts) == 5 and parts[1:3] == ["v1", "streams"] and parts[4] == "live" and is_id(parts[3]):
        return parts[3]
    return None
