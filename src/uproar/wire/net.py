"""Several batches as one: what a viewer that skipped them is told."""

from collections.abc import Sequence

from uproar.wire.frames import Batch, Shown, Skipped


def net_result(batches: Sequence[Batch]) -> Skipped:
    """The net effect of the batches, as of one window; comments posted in them are only counted.

    Applying it gives what applying the batches one by one gives, but for those comments.
    """
    users: dict[str, None] = {}
    removed: dict[str, None] = {}
    restored: dict[str, Shown] = {}
    pinned: dict[str, Shown] = {}
    unpinned: dict[str, None] = {}
    liked: dict[str, int] = {}
    reactions: dict[str, int] = {}
    rules = None
    for batch in batches:
        for user in batch.removed_users:
            users[user] = None
            for shelf in (restored, pinned):
                for comment in [comment for comment in shelf.values() if comment.user.id == user]:
                    del shelf[comment.id]
        for gone in batch.removed:
            removed[gone] = None
            restored.pop(gone, None)
            pinned.pop(gone, None)
        for comment in batch.restored:
            restored[comment.id] = comment
        for comment in batch.pinned:
            pinned[comment.id] = comment
            unpinned.pop(comment.id, None)
        for gone in batch.unpinned:
            pinned.pop(gone, None)
            unpinned[gone] = None
        liked.update(batch.liked)
        for kind, count in batch.reactions.items():
            reactions[kind] = reactions.get(kind, 0) + count
        rules = batch.rules or rules
    return Skipped(
        position=batches[-1].position,
        frames=len(batches),
        comments=sum(len(batch.comments) for batch in batches),
        removed_users=list(users),
        removed=list(removed),
        restored=list(restored.values()),
        pinned=list(pinned.values()),
        unpinned=list(unpinned),
        liked=liked,
        reactions=reactions,
        left_out=sum(batch.left_out for batch in batches),
        rules=rules,
    )
