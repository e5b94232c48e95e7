"""Who likes the comments of one stream, of those that were liked lately."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from uproar.timeline import Liking

COMMENTS = 2000
"""Of more comments than this those liked longest ago are forgotten, and read from the store when liked again."""
LIKERS = 1_000_000
"""Likewise of more likers, all comments together; the comment liked last is kept however many like it."""


class Likes:
    """Sets of users by comment, the one touched last at the end."""

    def __init__(self) -> None:
        self._sets: OrderedDict[int, set[str]] = OrderedDict()
        self._likers = 0

    def unknown(self, likings: Sequence[Liking]) -> list[int]:
        """The comments whose likers must be read before these are applied."""
        return sorted({liking.comment_id for liking in likings} - self._sets.keys())

    def apply(self, likings: Sequence[Liking], loaded: Mapping[int, Iterable[str]]) -> dict[int, int]:
        """Apply in order, with the likers read for those unknown; the totals of the comments named."""
        for comment_id in self.unknown(likings):
            likers = self._sets[comment_id] = set(loaded.get(comment_id, ()))
            self._likers += len(likers)
        for liking in likings:
            self._apply(liking)
        totals = {liking.comment_id: len(self._sets[liking.comment_id]) for liking in likings}
        self._forget()
        return totals

    def forget_user(self, user: str) -> None:
        """The user likes nothing any more."""
        for likers in self._sets.values():
            self._likers -= user in likers
            likers.discard(user)

    def _apply(self, liking: Liking) -> None:
        likers = self._sets[liking.comment_id]
        self._sets.move_to_end(liking.comment_id)
        before = len(likers)
        (likers.add if liking.on else likers.discard)(liking.user)
        self._likers += len(likers) - before

    def _forget(self) -> None:
        while len(self._sets) > COMMENTS or (self._likers > LIKERS and len(self._sets) > 1):
            _, likers = self._sets.popitem(last=False)
            self._likers -= len(likers)
