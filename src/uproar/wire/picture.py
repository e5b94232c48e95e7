"""What a viewer holds: a snapshot, and the one rule by which a batch changes it."""

from collections.abc import Callable, Iterable
from itertools import islice

from msgspec.structs import replace

from uproar.wire.frames import Batch, Joined, PosterRules, Shown, ShownParent, Skipped

KEEP = 1000


class Picture:
    """The newest `keep` comments in the order of their ids, the pinned ones, reaction totals, `left_out` and rules.

    Timeline, terminal viewer, replay and simulation all hold one: snapshot + batches = fresh snapshot (I6).
    """

    def __init__(self, keep: int = KEEP) -> None:
        self.keep = keep
        self.comments: dict[str, Shown] = {}
        self.pinned: dict[str, Shown] = {}
        self.reactions: dict[str, int] = {}
        self.left_out = 0
        self.rules: PosterRules | None = None
        self.position = ""

    def begin(self, joined: Joined) -> None:
        """Drop all and take the snapshot; a `recovered` one changes nothing but the rules."""
        self.rules = joined.rules
        self.position = joined.position
        if joined.recovered:
            return
        self.comments = {}
        self._add(joined.comments)
        self.pinned = {comment.id: comment for comment in joined.pinned}
        self.reactions = dict(joined.reactions)
        self.left_out = 0

    def apply(self, batch: Batch | Skipped) -> None:
        """Apply one batch, field by field in the protocol's order."""
        self.position = batch.position
        if batch.removed_users:
            self.forget_users(batch.removed_users)
        if batch.removed:
            self.forget(batch.removed)
        self._add(batch.restored)
        self._add(batch.comments if isinstance(batch, Batch) else ())
        self.pinned.update((comment.id, comment) for comment in batch.pinned)
        for gone in batch.unpinned:
            self.pinned.pop(gone, None)
        for liked, likes in batch.liked.items():
            self._like(liked, likes)
        for kind, count in batch.reactions.items():
            self.reactions[kind] = self.reactions.get(kind, 0) + count
        self.left_out += batch.left_out
        self.rules = batch.rules or self.rules

    def forget(self, ids: Iterable[str]) -> None:
        """Take comments off, out of the pins too; previews of them lose their text."""
        gone = frozenset(ids)
        for shelf in (self.comments, self.pinned):
            _sweep(shelf, lambda comment: comment.id in gone, lambda parent: parent.id in gone)

    def forget_users(self, users: Iterable[str], upto: int | None = None) -> None:
        """Take off all that these users wrote, up to the comment id `upto` (None: all that is held), previews too."""
        gone = frozenset(users)

        def theirs(user: str, written: str) -> bool:
            return user in gone and (upto is None or int(written) <= upto)

        for shelf in (self.comments, self.pinned):
            _sweep(shelf, lambda comment: theirs(comment.user.id, comment.id), lambda p: theirs(p.user, p.id))

    def newest(self, limit: int) -> list[Shown]:
        """The newest `limit` comments, oldest first."""
        return list(islice(self.comments.values(), max(0, len(self.comments) - limit), None))

    def _add(self, comments: Iterable[Shown]) -> None:
        newest = int(next(reversed(self.comments), -1))
        for comment in comments:
            in_place = comment.id in self.comments or int(comment.id) > newest
            self.comments[comment.id] = comment
            if in_place:
                newest = max(newest, int(comment.id))
            else:
                self.comments = dict(sorted(self.comments.items(), key=_by_id))
        for oldest in list(islice(self.comments, max(0, len(self.comments) - self.keep))):
            del self.comments[oldest]

    def _like(self, liked: str, likes: int) -> None:
        for held in (self.comments, self.pinned):
            if liked in held:
                held[liked] = replace(held[liked], likes=likes)


def _by_id(item: tuple[str, Shown]) -> int:
    return int(item[0])


def without_text(comment: Shown) -> Shown:
    """The same reply, its preview blanked: the parent is gone."""
    parent = comment.reply_to
    return replace(comment, reply_to=ShownParent(parent.id, parent.user)) if parent else comment


def _sweep(shelf: dict[str, Shown], gone: Callable[[Shown], bool], parent_gone: Callable[[ShownParent], bool]) -> None:
    for comment in list(shelf.values()):
        if gone(comment):
            del shelf[comment.id]
        elif comment.reply_to and comment.reply_to.text and parent_gone(comment.reply_to):
            shelf[comment.id] = without_text(comment)
