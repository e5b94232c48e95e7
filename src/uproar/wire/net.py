"""Several batches as one: what a viewer that skipped them is told."""

from collections.abc import Sequence

from msgspec.structs import replace

from uproar.wire.frames import Batch, Skipped
from uproar.wire.picture import Picture


def net_result(batches: Sequence[Batch]) -> Skipped:
    """The net effect of the batches (one at least), as of one window; comments posted in them are only counted.

    Applying it gives what applying the batches one by one gives, but for those comments: what a picture that was empty
    before holds after them is what they put on screens, and must come last; what they take off comes first. A likes
    total stands for the comment wherever it is shown: batches tell it with every pin and restoring of a liked comment.
    """
    net = Picture()
    for batch in batches:
        net.apply(replace(batch, comments=[]))
    return Skipped(
        position=batches[-1].position,
        frames=len(batches),
        comments=sum(len(batch.comments) for batch in batches),
        removed_users=_all([batch.removed_users for batch in batches]),
        removed=_all([batch.removed for batch in batches]),
        restored=list(net.comments.values()),
        pinned=list(net.pinned.values()),
        unpinned=[gone for gone in _all([batch.unpinned for batch in batches]) if gone not in net.pinned],
        liked={liked: likes for batch in batches for liked, likes in batch.liked.items()},
        reactions=net.reactions,
        left_out=net.left_out,
        rules=net.rules,
    )


def _all(lists: Sequence[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for some in lists for name in some))
