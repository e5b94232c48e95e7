"""The ledger: small facts about users that all writers agree on, one round trip.

A new kind of ledger is one file here, one line in `assembly/parts.py`, and a green run of
`tests/contract/test_ledger.py`.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from uproar.core.refusal import Refused


class Limit(NamedTuple):
    """At most so many accepted `posts` in any `span_ms`."""

    posts: int
    span_ms: int


class Ask(NamedTuple):
    """A post that passed all checks which need no asking.

    `id` is the number that it gets, `digest` tells its text from others, `account_age_s` is None where no token tells.
    `unlimited` (importers) skips age, limits, slow mode and repeats; bans hold.
    """

    stream: str
    user: str
    id: int
    digest: int
    key: str = ""
    here: Limit = Limit(5, 30_000)
    everywhere: Limit = Limit(30, 60_000)
    slow_ms: int = 0
    account_age_s: int | None = None
    min_account_age_s: int = 0
    duplicates: str = "own"
    unlimited: bool = False


class Known(NamedTuple):
    """The key is fixed to this comment id; `digest` is that of the text it was fixed with."""

    id: int
    digest: int


class Ledger(Protocol):
    """Windows are exact, on the ledger's own clock; no counter outlives its window."""

    async def standing(self, ask: Ask) -> Known | Refused | None:
        """Judge, and if all pass count, note the text and fix key -> id, atomically: None means welcome.

        A known key answers its id first; else floor, ban, age, limits, slow mode, repeat, in that order, and the first
        refusal wins and costs nothing.
        """

    async def recall(self, stream: str, user: str, key: str) -> None:
        """Look up whatever `standing` would have to ask others for, so that it answers without waiting.

        Whoever numbers posts calls it first: then ids go to the log in their order.
        """

    async def known(self, stream: str, user: str, key: str) -> Known | None:
        """What the key is fixed to, in the last ten minutes."""

    async def release(self, ask: Ask) -> None:
        """Take back what `standing` counted and fixed: the append failed and nothing was kept."""

    async def lift(self, user: str, upto: int) -> int:
        """Raise the user's floor to `upto` and to the highest id that their posts got in the last hour; returns it.

        So whoever removes or forgets all up to the floor takes all that was accepted before, and nothing that comes
        after: until `settle`, ten seconds at most, the user's posts are refused `unavailable`; for an hour those are
        whose ids are not above the floor, since their writer's clock is behind.
        """

    async def settle(self, user: str, floor: int) -> None:
        """What `lift` returned this floor for is in the log: the user may post again."""

    async def ban(self, stream: str, user: str, until_ms: int | None) -> None:
        """Muted from now on (None: for good)."""

    async def unban(self, stream: str, user: str) -> None:
        """Muted no more."""

    async def forget(self, user: str) -> Sequence[str]:
        """An erasure: drop the digests of the user's texts; the streams where the user wrote in the last hour."""
