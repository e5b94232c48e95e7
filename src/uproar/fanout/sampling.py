"""Which comments of a window are shown when not all can be."""

from collections.abc import Collection, Mapping, Sequence

from uproar.core.comment import ADMIN, CREATOR, MODERATOR, Comment
from uproar.core.shards import tie

QUESTION_MARKS = "?？؟"


def never_left_out(comment: Comment) -> bool:
    """The creator's and moderators' comments are shown beyond every bound."""
    return bool({CREATOR, MODERATOR, ADMIN}.intersection(comment.user.roles))


def priority(comment: Comment, likes: int) -> int:
    """Creator +100, moderator +50, verified +10, each like +2, a question +5."""
    roles = comment.user.roles
    return (
        100 * (CREATOR in roles)
        + 50 * (MODERATOR in roles)
        + 10 * comment.user.verified
        + 2 * likes
        + 5 * any(mark in comment.text for mark in QUESTION_MARKS)
    )


def choose(
    comments: Sequence[Comment], best: int | None, likes: Mapping[int, int], pinned: Collection[int]
) -> frozenset[int]:
    """The ids to show: all when `best` is None, else the best, and whoever is never left out beyond them.

    Ties are broken by a hash of the id, so that every worker chooses the same.
    """
    if best is None:
        return frozenset(comment.id for comment in comments)
    held = {comment.id for comment in comments if never_left_out(comment) or comment.id in pinned}
    others = [comment for comment in comments if comment.id not in held]
    others.sort(key=lambda comment: (-priority(comment, likes.get(comment.id, 0)), tie(comment.id)))
    return frozenset(held.union(comment.id for comment in others[:best]))
