"""Comments by id: looked for where the newest are first, and never taken for standing when they are gone."""

from typing import NamedTuple

from uproar.core.aging import Aging
from uproar.core.clock import Clock
from uproar.core.comment import Comment, Parent
from uproar.store import Kept, Store
from uproar.timeline import Timeline
from uproar.wire.frames import Shown

RECENT = 20_000
RECENT_S = 10.0
"""Comments that were accepted here are known at once: timeline and store have them a little later."""
SNAPSHOT = 1000


class Found(NamedTuple):
    """What is known of an id: the comment (None: nobody has it), and whether it was removed."""

    comment: Comment | None
    removed: bool


class Comments:
    """Everything raises `Unavailable` when timeline or store are down."""

    def __init__(self, store: Store, timeline: Timeline, clock: Clock) -> None:
        self._store = store
        self._timeline = timeline
        self._clock = clock
        self._recent: Aging[tuple[str, int], Comment] = Aging(RECENT)

    def remember(self, comment: Comment) -> None:
        """The comment was accepted just now."""
        now = self._clock.now()
        self._recent.put((comment.stream, comment.id), comment, now, now + RECENT_S)

    def forget(self, user: str) -> None:
        """An erasure: what the user wrote is remembered no more, nor are previews of it."""
        for key, comment in self._recent.items(self._clock.now()):
            if user in (comment.user.id, comment.reply_to and comment.reply_to.user):
                self._recent.pop(key)

    def sweep(self) -> None:
        """What was remembered for long enough is forgotten, also where nobody posts any more."""
        self._recent.sweep(self._clock.now())

    async def look(self, stream: str, comment_id: int, author: str = "") -> Found:
        """What is known of the id; `author` tells whose it is where nobody has it. What is gone is asked last."""
        kept = await self._kept(stream, comment_id)
        gone = await self._timeline.gone(stream)
        author = kept.comment.user.id if kept else author
        removed = gone.covers(comment_id, author) or bool(kept and kept.removed_by)
        return Found(kept.comment if kept else None, removed)

    async def standing(self, stream: str, comment_id: int) -> Comment | None:
        """The comment, unless it was removed."""
        found = await self.look(stream, comment_id)
        return None if found.removed else found.comment

    async def _kept(self, stream: str, comment_id: int) -> Kept | None:
        recent = self._recent.get((stream, comment_id), self._clock.now())
        if recent:
            return Kept(recent)
        newest, wanted = (await self._timeline.snapshot(stream, SNAPSHOT)).comments, str(comment_id)
        shown = next((comment for comment in newest if comment.id == wanted), None)
        return Kept(_comment(shown, stream)) if shown else await self._store.comment(stream, comment_id)


def _comment(shown: Shown, stream: str) -> Comment:
    to = shown.reply_to
    parent = Parent(int(to.id), to.user, to.text) if to else None
    return Comment(int(shown.id), stream, shown.user, shown.text, parent)
