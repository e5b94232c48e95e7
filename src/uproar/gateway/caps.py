"""How much one address and all together may ask for: connections, accepts, and whose address it is."""

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple

Network = IPv4Network | IPv6Network


class Bucket:
    """At most `per_s` a second on the long run, and as many at once."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._left = per_s
        self._at = float("-inf")

    def take(self, now: float) -> bool:
        """Whether one more fits; if so it is counted."""
        if now > self._at:
            self._left = min(self._per_s, self._left + (now - self._at) * self._per_s)
            self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Addresses:
    """Open connections by address; an address without any is forgotten."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[str, int] = {}

    def enter(self, address: str) -> bool:
        """Count one more; False when the address has all it may have. Loopback (an empty address) is exempt."""
        if address and self._open.get(address, 0) >= self._limit:
            return False
        if address:
            self._open[address] = self._open.get(address, 0) + 1
        return True

    def leave(self, address: str) -> None:
        """One of its connections ended; an empty address has none."""
        left = self._open.get(address, 0) - 1
        if left > 0:
            self._open[address] = left
        else:
            self._open.pop(address, None)


class Caps(NamedTuple):
    """How many connections each address may have, and whose word is taken for an address."""

    addresses: Addresses
    trusted: tuple[Network, ...]
    refused: Callable[[], object]


class Seat:
    """A connection's place among those of one address at a time; the empty address has none to take."""

    __slots__ = ("_addresses", "_taken")

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._taken = ""

    def take(self, address: str) -> bool:
        """Move to one among the address's; False, and nowhere, when it has none left."""
        if address == self._taken:
            return True
        self.leave()
        if not self._addresses.enter(address):
            return False
        self._taken = address
        return True

    def leave(self) -> None:
        """Nobody's."""
        self._addresses.leave(self._taken)
        self._taken = ""


def networks(trusted: Iterable[str]) -> tuple[Network, ...]:
    """The `trusted_proxies` setting, read."""
    return tuple(ip_network(one, strict=False) for one in trusted)


def address_of(peer: str, forwarded: str | None, trusted: Sequence[Network]) -> str:
    """Whose connection this is: the rightmost of `X-Forwarded-For` (peer included) that is no trusted proxy.

    Empty for a loopback peer that forwards for nobody: it is exempt. A loopback peer that carries the header without
    being trusted counts as one address, so that a proxy that nobody configured opens no door.
    """
    hops = [hop.strip() for hop in (forwarded or "").split(",") if hop.strip()]
    for hop in [peer, *reversed(hops)]:
        if not _trusted(hop, trusted):
            return "" if forwarded is None and _loopback(hop) else hop
    return "" if forwarded is None and _loopback(peer) else peer


def forwards(peer: str, trusted: Sequence[Network]) -> bool:
    """Whether the peer's connections carry requests of many: a trusted proxy, or one on this machine."""
    return _loopback(peer) or _trusted(peer, trusted)


def _trusted(hop: str, trusted: Sequence[Network]) -> bool:
    try:
        return any(ip_address(hop) in network for network in trusted)
    except ValueError:
        return False


def _loopback(hop: str) -> bool:
    try:
        return ip_address(hop).is_loopback
    except ValueError:
        return not hop  # a Unix socket has no address
