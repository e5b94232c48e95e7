"""Presence: who watches what, added up over gateways.

A new kind is one file here, one line in `assembly/parts.py`, and a green run of `tests/contract/test_presence.py`.
"""

from collections.abc import Mapping
from typing import Protocol


class Presence(Protocol):
    """Counts converge within two seconds; a dead gateway's viewers vanish within ten."""

    async def tell(self, gateway: str, viewers: Mapping[str, int]) -> None:
        """The gateway's viewers by stream, all of them, at least every two seconds; streams not named have none."""

    async def viewers(self, stream: str) -> int:
        """How many watch the stream, over all gateways."""

    async def leave(self, gateway: str) -> None:
        """The gateway stops: its viewers are gone at once."""
