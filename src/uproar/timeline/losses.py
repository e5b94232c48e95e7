"""What of one stream is gone, and who said so last, told the time.

Whoever answers a removal tells it at once; a frame repeats it a little later, in the log's order. Where both speak of
one id, the answer stands: else the frame of an older restoring would bring back what was removed again since.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from uproar.timeline import Gone

LOSS_S = 720.0
"""So long a loss is known: longer than any frame, ring or segment that could hold the text is kept, previews too."""
LOSSES = 50_000
"""Of more losses than this those told longest ago are forgotten; screens and answers are without them by then."""


class Ruling(NamedTuple):
    """The last word on an id: `withstands` is the highest id of users' losses that it was put back from."""

    gone: bool
    answered: bool
    withstands: int
    at_ms: int


class UserLoss(NamedTuple):
    """All that a user wrote up to an id is gone, and up to `erased` for ever."""

    upto: int
    at_ms: int
    erased: int = -1


class Losses:
    """Rulings by id and losses by user, those told last at the end."""

    def __init__(
        self, version: int = 0, ids: Mapping[int, Ruling] | None = None, users: Mapping[str, UserLoss] | None = None
    ) -> None:
        self.version = version
        self.ids: OrderedDict[int, Ruling] = OrderedDict(ids or {})
        self.users: OrderedDict[str, UserLoss] = OrderedDict(users or {})
        self._gone: Gone | None = None

    @property
    def gone(self) -> Gone:
        """What must not be shown."""
        if self._gone is None:
            self._gone = self._seen()
        return self._gone

    def take_down(self, ids: Iterable[int], users: Mapping[str, int], now_ms: int) -> None:
        """A removal is being answered."""
        for comment_id in ids:
            self._rule(comment_id, Ruling(True, True, 0, now_ms))
        self._lose_users(users, now_ms)

    def erase(self, user: str, upto: int, now_ms: int) -> None:
        """An erasure is being answered."""
        known = self.users.get(user, UserLoss(-1, now_ms))
        self.users[user] = UserLoss(max(upto, known.upto), now_ms, max(upto, known.erased))
        self.users.move_to_end(user)
        self._changed()

    def put_back(self, comment_id: int, now_ms: int) -> None:
        """A restoring is being answered."""
        self._rule(comment_id, Ruling(False, True, self._highest(), now_ms))

    def repeat(self, removed: Iterable[int], users: Mapping[str, int], restored: Iterable[int], now_ms: int) -> None:
        """A frame tells what was, as a rule, answered before."""
        self._lose_users(users, now_ms)
        for comment_id in removed:
            ruling = self.ids.get(comment_id)
            if ruling is None or ruling.gone or not ruling.answered:
                self._rule(comment_id, Ruling(True, bool(ruling and ruling.answered), 0, now_ms))
        for comment_id in restored:
            ruling = self.ids.get(comment_id)
            if ruling is None or not ruling.gone or not ruling.answered:
                self._rule(comment_id, Ruling(False, bool(ruling and ruling.answered), self._highest(), now_ms))

    def forget(self, now_ms: int) -> None:
        """Let go of what was told too long ago, or is too much."""
        before_ms = now_ms - round(LOSS_S * 1000)
        while self.ids and (len(self.ids) > LOSSES or next(iter(self.ids.values())).at_ms < before_ms):
            self.ids.popitem(last=False)
            self._changed()
        while self.users and (len(self.users) > LOSSES or next(iter(self.users.values())).at_ms < before_ms):
            self.users.popitem(last=False)
            self._changed()

    def _rule(self, comment_id: int, ruling: Ruling) -> None:
        self.ids[comment_id] = ruling
        self.ids.move_to_end(comment_id)
        self._changed()

    def _lose_users(self, users: Mapping[str, int], now_ms: int) -> None:
        for user, upto in users.items():
            known = self.users.get(user, UserLoss(upto, now_ms))
            self.users[user] = UserLoss(max(upto, known.upto), now_ms, known.erased)
            self.users.move_to_end(user)
            self._changed()

    def _highest(self) -> int:
        return max((loss.upto for loss in self.users.values()), default=0)

    def _changed(self) -> None:
        self.version += 1
        self._gone = None

    def _seen(self) -> Gone:
        ids = frozenset(comment_id for comment_id, ruling in self.ids.items() if ruling.gone)
        users = {user: loss.upto for user, loss in self.users.items()}
        spared = {comment_id: ruling.withstands for comment_id, ruling in self.ids.items() if not ruling.gone}
        erased = {user: loss.erased for user, loss in self.users.items() if loss.erased >= 0}
        return Gone(self.version if ids or users else 0, ids, users, spared, erased)
