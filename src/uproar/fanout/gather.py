"""A window's events become one batch: its net result."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from uproar.core import events as ev
from uproar.core.comment import Comment
from uproar.core.refusal import Refusal
from uproar.timeline import Gone, Liking
from uproar.wire.codec import encode
from uproar.wire.frames import Aside, Batch, ForYou, Notice, PosterRules, Shown, poster_rules, shown
from uproar.wire.picture import without_text

NOTHING: Mapping[str, int] = {}
ASIDES = 200  # of one frame; what is more is counted and dropped, the reply is in the thread all the same


class Net:
    """The net result of some events, taken in their order.

    `gone` is what may not be shown, `chosen` the ids that sampling leaves in, `known` the ids that were shown before
    and come again, `before` the last number that the chain has counted of each gateway run. `counted` are those of
    these events, `lost` says up to which id users lose what they wrote, `erased` up to which for ever.
    """

    def __init__(
        self, gone: Gone, chosen: Collection[int], known: Collection[int] = (), before: Mapping[str, int] = NOTHING
    ) -> None:
        self._gone = gone
        self._chosen = chosen
        self._known = known
        self._before = before
        self._left: dict[int, Comment] = {}
        self.erased: dict[str, int] = {}
        self._removed: dict[int, None] = {}
        self._comments: dict[int, Comment] = {}
        self._restored: dict[int, Comment] = {}
        self._pinned: dict[int, Comment] = {}
        self._unpinned: dict[int, None] = {}
        self._reactions: dict[str, int] = {}
        self._muted: dict[str, Refusal] = {}
        self._rules: PosterRules | None = None
        self.likings: list[Liking] = []
        self.counted: dict[str, int] = {}
        self.lost: dict[str, int] = {}
        self.left_out = 0

    def take(self, event: ev.Event) -> None:
        """Add one event."""
        match event:
            case ev.Posted(comment=comment):
                self._post(comment)
            case ev.Removed(comment_id=removed):
                self._remove(removed)
            case ev.Restored(comment=comment):
                self._restore(comment)
            case ev.Pinned(comment=comment):
                self._pin(comment)
            case ev.Unpinned(comment_id=unpinned):
                self._pinned.pop(unpinned, None)
                self._unpinned[unpinned] = None
            case ev.Banned():
                self._ban(event)
            case ev.Erased(user=user, upto=upto):
                self.erased[user] = upto
                self._remove_user(user, upto)
            case ev.Reacted():
                self._react(event)
            case ev.Liked():
                self.likings.append(Liking(event.comment_id, event.user, event.on))
            case ev.Changed(now=stream):
                self._rules = poster_rules(stream)

    def batch(self, position: str, liked: Mapping[int, int]) -> Batch:
        """The batch, with the totals of `likings` as the timeline told them."""
        return Batch(
            position=position,
            removed_users=list(self.lost),
            removed=[str(gone) for gone in self._removed],
            restored=self._show(self._restored.values()),
            comments=self._show(self._comments.values()),
            pinned=self._show(self._pinned.values(), pinned=True),
            unpinned=[str(unpinned) for unpinned in self._unpinned],
            liked={str(comment): likes for comment, likes in liked.items()},
            reactions=self._reactions,
            left_out=self.left_out,
            rules=self._rules,
        )

    def back(self) -> frozenset[int]:
        """The ids that come whole and may have been liked before: restored and pinned ones."""
        return frozenset((*self._restored, *self._pinned))

    def asides(self) -> Iterator[Aside]:
        """Notices to who was muted, then replies that were left out, each for whom it answers."""
        for user, muted in self._muted.items():
            yield Aside(user, encode(Notice(muted.code, muted.reason, muted.message)))
        for comment in self._left.values():
            parent = comment.reply_to
            if parent and parent.user != comment.user.id and not self._lost(comment.id, comment.user.id):
                yield Aside(parent.user, encode(ForYou(self._see(comment))))

    def _post(self, comment: Comment) -> None:
        if comment.id in self._known or comment.id in self._left or self._lost(comment.id, comment.user.id):
            return
        if comment.id in self._chosen:
            self._comments[comment.id] = comment
        else:
            self.left_out += 1
            self._left[comment.id] = comment

    def _remove(self, removed: int) -> None:
        self._removed[removed] = None
        for shelf in (self._comments, self._restored, self._pinned):
            shelf.pop(removed, None)

    def _restore(self, comment: Comment) -> None:
        """Its own removal is undone; one of all that the user wrote only where the timeline spares this comment."""
        others = self._gone._replace(ids=frozenset())
        if comment.id > self.erased.get(comment.user.id, -1) and not others.covers(comment.id, comment.user.id):
            self._restored[comment.id] = comment

    def _pin(self, comment: Comment) -> None:
        if not self._lost(comment.id, comment.user.id):
            self._unpinned.pop(comment.id, None)
            self._pinned[comment.id] = comment

    def _ban(self, event: ev.Banned) -> None:
        self._muted[event.user] = Refusal.BANNED if event.until_ms is None else Refusal.TIMED_OUT
        if event.remove:
            self._remove_user(event.user, event.upto)

    def _remove_user(self, user: str, upto: int) -> None:
        self.lost[user] = max(upto, self.lost.get(user, 0))
        for shelf in (self._comments, self._left, self._restored, self._pinned):
            for comment in [comment for comment in shelf.values() if comment.user.id == user and comment.id <= upto]:
                self._remove(comment.id)

    def _react(self, event: ev.Reacted) -> None:
        if event.number <= self.counted.get(event.gateway, self._before.get(event.gateway, 0)):
            return
        self.counted[event.gateway] = event.number
        for kind, count in event.counts.items():
            self._reactions[kind] = self._reactions.get(kind, 0) + count

    def _lost(self, comment_id: int, user: str) -> bool:
        if comment_id in self._restored:
            return False
        return (
            comment_id in self._removed or comment_id <= self.lost.get(user, -1) or self._gone.covers(comment_id, user)
        )

    def _show(self, comments: Iterable[Comment], *, pinned: bool = False) -> list[Shown]:
        return [self._see(comment, pinned=pinned) for comment in comments]

    def _see(self, comment: Comment, *, pinned: bool = False) -> Shown:
        seen = shown(comment, pinned=pinned)
        parent = comment.reply_to
        return without_text(seen) if parent and self._lost(parent.id, parent.user) else seen


def gather(
    events: Iterable[ev.Event],
    gone: Gone,
    chosen: Collection[int],
    known: Collection[int] = (),
    before: Mapping[str, int] = NOTHING,
) -> Net:
    """WARM: once per window and event. The net result of the events, in their order."""
    net = Net(gone, chosen, known, before)
    for event in events:
        net.take(event)
    return net


class Run(NamedTuple):
    """Records that become one frame."""

    events: Sequence[ev.Event]
    upto: int


def runs(records: Sequence[tuple[int, ev.Event]], chosen: Collection[int], limit: int) -> Iterator[Run]:
    """The records cut so that no run shows more than `limit` comments; a frame that is in covers its run alone."""
    events: list[ev.Event] = []
    showing = upto = 0
    for offset, event in records:
        shows = isinstance(event, ev.Posted) and event.comment.id in chosen
        if shows and showing == limit:
            yield Run(events, upto)
            events, showing = [], 0
        events.append(event)
        showing += shows
        upto = offset
    if events:
        yield Run(events, upto)
