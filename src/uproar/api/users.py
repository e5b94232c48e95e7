"""People over HTTP: guests, what somebody wrote, erasure."""

import secrets
from typing import Annotated

from litestar import delete, get, post
from msgspec import Meta, Struct

from uproar.api.given import Asked, Edge, Limit, UserId, edge, services, who
from uproar.api.problems import Denied, documented, granted
from uproar.auth import Identity, make_token
from uproar.core.comment import User
from uproar.core.refusal import Refusal, Refused
from uproar.core.text import name_fault, normalize
from uproar.gateway.caps import address_of, networks
from uproar.read.service import Page

GUEST_S = 24 * 3600
ADDRESSES = 10_000  # whose guests are counted; beyond it the one that asked least recently is forgotten


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


class Guests:
    """How many guests each address made in the last minute."""

    def __init__(self, per_min: int) -> None:
        self._per_min = per_min
        self._made: dict[str, list[float]] = {}

    def wait_s(self, address: str, now: float) -> float:
        """0 when one more may come (it is counted), else the seconds to wait."""
        made = [at for at in self._made.pop(address, ()) if at > now - 60]
        if len(self._made) >= ADDRESSES:
            del self._made[next(iter(self._made))]  # the one that asked least recently
        self._made[address] = made
        if len(made) >= self._per_min:
            return made[0] + 60 - now
        made.append(now)
        return 0


@post("/v1/guests", summary="Become a guest", status_code=200, responses=documented(403, 422, 429))
async def become_guest(request: Asked, data: NewGuest) -> Guest:
    """A name and a token for a day, where the installation lets guests in."""
    held = services(request)
    if not held.settings.guests:
        raise Denied(Refused(Refusal.NOT_ALLOWED, detail="Guests are not let in here; bring a token."))
    name = normalize(data.name)
    fault = name_fault(name)
    if fault is not None:
        raise Denied(Refused(fault))
    address = address_of(
        request.client.host if request.client else "",
        request.headers.get("x-forwarded-for"),
        networks(held.settings.trusted_proxies),
    )
    wait_s = request.app.state.guests.wait_s(address, held.clock.now())
    if wait_s:
        raise Denied(Refused(Refusal.TOO_FAST, int(wait_s * 1000) + 1))
    now_s = held.clock.now_ms() // 1000
    guest = Identity(f"guest-{secrets.token_hex(6)}", name, now_s + GUEST_S)
    return Guest(make_token(guest, held.keys.secret, now_s), User(guest.id, guest.name), guest.exp)


@get("/v1/users/{user:str}/comments", summary="What somebody wrote", responses=documented(401, 403))
async def written(request: Asked, user: UserId, before: Edge = None, after: Edge = None, limit: Limit = 50) -> Page:
    """By time, newest first; for that user and admins."""
    asker = who(request)
    if asker is None:
        raise Denied(Refused(Refusal.NOT_SIGNED_IN))
    if asker.id != user and not asker.is_admin:
        raise Denied(Refused(Refusal.NOT_ALLOWED))
    return await services(request).read.by_user(user, before=edge(before), after=edge(after), limit=limit)


@delete("/v1/users/{user:str}", summary="Erase", status_code=202, responses=documented(401, 403))
async def erase(request: Asked, user: UserId) -> Erasing:
    """Forget all that the user wrote; for that user and admins."""
    return Erasing(granted(await services(request).write.erase(who(request), user)))


ROUTES = [become_guest, written, erase]
