"""What every resource takes from a request: ids, pages, who asks, and the services."""

from collections.abc import Callable
from typing import Annotated, Any, Final, NamedTuple

from litestar.params import PathParameter, QueryParameter

from uproar.api.asked import Asked
from uproar.api.pace import Pace
from uproar.api.problems import Denied, found
from uproar.auth import Identity, Keys, bearer, identify
from uproar.core.clock import Clock
from uproar.core.ids import parse_id
from uproar.core.refusal import Refusal, Refused
from uproar.gateway.caps import address_of, networks
from uproar.gateway.http.protocol import ABORT
from uproar.read.service import ReadService
from uproar.settings import Settings
from uproar.timeline import Timeline
from uproar.write.service import WriteService

ID = r"^[A-Za-z0-9._~-]{1,64}$"
NUMBER = r"^(0|[1-9][0-9]{0,18})$"

StreamId = Annotated[str, PathParameter(pattern=ID, description="A stream's id.")]
UserId = Annotated[str, PathParameter(pattern=ID, description="A user's id.")]
CommentId = Annotated[str, PathParameter(pattern=NUMBER, description="A comment's id.")]
Edge = Annotated[str | None, QueryParameter(pattern=NUMBER, description="A comment's id; exclusive.", required=False)]
Limit = Annotated[int, QueryParameter(ge=1, le=200, description="At most so many comments.")]

SIGNED_IN: Final[list[dict[str, list[str]]]] = [{"token": []}]  # operations that nobody does without a token


class Services(NamedTuple):
    """What the resources stand on; handed to them by the application's state."""

    write: WriteService
    read: ReadService
    timeline: Timeline
    keys: Keys
    settings: Settings
    clock: Clock
    pace: Pace


def services(request: Asked) -> Services:
    """The application's services."""
    held: Services = request.app.state.services
    return held


def who(request: Asked) -> Identity | None:
    """Who asks; None without a token. Raises `Denied` (102) for a token that does not hold."""
    token = bearer(request.headers.get("authorization"))
    if token is None:
        return None
    held = services(request)
    identity = identify(token, held.keys, held.clock.now_ms() / 1000)
    if isinstance(identity, Refusal):
        raise Denied(Refused(identity))
    return identity


def speaker(request: Asked) -> Identity | None:
    """Who asks, within the pace of posts, likes and reports; raises `Denied` (502) beyond."""
    asker = who(request)
    services(request).pace.message(asker)
    return asker


def address(request: Asked) -> str:
    """Where the request comes from; empty for this machine."""
    peer = request.client.host if request.client else ""
    trusted = networks(services(request).settings.trusted_proxies)
    forwarded = request.headers.getall("x-forwarded-for", [])
    return address_of(peer, ",".join(forwarded) if forwarded else None, trusted)


def aborting(request: Asked) -> Callable[[], None]:
    """What ends the request's connection at once; where the server cannot, nothing happens."""
    extensions: Any = request.scope.get("extensions") or {}
    end: Callable[[], None] = extensions.get(ABORT, {}).get("now", _carry_on)
    return end


def _carry_on() -> None:
    """There is nothing to end."""


def number(text: str) -> int:
    """A comment's id; raises `Denied` (303) for one that no comment can have."""
    known = parse_id(text)
    if known is None:
        raise Denied(Refused(Refusal.NO_SUCH_COMMENT))
    return known


def edge(text: str | None) -> int | None:
    """An optional id of a page's edge; raises `Denied` (310) for one that is no id."""
    return None if text is None else found(parse_id(text), Refusal.BAD_MESSAGE)
