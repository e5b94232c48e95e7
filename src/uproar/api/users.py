"""People over HTTP: guests, what somebody wrote, erasure."""

import secrets
from typing import Annotated

from litestar import delete, get, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from uproar.api.asked import Asked
from uproar.api.given import SIGNED_IN, Edge, Limit, UserId, address, edge, services, who
from uproar.api.problems import Denied, documented, granted
from uproar.auth import Identity, make_token
from uproar.core.comment import User
from uproar.core.refusal import Refusal, Refused
from uproar.core.text import name_fault, normalize
from uproar.read.service import Page

GUEST_S = 24 * 3600


class NewGuest(Struct, frozen=True, forbid_unknown_fields=True):
    """The name to be seen under."""

    name: Annotated[str, Meta(max_length=200)]


class Guest(Struct, frozen=True):
    """A guest's token, and how others see it; `exp` in seconds since 1970."""

    token: str
    user: User
    exp: int


class Erasing(Struct, frozen=True):
    """Until when (milliseconds since 1970) the log may still hold the text."""

    log_until: int


@post("/v1/guests", summary="Become a guest", status_code=200, responses=documented(403, 422))
async def become_guest(request: Asked, data: JSONBody[NewGuest]) -> Guest:
    """A name and a token for a day, where the installation lets guests in."""
    held = services(request)
    if not held.settings.guests:
        raise Denied(Refused(Refusal.NOT_ALLOWED, detail="Guests are not let in here; bring a token."))
    name = normalize(data.name)
    fault = name_fault(name)
    if fault is not None:
        raise Denied(Refused(fault))
    wait_s = request.app.state.guests.wait_s(address(request), held.clock.now())
    if wait_s:
        raise Denied(Refused(Refusal.TOO_FAST, int(wait_s * 1000) + 1))
    now_s = held.clock.now_ms() // 1000
    guest = Identity(f"guest-{secrets.token_hex(6)}", name, now_s + GUEST_S)
    return Guest(make_token(guest, held.keys.secret, now_s), User(guest.id, guest.name), guest.exp)


@get(
    "/v1/users/{user:str}/comments",
    summary="What somebody wrote",
    responses=documented(401, 403),
    security=SIGNED_IN,
)
async def written(request: Asked, user: UserId, before: Edge = None, after: Edge = None, limit: Limit = 50) -> Page:
    """By time, newest first; for that user and admins."""
    asker = who(request)
    if asker is None:
        raise Denied(Refused(Refusal.NOT_SIGNED_IN))
    if asker.id != user and not asker.is_admin:
        raise Denied(Refused(Refusal.NOT_ALLOWED))
    return await services(request).read.by_user(user, before=edge(before), after=edge(after), limit=limit)


@delete(
    "/v1/users/{user:str}",
    summary="Erase",
    status_code=202,
    responses=documented(401, 403),
    security=SIGNED_IN,
)
async def erase(request: Asked, user: UserId) -> Erasing:
    """Forget all that the user wrote; for that user and admins."""
    return Erasing(granted(await services(request).write.erase(who(request), user)))


ROUTES = [become_guest, written, erase]
