"""Who may come in, as far as the request alone tells: the accept rate, origins, and seats by address."""

from uproar.core.refusal import Refusal, Refused
from uproar.gateway.answers import CROWDED, HURRIED, Denial
from uproar.gateway.caps import Bucket, Caps, address_of
from uproar.wire.handshake import Request


class Gate:
    """Looks at requests to watch. Whoever it seats has the seat until `leave`, let in or not."""

    def __init__(self, origins: frozenset[str], accepts: Bucket, caps: Caps) -> None:
        self._origins = origins
        self._accepts = accepts
        self._caps = caps

    def hurry(self, now: float) -> Denial | None:
        """Beyond the accept rate; asked first, before anything is read."""
        return None if self._accepts.take(now) else HURRIED

    def seat(self, request: Request, peer: str) -> str | Denial:
        """The address among whose connections this one is from now on; a foreign origin has none."""
        origin = request.headers.get("origin")
        if origin is not None and origin not in self._origins:
            return Denial(403, Refused(Refusal.NOT_ALLOWED))
        address = address_of(peer, request.headers.get("x-forwarded-for"), self._caps.trusted)
        return address if self._caps.addresses.enter(address) else CROWDED

    def leave(self, address: str) -> None:
        """The seat is free."""
        self._caps.addresses.leave(address)
