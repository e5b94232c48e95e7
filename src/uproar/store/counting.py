"""A store of which every read is counted."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from uproar.store import Store

READS: Final = frozenset(
    {
        "audit",
        "banned",
        "by_user",
        "comment",
        "count",
        "erased_upto",
        "likes",
        "page",
        "pinned",
        "pins_over",
        "reactions",
        "reactions_by_second",
        "replies",
        "reports",
        "reputation",
        "span",
        "stream",
        "wrote_in",
    }
)


class _Counted:
    def __init__(self, store: Store, count: Callable[[], object]) -> None:
        self._store = store
        self._count = count

    def __getattr__(self, name: str) -> Any:
        """The store's own, found once for each name."""
        method = getattr(self._store, name)
        found = self._read(method) if name in READS else method
        setattr(self, name, found)
        return found

    def _read(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        def read(*args: Any, **named: Any) -> Awaitable[Any]:
            self._count()
            return method(*args, **named)

        return read


def counted(store: Store, count: Callable[[], object]) -> Store:
    """The store; `count` is called at each of its `READS`."""
    return cast(Store, _Counted(store, count))
