"""A store of which every read is counted."""

from collections.abc import Callable
from typing import Final

from uproar.core import counting
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


def counted(store: Store, count: Callable[[], object]) -> Store:
    """The store; `count` is called at each of its `READS`."""
    return counting.counted(store, READS, count)
