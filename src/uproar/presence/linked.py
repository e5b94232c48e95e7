"""The presence of another process of this machine, over a link; and what that process answers."""

from collections.abc import Mapping

from uproar.link import Link
from uproar.presence import Presence


class LinkedPresence:
    """Asks the other side."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def tell(self, gateway: str, viewers: Mapping[str, int]) -> None:
        """The gateway's viewers by stream, all of them."""
        await self._link.ask("presence.tell", None, gateway, dict(viewers))

    async def viewers(self, stream: str) -> int:
        """How many watch the stream, over all gateways."""
        viewers: int = await self._link.ask("presence.viewers", int, stream)
        return viewers

    async def leave(self, gateway: str) -> None:
        """The gateway's viewers are gone at once."""
        await self._link.ask("presence.leave", None, gateway)


class Served:
    """A presence that the other side of the link tells and asks; whoever told is gone with the link (`close`)."""

    def __init__(self, link: Link, presence: Presence) -> None:
        self._presence = presence
        self._told: set[str] = set()
        link.answers("presence.tell", tuple[str, dict[str, int]], self._tell)
        link.answers("presence.viewers", tuple[str], presence.viewers)
        link.answers("presence.leave", tuple[str], presence.leave)

    async def _tell(self, gateway: str, viewers: Mapping[str, int]) -> None:
        self._told.add(gateway)
        await self._presence.tell(gateway, viewers)

    async def close(self) -> None:
        """The gateways on the other side are no more."""
        for gateway in self._told:
            await self._presence.leave(gateway)
